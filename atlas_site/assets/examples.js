"use strict";
// The images beyond the strongest: the histogram, or the buttons below it, choose the band.
{
  const { el, short, fileName } = Atlas;
  const dialog = document.querySelector("[data-channel]");
  const part = (name) => dialog.querySelector(`[data-${name}]`);
  const names = { weakest: "weakest", silent: "silent" };
  const notes = {
    weakest: "The weakest images that still make it fire.",
    silent: "Images that do not make it fire; the patch is the middle of the image.",
  };
  const noteOf = (band) => notes[band]
    ?? `Next to the ${band.replace("%", " %")} quantile of the peaks, of a sample of at most 64 images that make it fire.`;
  let current = null;
  let fixed = "50%";

  const example = (place) => {
    const { layer, number, found } = current;
    const [i, peak] = found.channels[number][place];
    const { row } = Atlas.data.images;
    const file = fileName(found.path[i]);
    const picture = Atlas.example(layer, number, place, `Crop: ${Atlas.className(found.label[i])}, peak ${short(peak)}`);
    return el("li", {}, picture,
      el("p", {}, Atlas.classLink(found.label[i]), el("b", {}, short(peak))),
    el("p", { class: "path", title: found.path[i] }, row.includes(found.row[i])
      ? el("a", { href: `images.html#${found.row[i]}` }, file) : file));
  };

  // The places of a band's examples that there are.
  const placesOf = (band) => current.layer.examples.bands.flatMap((name, place) =>
    name === band && current.found.channels[current.number][place][0] >= 0 ? [place] : []);

  const draw = (band) => {
    const places = placesOf(band);
    part("examples").replaceChildren(...places.map(example));
    part("examples-note").textContent = places.length ? noteOf(band)
      : band === "silent" ? "Every image makes it fire." : "There is no such image.";
    for (const node of part("histogram").querySelectorAll("[data-band]")) {
      node.classList.toggle("chosen", node.dataset.band === band);
    }
  };
  const choose = (band) => {
    fixed = band;
    for (const input of part("bands").querySelectorAll("input")) input.checked = input.value === band;
    draw(band);
  };

  // Show a channel's examples; the panel is open.
  Atlas.showExamples = async (layer, number) => {
    const wanted = { layer, number };
    current = null;
    const found = await Atlas.load(`examples/${layer.key}`);
    if (document.querySelector("[data-number]").textContent !== String(number)) return;
    current = { ...wanted, found };
    const bands = [...new Set(layer.examples.bands)];
    if (part("bands").childElementCount === 1) {
      part("bands").append(...bands.map((band) => el("label", {},
        el("input", { type: "radio", name: "band", value: band }),
        el("span", {}, names[band] ?? band.replace("%", " %")))));
    }
    Atlas.drawHistogram(bands.flatMap((band) => {
      const peaks = placesOf(band).map((place) => found.channels[number][place][1]);
      return peaks.length ? [[band, peaks.reduce((sum, peak) => sum + peak) / peaks.length]] : [];
    }));
    choose(bands.includes(fixed) ? fixed : bands[0]);
  };

  part("bands").addEventListener("change", ({ target }) => choose(target.value));
  const bandAt = (event) => current && event.target.closest?.("[data-band]")?.dataset.band;
  part("histogram").addEventListener("pointerover", (event) => {
    const band = bandAt(event);
    if (band) draw(band);
  });
  part("histogram").addEventListener("pointerleave", () => { if (current) draw(fixed); });
  part("histogram").addEventListener("click", (event) => {
    const band = bandAt(event);
    if (band) choose(band);
  });
}
