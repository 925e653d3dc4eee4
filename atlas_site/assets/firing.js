"use strict";
// Where a channel fires: over the whole image of an entry its field, or its activation map.
{
  const { svg, short } = Atlas;
  const dialog = document.querySelector("[data-channel]");
  const part = (name) => dialog.querySelector(`[data-${name}]`);
  const DARK = 0.82;
  const unpacked = Object.create(null);
  let shown = null;

  const unpack = async ({ levels, ends }) => {
    const bytes = Uint8Array.from(atob(levels), (character) => character.charCodeAt(0));
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
    return { levels: new Uint8Array(await new Response(stream).arrayBuffer()), ends };
  };

  // An entry's map as values, row by row.
  const valuesOf = async (layer, number, rank) => {
    const { src, channels, rows, cols } = layer.firing;
    const name = src.replace("{}", Math.floor(number / channels));
    unpacked[name] ??= Atlas.load(name).then(unpack);
    const { levels, ends } = await unpacked[name];
    const place = (number % channels) * Atlas.data.site.top + rank;
    const [least, largest] = ends[place];
    return Float32Array.from(levels.subarray(place * rows * cols, (place + 1) * rows * cols),
      (level) => least + (level / 255) * (largest - least));
  };

  // The image is dark where the channel does not fire, and clear where it fires most.
  const draw = (canvas, smooth) => {
    const { values, rows, cols, layer: { squares } } = shown;
    const [top, left] = squares.first;
    const [height, width] = squares.step;
    const largest = Math.max(...values);
    const small = document.createElement("canvas");
    small.width = cols;
    small.height = rows;
    const pixels = new ImageData(cols, rows);
    values.forEach((value, i) => {
      const share = largest > 0 ? Math.max(0, value) / largest : 0;
      pixels.data[4 * i + 3] = Math.round(255 * DARK * (1 - share));
    });
    small.getContext("2d").putImageData(pixels, 0, 0);
    const context = canvas.getContext("2d");
    const zoom = canvas.width / Atlas.data.site.inputPx;
    const place = [left, top, cols * width, rows * height].map((length) => zoom * length);
    context.clearRect(0, 0, canvas.width, canvas.height);
    context.fillStyle = `rgb(0 0 0 / ${DARK})`;
    context.fillRect(0, 0, canvas.width, canvas.height);
    context.clearRect(...place);
    context.imageSmoothingEnabled = smooth;
    context.drawImage(small, ...place);
  };

  const tell = (row, col) => {
    const { values, rows, cols } = shown;
    const inside = row >= 0 && col >= 0 && row < rows && col < cols;
    part("value").textContent = inside ? `cell ${row}, ${col}: ${short(values[row * cols + col])}`
      : "outside the map";
  };
  const tellPeak = () => tell(...shown.cell);

  // The dark around the field, over an image of the network's size.
  Atlas.shade = ([top, left, rows, columns]) => {
    const side = Atlas.data.site.inputPx;
    return svg("path", { class: "shade", "fill-rule": "evenodd",
      d: `M0 0H${side}V${side}H0zM${left} ${top}h${columns}v${rows}h${-columns}z` });
  };

  const mode = () => (shown?.layer.firing && Atlas.preference("where")) || "field";
  const update = () => {
    const canvas = part("stage").querySelector("canvas");
    part("stage").dataset.drawn = mode();
    part("stage").tabIndex = mode() === "field" ? -1 : 0;
    part("value").hidden = mode() === "field";
    if (mode() === "field" || !shown.values) return;
    draw(canvas, mode() === "smooth");
    tellPeak();
  };

  // Show where an entry's channel fires, in the stage that holds its image.
  Atlas.showFiring = async (layer, number, channel, rank) => {
    const wanted = { layer, cell: channel.cell[rank], cursor: [...channel.cell[rank]] };
    shown = wanted;
    part("where").hidden = !layer.firing;
    for (const input of part("where").querySelectorAll("input")) input.checked = input.value === mode();
    if (layer.firing) {
      const canvas = document.createElement("canvas");
      canvas.width = canvas.height = 2 * Atlas.data.site.inputPx;
      canvas.setAttribute("aria-hidden", "true");
      part("stage").firstElementChild.after(canvas);
    }
    update();
    if (mode() === "field") return;
    await fetchValues(wanted, number, rank);
  };
  const fetchValues = async (wanted, number, rank) => {
    const values = await valuesOf(wanted.layer, number, rank);
    const { rows, cols } = wanted.layer.firing;
    Object.assign(wanted, { values, rows, cols });
    if (shown === wanted) update();
  };

  part("where").addEventListener("change", ({ target }) => {
    Atlas.setPreference("where", target.value);
    Atlas.chooseAgain();
  });
  const cellAt = (event) => {
    const box = part("stage").getBoundingClientRect();
    const { first, step } = shown.layer.squares;
    const pixels = [(event.clientY - box.top) / box.height, (event.clientX - box.left) / box.width];
    return pixels.map((share, axis) =>
      Math.floor((share * Atlas.data.site.inputPx - first[axis]) / step[axis]));
  };
  const ready = () => shown?.values && mode() !== "field";
  part("stage").addEventListener("pointermove", (event) => { if (ready()) tell(...cellAt(event)); });
  part("stage").addEventListener("pointerleave", () => { if (ready()) tellPeak(); });
  const steps = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] };
  part("stage").addEventListener("keydown", (event) => {
    if (!ready() || !steps[event.key]) return;
    event.preventDefault();
    const limits = [shown.rows - 1, shown.cols - 1];
    shown.cursor = shown.cursor.map((place, axis) =>
      Math.min(limits[axis], Math.max(0, place + steps[event.key][axis])));
    tell(...shown.cursor);
  });
}
