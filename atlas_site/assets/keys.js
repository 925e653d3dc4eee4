"use strict";
// The keyboard: the same keys that the help lists.
{
  const help = document.querySelector("[data-help-dialog]");
  const grid = document.querySelector("[data-grid]");
  const showHelp = () => { if (!help.open) help.showModal(); };
  document.querySelector("[data-help]").addEventListener("click", showHelp);

  const step = (key) => () => Atlas.roveBy(grid, key);

  const inChannel = {
    ArrowLeft: () => Atlas.channel.step(-1),
    ArrowRight: () => Atlas.channel.step(1),
    ArrowUp: () => Atlas.channel.move(-1),
    ArrowDown: () => Atlas.channel.move(1),
    c: () => Atlas.channel.copy(),
  };
  const inGrid = Object.fromEntries(
    ["ArrowLeft", "ArrowRight", "ArrowUp", "ArrowDown"].map((key) => [key, step(key)]));
  const anywhere = { "?": showHelp, r: () => Atlas.channel.random() };

  addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
    if (help.open || document.querySelector("[data-search]").open) return;
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
