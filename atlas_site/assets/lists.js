"use strict";
// A list of channels, held by the address alone: channels.html#key:number,key:number
{
  const { el } = Atlas;
  const { site, search } = Atlas.data;
  const section = document.querySelector("[data-list]");
  const all = document.querySelector("[data-all]");
  const link = document.querySelector("[data-list-link]");
  const listed = document.querySelector("[data-listed]");

  const known = (places) => places
    .map(([key, number]) => [site.layers.find((layer) => layer.key === key), number])
    .filter(([layer, number]) => layer && number < layer.channels);

  const card = ([layer, number]) => {
    const favourite = search.favourite[layer.key][number];
    const [name, note] = Atlas.nameOf(layer.key, number, search.names);
    return el("li", {}, el("a", { href: `${layer.key}.html#${number}` },
      el("span", { class: "pair" }, Atlas.large(layer, number, "projections"), Atlas.large(layer, number, "crops")),
      el("span", { class: "label" }, el("b", {}, `${layer.name} ${number}`),
        el("i", {}, name || (favourite < 0 ? "" : site.classes[favourite])))),
    note ? el("p", { class: "path" }, note) : "");
  };

  const show = () => {
    const places = Atlas.parseList(decodeURIComponent(location.hash.slice(1)));
    const channels = known(places);
    section.hidden = places.length === 0;
    all.hidden = places.length > 0;
    const draft = Atlas.draftList();
    link.href = `#${draft}`;
    document.querySelector("[data-list-size]").textContent =
      `${Atlas.parseList(draft).length} of at most ${Atlas.LIST_MOST}; add channels in their views`;
    if (!places.length) return;
    document.querySelector("[data-list-count]").textContent =
      `${channels.length} ${channels.length === 1 ? "channel" : "channels"}; the address holds the list`;
    listed.replaceChildren(...channels.map(card));
    Atlas.rove(listed);
    document.querySelector("#list-title").focus({ preventScroll: true });
  };

  const markdown = () => known(Atlas.parseList(decodeURIComponent(location.hash.slice(1))))
    .map(([layer, number]) => `- ${Atlas.markdownLink(layer, number)}`).join("\n");
  document.querySelector("[data-list-copy]").addEventListener("click", () => Atlas.copy(location.href, "Link copied"));
  document.querySelector("[data-list-markdown]").addEventListener("click", () => Atlas.copy(markdown(), "Markdown copied"));
  document.querySelector("[data-list-clear]").addEventListener("click", () => {
    Atlas.setDraftList([]);
    location.hash = "";
  });
  addEventListener("hashchange", show);
  show();
}
