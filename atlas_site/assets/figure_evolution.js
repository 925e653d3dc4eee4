"use strict";
// The slider over the epochs, and a button that moves it.
{
  const { epochs, layers, images } = Atlas.data["figure-evolution"];
  const PACE_MS = 900;
  const player = document.querySelector("[data-player]");
  const slider = player.querySelector("[data-epoch]");
  const button = player.querySelector("[data-play]");
  const said = player.querySelector("[data-said]");
  const shown = [...player.querySelectorAll("[data-layer]")].map((list) => [...list.children]);
  const still = matchMedia("(prefers-reduced-motion: reduce)");
  let timer = null;

  const show = (epoch) => {
    slider.value = epoch;
    said.textContent = epochs[epoch];
    shown.forEach((items, layer) => items.forEach((item, channel) => {
      const [image, changed, activation] = ["image", "changed", "activation"]
        .map((name) => layers[layer][name][channel][epoch]);
      item.querySelector("img").className = `x${epoch} y${channel}`;
      item.classList.toggle("changed", changed);
      const value = item.querySelector("[data-value]");
      value.title = images[image] ?? "";
      value.textContent = image < 0 ? "no image"
        : `${Atlas.short(activation)} · ${Atlas.fileName(images[image])}${changed ? " · changed" : ""}`;
    }));
  };

  const stop = () => {
    clearInterval(timer);
    timer = null;
    button.textContent = "Play";
  };
  const play = () => {
    if (Number(slider.value) === epochs.length - 1) show(0);
    timer = setInterval(() => {
      show(Number(slider.value) + 1);
      if (Number(slider.value) === epochs.length - 1) stop();
    }, PACE_MS);
    button.textContent = "Pause";
  };
  const respect = () => {
    stop();
    button.hidden = still.matches;
  };

  button.addEventListener("click", () => (timer === null ? play() : stop()));
  slider.addEventListener("input", () => {
    stop();
    show(Number(slider.value));
  });
  still.addEventListener("change", respect);
  respect();
  show(epochs.length - 1);
}
