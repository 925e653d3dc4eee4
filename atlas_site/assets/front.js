"use strict";
// The first page: another handful of striking channels at a press; layers by part of their name.
{
  const handfuls = [...document.querySelectorAll("[data-handful]")];
  let shown = 0;
  document.querySelector("[data-another]")?.addEventListener("click", () => {
    handfuls[shown].hidden = true;
    shown = (shown + 1) % handfuls.length;
    handfuls[shown].hidden = false;
    Atlas.rove(handfuls[shown]);
  });

  const filter = document.querySelector("[data-layer-filter]");
  filter?.addEventListener("input", () => {
    const wanted = filter.value.trim().toLowerCase();
    let left = 0;
    for (const group of document.querySelectorAll("[data-layer-group]")) {
      const layers = [...group.querySelectorAll("[data-layer]")];
      for (const one of layers) one.hidden = !one.dataset.layer.toLowerCase().includes(wanted);
      const fitting = layers.filter((one) => !one.hidden).length;
      group.hidden = !fitting;
      left += fitting;
    }
    document.querySelector("[data-layer-count]").textContent = `${left} layer${left === 1 ? "" : "s"}`;
  });
}
