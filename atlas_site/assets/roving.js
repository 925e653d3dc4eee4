"use strict";
// One Tab stop per grid: the arrow keys move inside it.
{
  // Of its item, where there is one: to ask a link in an item out of sight would lay that out.
  const isShown = (link) => (link.closest("[data-roving] > li") ?? link).offsetParent;
  const links = (list) => [...list.querySelectorAll("a")].filter(isShown);
  const columns = (shown) => {
    const { top } = shown[0].getBoundingClientRect();
    const next = shown.findIndex((link) => Math.abs(link.getBoundingClientRect().top - top) > 4);
    return next < 0 ? shown.length : next;
  };
  const steps = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

  const settle = (list, link) => {
    for (const other of list.querySelectorAll("a")) other.tabIndex = other === link ? 0 : -1;
  };
  const move = (list, shown, to) => {
    if (!shown[to]) return;
    settle(list, shown[to]);
    shown[to].focus();
  };

  // Make one link of a list the Tab stop; call it again where the list has changed.
  Atlas.rove = (list) => {
    const shown = links(list);
    const current = shown.find((link) => link.tabIndex === 0 && link.hasAttribute("tabindex"));
    settle(list, current || shown[0] || list.querySelector("a"));
  };

  // Move by an arrow key from the focused link, or to the first where none is focused.
  Atlas.roveBy = (list, key) => {
    const shown = links(list);
    if (!shown.length) return;
    const now = shown.indexOf(document.activeElement);
    const [across, down] = steps[key];
    move(list, shown, now < 0 ? 0 : now + across + down * columns(shown));
  };

  document.addEventListener("keydown", (event) => {
    const list = event.target.closest?.("[data-roving]");
    if (!list || event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
    if (steps[event.key]) Atlas.roveBy(list, event.key);
    else if (event.key === "Home") move(list, links(list), 0);
    else if (event.key === "End") move(list, links(list), links(list).length - 1);
    else return;
    event.preventDefault();
  });
  document.addEventListener("focusin", ({ target }) => {
    const list = target.closest?.("[data-roving]");
    if (list && target.matches("a")) settle(list, target);
  });
  for (const list of document.querySelectorAll("[data-roving]")) Atlas.rove(list);
}
