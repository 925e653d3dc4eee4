"use strict";
// Runs before the first paint, so that theme, tile size and mode never shift the page.
{
  const root = document.documentElement;
  const preference = (name) => {
    try { return localStorage.getItem(`feature-atlas-${name}`); } catch { return null; }
  };
  const setPreference = (name, value) => {
    try { localStorage.setItem(`feature-atlas-${name}`, value); } catch { /* private mode */ }
  };
  window.Atlas = { data: Object.create(null), preference, setPreference };
  root.dataset.js = "";
  for (const name of ["theme", "size", "mode"]) {
    const value = preference(name);
    if (value) root.dataset[name] = value;
  }
  // channel.html?embed#number: one channel without the page around it, for a talk or a post.
  if (new URLSearchParams(location.search).has("embed")) root.dataset.embed = "";
  const next = { auto: "light", light: "dark", dark: "auto" };
  const names = { auto: "as the system", light: "light", dark: "dark" };
  addEventListener("DOMContentLoaded", () => {
    const button = document.querySelector("[data-theme-button]");
    const show = (theme) => {
      root.dataset.theme = theme;
      button.setAttribute("aria-label", `Theme: ${names[theme]}`);
      button.title = `Theme: ${names[theme]}`;
      button.textContent = { auto: "◐", light: "○", dark: "●" }[theme];
    };
    show(preference("theme") || "auto");
    // Not by scrollIntoView, from where Tab would start, past the link that skips all this.
    const here = document.querySelector("nav [aria-current]");
    if (here) {
      const [inner, outer] = [here, here.parentElement].map((one) => one.getBoundingClientRect());
      here.parentElement.scrollLeft += inner.left + inner.width / 2 - outer.left - outer.width / 2;
    }
    button.addEventListener("click", () => {
      const theme = next[root.dataset.theme] || "auto";
      setPreference("theme", theme);
      show(theme);
    });
  });
}
