"use strict";
// The square under the pointer, or moved by the arrow keys, and what it does there.
{
  const data = Atlas.data["figure-occlusion"];
  const nearest = (corners, at) => {
    const away = corners.map((corner) => Math.abs(corner + data.side / 2 - at));
    return away.indexOf(Math.min(...away));
  };
  const steps = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };

  for (const subject of document.querySelectorAll("[data-subject]")) {
    const own = data.images[Number(subject.dataset.subject)];
    const panels = subject.querySelector("[data-panels]");
    const said = subject.querySelector("[data-said]");
    let place = [Math.floor(data.rows.length / 2), Math.floor(data.cols.length / 2)];

    const show = (row, col) => {
      place = [row, col];
      for (const square of subject.querySelectorAll("[data-square]")) {
        square.setAttribute("x", data.cols[col]);
        square.setAttribute("y", data.rows[row]);
        square.setAttribute("width", data.side);
        square.setAttribute("height", data.side);
        square.setAttribute("visibility", "visible");
      }
      said.textContent = `Square at row ${data.rows[row]}, column ${data.cols[col]}: `
        + `${data.layer} ${own.channel} ${Atlas.short(own.activations[row][col])} (${Atlas.short(own.activation)} without), `
        + `${own.followed} ${own.probabilities[row][col].toFixed(2)} (${own.probability.toFixed(2)} without), `
        + `most probable ${own.classes[row][col]}.`;
    };

    for (const stage of subject.querySelectorAll(".stage")) {
      stage.addEventListener("pointermove", (event) => {
        const box = stage.getBoundingClientRect();
        show(
          nearest(data.rows, (data.size[0] * (event.clientY - box.top)) / box.height),
          nearest(data.cols, (data.size[1] * (event.clientX - box.left)) / box.width));
      });
    }
    panels.tabIndex = 0;
    panels.setAttribute("role", "group");
    panels.setAttribute("aria-label", `Maps of ${own.followed}; the arrow keys move the square`);
    panels.addEventListener("keydown", (event) => {
      const step = steps[event.key];
      if (!step || event.ctrlKey || event.metaKey || event.altKey) return;
      event.preventDefault();
      show(
        Math.min(data.rows.length - 1, Math.max(0, place[0] + step[0])),
        Math.min(data.cols.length - 1, Math.max(0, place[1] + step[1])));
    });
  }
}
