"use strict";
// The first page: another handful of striking channels at a press.
{
  const handfuls = [...document.querySelectorAll("[data-handful]")];
  let shown = 0;
  document.querySelector("[data-another]")?.addEventListener("click", () => {
    handfuls[shown].hidden = true;
    shown = (shown + 1) % handfuls.length;
    handfuls[shown].hidden = false;
    Atlas.rove(handfuls[shown]);
  });
}
