"use strict";
// What is taken for what, of many classes: all at once in a canvas, in an order in which confused
// classes are neighbours, and a part of it to read as a table. A press moves the part.
{
  const { el } = Atlas;
  const box = document.querySelector("[data-confused]");
  const canvas = box.querySelector("[data-confused-canvas]");
  const pen = canvas.getContext("2d");
  const around = box.querySelector("[data-around]");
  const { site, images, classes: { order } } = Atlas.data;
  const place = new Map(order.map((number, at) => [number, at]));
  const cells = images.confused.flatMap(([label, predicted, count]) =>
    (place.has(label) && place.has(predicted) ? [[place.get(label), place.get(predicted), count]] : []));
  const count = new Map(cells.map(([row, column, n]) => [row * order.length + column, n]));
  const wrong = images.right.map(() => 0);
  for (const [label, , n] of images.confused) wrong[label] += n;
  const WIDE = 700;
  const HEATS = 9;
  const DOT_PX = 3;
  const corner = { row: 0, column: 0 };

  const part = () => Math.min(order.length, innerWidth < WIDE ? 8 : 16);
  const draw = () => {
    const side = canvas.width;
    const cell = side / order.length;
    const dot = Math.max(cell, DOT_PX * devicePixelRatio);
    const most = Math.max(...cells.map(([, , n]) => n));
    pen.clearRect(0, 0, side, side);
    pen.lineWidth = devicePixelRatio;
    const ink = getComputedStyle(box).color;
    pen.strokeStyle = ink;
    pen.globalAlpha = 0.2;
    pen.beginPath();
    pen.moveTo(0, 0);
    pen.lineTo(side, side);
    pen.stroke();
    pen.fillStyle = getComputedStyle(canvas).color;
    for (const [row, column, n] of cells) {
      pen.globalAlpha = 0.25 + 0.75 * Math.log1p(n) / Math.log1p(most);
      pen.fillRect((column + 0.5) * cell - dot / 2, (row + 0.5) * cell - dot / 2, dot, dot);
    }
    pen.globalAlpha = 1;
    pen.strokeStyle = ink;
    pen.lineWidth = 2 * devicePixelRatio;
    pen.strokeRect(corner.column * cell, corner.row * cell, part() * cell, part() * cell);
  };

  const name = (number) => site.classes[number];
  const link = (row, column) => {
    const [label, predicted] = [order[row], order[column]];
    const n = row === column ? images.right[label] : count.get(row * order.length + column) ?? 0;
    const heat = Math.ceil(HEATS * n / Math.max(1, images.right[label] + wrong[label]));
    return el("td", { class: `heat${heat}${row === column ? " right" : ""}` }, n
      ? el("a", { href: `images.html#label=${label}&predicted=${predicted}`, title: `${name(label)} taken for ${name(predicted)}` }, `${n}`)
      : "");
  };
  const show = () => {
    const rows = Array.from({ length: part() }, (_, n) => corner.row + n);
    const columns = rows.map((_, n) => corner.column + n);
    box.querySelector("[data-confused-table]").replaceChildren(el("table", { class: "matrix" },
      el("caption", {}, "A row per class, a column per prediction: images."),
      el("thead", {}, el("tr", {}, el("th", { scope: "col" }, "class"),
        ...columns.map((at) => el("th", { scope: "col" }, el("span", {}, name(order[at])))))),
      el("tbody", {}, ...rows.map((row) => el("tr", {}, el("th", { scope: "row" }, name(order[row])),
        ...columns.map((column) => link(row, column)))))));
    draw();
  };
  const move = (row, column) => {
    const last = order.length - part();
    const within = (at) => Math.max(0, Math.min(last, Math.round(at)));
    [corner.row, corner.column] = [within(row), within(column)];
    show();
  };
  const centre = (row, column) => move(row - part() / 2, column - part() / 2);

  const press = (event) => {
    const edge = canvas.getBoundingClientRect();
    const at = (now, first) => (now - first) / edge.width * order.length;
    centre(at(event.clientY, edge.top), at(event.clientX, edge.left));
  };
  canvas.addEventListener("pointerdown", (event) => {
    canvas.setPointerCapture(event.pointerId);
    press(event);
  });
  canvas.addEventListener("pointermove", (event) => { if (event.buttons) press(event); });
  canvas.addEventListener("keydown", (event) => {
    const step = part() / 2;
    const by = { ArrowUp: [-step, 0], ArrowDown: [step, 0], ArrowLeft: [0, -step], ArrowRight: [0, step] }[event.key];
    if (!by) return;
    event.preventDefault();
    move(corner.row + by[0], corner.column + by[1]);
  });
  around.append(...[...order].sort((a, b) => a - b).map((number) => el("option", { value: number }, name(number))));
  around.addEventListener("input", () => {
    const at = place.get(Number(around.value));
    centre(at, at);
  });
  const fit = () => {
    canvas.width = canvas.height = Math.round(canvas.clientWidth * devicePixelRatio);
    move(corner.row, corner.column);
  };
  box.querySelector("[data-confused-says]").textContent =
    `${order.length} classes that are confused, a row each; a column per prediction; a dot where some image is taken for another class. Confused classes are neighbours. Press a place to read it.`;
  around.value = `${order[0]}`;
  addEventListener("resize", fit);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
  new MutationObserver(draw).observe(document.documentElement, { attributeFilter: ["data-theme"] });
  fit();
}
