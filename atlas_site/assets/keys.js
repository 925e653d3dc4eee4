"use strict";
// The keyboard: the same keys that the help lists.
{
  const help = document.querySelector("[data-help-dialog]");
  const grid = document.querySelector("[data-grid]");
  const showHelp = () => { if (!help.open) help.showModal(); };
  document.querySelector("[data-help]").addEventListener("click", showHelp);

  const visible = () => [...grid.children].filter((item) => !item.hidden);
  const columns = (items) => {
    const first = items[0].offsetTop;
    const next = items.findIndex((item) => item.offsetTop !== first);
    return next < 0 ? items.length : next;
  };
  const moveInGrid = (across, down) => {
    const items = visible();
    if (!items.length) return;
    const now = items.indexOf(document.activeElement?.closest("[data-grid] > li"));
    const to = now < 0 ? 0 : now + across + down * columns(items);
    if (items[to]) items[to].firstElementChild.focus();
  };

  const inChannel = {
    ArrowLeft: () => Atlas.channel.step(-1),
    ArrowRight: () => Atlas.channel.step(1),
    ArrowUp: () => Atlas.channel.move(-1),
    ArrowDown: () => Atlas.channel.move(1),
    c: () => Atlas.channel.copy(),
  };
  const inGrid = {
    ArrowLeft: () => moveInGrid(-1, 0),
    ArrowRight: () => moveInGrid(1, 0),
    ArrowUp: () => moveInGrid(0, -1),
    ArrowDown: () => moveInGrid(0, 1),
    "/": () => document.querySelector("[name=search]").focus(),
  };
  const anywhere = { "?": showHelp, r: () => Atlas.channel.random() };

  addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || help.open) return;
    if (event.target.closest("input, select, textarea")) {
      if (event.key === "Escape" && event.target.name === "search") event.target.blur();
      return;
    }
    const action = (Atlas.channel.isOpen() ? inChannel : inGrid)[event.key] || anywhere[event.key];
    if (!action) return;
    event.preventDefault();
    action();
  });
}
