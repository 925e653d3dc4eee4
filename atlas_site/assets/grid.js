"use strict";
// The layer page: sort, filter, search, size, mode; and which channel comes after which.
{
  const grid = document.querySelector("[data-grid]");
  const form = document.querySelector("[data-controls]");
  const root = document.documentElement;
  const key = grid.dataset.layer;
  const { columns } = Atlas.data[key];
  const items = [...grid.children];
  const layer = Atlas.data.site.layers.find((one) => one.key === key);

  const nameOf = (number) => Atlas.nameOf(key, number, Atlas.data.search.names);
  const orders = {
    number: () => 0,
    name: (n) => nameOf(n)[0],
    family: (n) => nameOf(n)[2],
    peak: (n) => -columns.peak[n],
    fired: (n) => -columns.fired[n],
    selectivity: (n) => -columns.selectivity[n],
    effective: (n) => (columns.image[n].length ? columns.effective[n] : Infinity),
    patches: (n) => (columns.patches[n] === null ? Infinity : -columns.patches[n]),
    start: (n) => columns.start[n],
  };
  // Numbers by value, names by their letters; what has none comes last.
  const compare = (a, b) => (typeof a === "string"
    ? Number(!a) - Number(!b) || a.localeCompare(b, "en", { numeric: true }) : a - b);

  const fits = (number, wanted) => {
    const held = columns.image[number];
    const dead = held.length === 0;
    if (wanted.dead !== "all" && dead !== (wanted.dead === "only")) return false;
    const { images } = Atlas.data;
    if (wanted.class !== "" && !held.some((i) => images.label[i] === wanted.class)) return false;
    if (!wanted.search || String(number) === wanted.search) return true;
    const texts = nameOf(number).join("\n").toLowerCase();
    return texts.includes(wanted.search)
      || held.some((i) => images.text[i].includes(wanted.search));
  };

  const prepareText = (images) => {
    const { classes } = Atlas.data.site;
    images.text ??= images.path.map((path, i) => `${classes[images.label[i]] ?? ""}\n${path}`.toLowerCase());
  };

  const arrange = async () => {
    const wanted = {
      search: form.elements.search.value.trim().toLowerCase(),
      class: form.elements.class.value === "" ? "" : Number(form.elements.class.value),
      dead: form.elements.dead.value,
    };
    const sort = form.elements.sort.value;
    if (wanted.search || wanted.class !== "" || ["name", "family"].includes(sort)) await Atlas.load("search");
    if (wanted.search || wanted.class !== "") {
      prepareText(await Atlas.load("images"));
    }
    const value = orders[sort];
    const order = items.map((_, number) => [value(number), number])
      .sort((a, b) => compare(a[0], b[0]) || a[1] - b[1]);
    const shown = order.map(([, number]) => number).filter((number) => fits(number, wanted));
    const visible = new Set(shown);
    items.forEach((item, number) => { item.hidden = !visible.has(number); });
    grid.append(...order.map(([, number]) => items[number]));
    Atlas.shown = shown;
    Atlas.rove(grid);
    document.querySelector("[data-nothing]").hidden = shown.length > 0;
    const all = shown.length === items.length;
    document.querySelector("[data-count]").value =
      all ? `${shown.length} channels` : `${shown.length} of ${items.length} channels`;
  };

  // Thumbnails give way to the channel's own sprite where they would be enlarged.
  const sharpen = (item) => {
    for (const region of item.querySelectorAll(".region.thumb")) {
      const image = region.firstElementChild;
      const width = 2 * Atlas.data.site.side * layer.spritePx;
      region.classList.replace("thumb", "half");
      image.className = `x${region.classList.contains("crops") ? 1 : 0} y0`;
      image.width = width;
      image.height = width / 2;
      image.src = Atlas.spriteOf(layer, item.id);
    }
  };
  const watcher = new IntersectionObserver((entries) => {
    for (const entry of entries.filter((one) => one.isIntersecting)) {
      watcher.unobserve(entry.target);
      sharpen(entry.target);
    }
  }, { rootMargin: "300px" });
  const watch = () => {
    const block = parseFloat(getComputedStyle(root).getPropertyValue("--block")) || 0;
    const drawn = items[0].querySelector(".region, .dead-block")?.getBoundingClientRect().height || block;
    const enlarged = drawn * devicePixelRatio > 1.25 * layer.thumbPx * Atlas.data.site.side;
    if (!layer.pixelated && enlarged) items.forEach((item) => watcher.observe(item));
    else watcher.disconnect();
  };

  const setView = (which, value) => {
    root.dataset[which] = value;
    Atlas.setPreference(which, value);
    form.elements[which].value = value;
    watch();
  };

  // Names that this browser keeps, over those of names.csv, which the page has.
  const showNames = () => {
    for (const [where, number, name] of Atlas.ownNames()) {
      const label = where === key && items[number]?.querySelector(".label i");
      if (!label) continue;
      label.querySelector("strong")?.remove();
      if (name) label.prepend(Atlas.el("strong", {}, name), " ");
    }
  };
  addEventListener("named", showNames);
  showNames();

  Atlas.reset = () => {
    form.elements.search.value = "";
    form.elements.class.value = "";
    form.elements.dead.value = "all";
    return arrange();
  };
  Atlas.shown = items.map((_, number) => number);
  Atlas.random = () => Atlas.shown[Math.floor(Math.random() * Atlas.shown.length)];

  for (const item of items) item.firstElementChild.href = `#${item.id}`;
  const more = form.querySelector("[data-more]");
  more.addEventListener("click", () => {
    more.setAttribute("aria-expanded", String(form.toggleAttribute("data-open")));
  });
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("input", ({ target }) => {
    if (target.name === "mode" || target.name === "size") setView(target.name, target.value);
    else if (target.name === "contrast") Atlas.setContrast(Number(target.value));
    else arrange();
  });
  document.querySelector("[data-reset]").addEventListener("click", Atlas.reset);
  addEventListener("resize", watch);
  form.reset();
  Atlas.setContrast(Atlas.contrast());
  for (const which of ["mode", "size"]) {
    if (Atlas.preference(which)) form.elements[which].value = Atlas.preference(which);
  }
  watch();
}
