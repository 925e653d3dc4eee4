"use strict";
// The search from anywhere: layers, channels, names, classes and files, found as pictures.
{
  const { el } = Atlas;
  const dialog = document.querySelector("[data-search]");
  const query = dialog.querySelector("[data-query]");
  const list = dialog.querySelector("[data-found]");
  const hint = [...list.childNodes];
  const MOST = 12;

  const load = () => Promise.all(["site", "images", "search"].map(Atlas.load));

  const channelsOf = (words, site, search) => {
    const numbers = words.filter((word) => /^\d+$/.test(word)).map(Number);
    const rest = words.filter((word) => !/^\d+$/.test(word));
    const wanted = site.layers.filter((layer) => {
      const name = layer.name.toLowerCase();
      return rest.every((word) => name.includes(word));
    });
    const byNumber = numbers.length === 1
      ? wanted.filter((layer) => numbers[0] < layer.channels).map((layer) => [layer, numbers[0], ""])
      : [];
    const text = words.join(" ");
    const named = Atlas.allNames(search.names).flatMap(([key, number, ...own]) => {
      const layer = site.layers.find((one) => one.key === key);
      const fits = layer && own.join("\n").toLowerCase().includes(text);
      return fits ? [[layer, number, own[0]]] : [];
    });
    const found = [...byNumber, ...named, ...together(words, site, search)];
    const places = found.map(([layer, number]) => `${layer.key} ${number}`);
    return found.filter((_, at) => places.indexOf(places[at]) === at).slice(0, MOST);
  };

  // Channels that every word fits, each by its layer, its class, its number or its own words:
  // "conv5 wheel". Layers and classes by themselves have their own groups.
  const together = (words, site, search) => {
    const isNumber = (word) => /^\d+$/.test(word);
    const classes = site.classes.map((name) => name.toLowerCase());
    const own = new Map(Atlas.allNames(search.names).map(([key, number, ...texts]) => [`${key} ${number}`, texts.join("\n").toLowerCase()]));
    return site.layers.toReversed().flatMap((layer) => {
      const name = layer.name.toLowerCase();
      const rest = words.filter((word) => isNumber(word) || !name.includes(word));
      const numbers = rest.filter(isNumber).length;
      if (numbers === rest.length || (rest.length === words.length && !numbers)) return [];
      return search.favourite[layer.key].flatMap((favourite, number) => {
        const text = `${classes[favourite] ?? ""}\n${own.get(`${layer.key} ${number}`) ?? ""}`;
        return rest.every((word) => word === String(number) || text.includes(word)) ? [[layer, number, ""]] : [];
      });
    });
  };

  const ofClass = (number, site, search) => site.layers.toReversed().flatMap((layer) =>
    search.favourite[layer.key].flatMap((favourite, channel) =>
      (favourite === number ? [[layer, channel, ""]] : []))).slice(0, MOST / 2);

  const group = (title, nodes, kind) => nodes.length
    ? el("section", {}, el("h3", {}, title), el("div", { class: kind, "data-roving": true }, ...nodes))
    : null;
  const channelLinks = (found) => found.map(([layer, channel, name]) =>
    Atlas.channelLink(layer, channel, name ? ` ${name}` : ""));

  const find = async () => {
    const text = query.value.trim().toLowerCase();
    if (!text) { list.replaceChildren(...hint); return; }
    await load();
    if (text !== query.value.trim().toLowerCase()) return;
    const { site, images, search } = Atlas.data;
    const words = text.split(/\s+/);
    const layers = site.layers.filter((layer) => layer.name.toLowerCase().includes(text));
    const classes = site.classes.map((name, n) => [name, n])
      .filter(([name]) => name.toLowerCase().includes(text)).slice(0, MOST);
    const files = images.path.flatMap((path, i) => (path.toLowerCase().includes(text) ? [i] : []));
    const groups = [
      group("Layers", layers.slice(0, MOST).map((layer) =>
        el("a", { href: `${layer.key}.html` }, el("b", {}, layer.name), ` ${layer.channels} channels`)), "plain"),
      group("Channels", channelLinks(channelsOf(words, site, search)), "small-grid"),
      group("Classes", classes.map(([name, n]) => el("a", { href: `classes.html#${n}` }, el("b", {}, name))), "plain"),
      ...classes.slice(0, 1).map(([name, n]) =>
        group(`Most often ${name}`, channelLinks(ofClass(n, site, search)), "small-grid")),
      group(`Images (${files.length})`, files.slice(0, 2 * MOST).map((i) =>
        el("a", { href: `images.html#${images.row[i]}`, title: images.path[i] }, Atlas.whole(i, images.path[i]))), "strip"),
    ].filter(Boolean);
    list.replaceChildren(...(groups.length ? groups : [el("p", { class: "path" }, "Nothing fits.")]));
    for (const one of list.querySelectorAll("[data-roving]")) Atlas.rove(one);
    dialog.dataset.searched = text;
  };

  Atlas.openSearch = () => {
    if (dialog.open) return;
    dialog.showModal();
    query.select();
  };
  query.addEventListener("input", find);
  query.addEventListener("keydown", (event) => {
    if (event.key === "Escape") {
      // A search field would only be emptied.
      event.preventDefault();
      dialog.close();
    }
    if (event.key !== "ArrowDown" && event.key !== "Enter") return;
    event.preventDefault();
    const first = list.querySelector("a");
    if (event.key === "Enter") first?.click();
    else first?.focus();
  });
  list.addEventListener("click", (event) => {
    if (event.target.closest("a")) dialog.close();
  });
  document.querySelector("[data-search-button]").addEventListener("click", Atlas.openSearch);
  addEventListener("keydown", (event) => {
    if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target.closest("input, select, textarea")) return;
    event.preventDefault();
    Atlas.openSearch();
  });
}
