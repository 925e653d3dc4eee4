"use strict";
// The comparison of a layer: the order of its channels.
{
  const list = document.querySelector("[data-versus]");
  const items = [...list.children];
  const keys = {
    number: () => 0,
    shared: (item) => -Number(item.dataset.shared),
    unshared: (item) => Number(item.dataset.shared),
  };
  const form = document.querySelector("[data-controls]");
  form.reset();
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("input", () => {
    const key = keys[form.elements.sort.value];
    list.append(...[...items].sort((a, b) => key(a) - key(b) || Number(a.id) - Number(b.id)));
  });
}
