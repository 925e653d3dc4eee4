"use strict";
// Under the pointer, or at the slider: the transformed pictures and their numbers.
{
  const data = Atlas.data["figure-invariance"];

  for (const group of document.querySelectorAll("[data-group]")) {
    const own = data[group.dataset.group];
    const { amounts, unit } = own;
    const slider = group.querySelector("[data-amount]");
    const said = group.querySelector("[data-said]");
    const plots = [...group.querySelectorAll("[data-plot]")];
    const images = [...group.querySelectorAll("[data-image]")];
    const first = Math.min(...amounts);
    const span = Math.max(...amounts) - first || 1;

    const across = (plot) => Number(plot.querySelector(".rule").getAttribute("x2"));
    const show = (step) => {
      slider.value = step;
      said.textContent = `${Atlas.short(amounts[step])} ${unit}`;
      for (const plot of plots) {
        const cursor = plot.querySelector(".cursor");
        const x = (across(plot) * (amounts[step] - first)) / span;
        cursor.setAttribute("x1", x);
        cursor.setAttribute("x2", x);
        cursor.setAttribute("visibility", "visible");
      }
      images.forEach((image, place) => {
        image.querySelector("img").className = `x${step} y0`;
        const [near, far, sure] = [own.first, own.last, own.probability].map((all) => all[place][step]);
        image.querySelector("[data-value]").textContent =
          `${near.toFixed(2)} · ${far.toFixed(2)} · p ${sure.toFixed(2)}`;
      });
    };

    const nearest = (amount) => {
      const away = amounts.map((one) => Math.abs(one - amount));
      return away.indexOf(Math.min(...away));
    };
    for (const plot of plots) {
      plot.addEventListener("pointermove", (event) => {
        const place = new DOMPoint(event.clientX, event.clientY).matrixTransform(plot.getScreenCTM().inverse());
        show(nearest(first + (span * place.x) / across(plot)));
      });
    }
    slider.addEventListener("input", () => show(Number(slider.value)));
    show(Number(slider.value));
  }
}
