"use strict";
// The view of one image, at images.html#row: the channels that hold it, and where they look.
{
  const { el, short, percent, fileName } = Atlas;
  const one = document.querySelector("[data-one]");
  const all = document.querySelector("[data-all]");
  const { site, images } = Atlas.data;

  const holdings = (layer, position) =>
    Atlas.data[layer.key].channels.flatMap((channel, number) => {
      const rank = channel.image.indexOf(position);
      return rank < 0 ? [] : [{
        number, rank, activation: channel.activation[rank], corner: channel.corner[rank],
      }];
    }).sort((a, b) => a.rank - b.rank || a.number - b.number);

  const section = (layer, found, stage) => {
    const boxes = Atlas.boxes(found.map((f) => f.corner), layer.field);
    const rects = [...boxes.children];
    const links = found.map((f, place) => {
      const link = Atlas.channelLink(layer, f.number, `rank ${f.rank + 1} · ${short(f.activation)}`);
      const mark = () => {
        stage.querySelector("svg")?.remove();
        for (const rect of rects) rect.classList.remove("chosen");
        rects[place].classList.add("chosen");
        boxes.append(rects[place]);
        stage.append(boxes);
      };
      for (const event of ["mouseenter", "focus"]) link.addEventListener(event, mark);
      return link;
    });
    return el("section", {}, el("h2", {}, `${layer.name} · ${found.length} ${found.length === 1 ? "channel" : "channels"}`),
      el("div", { class: "small-grid" }, ...links));
  };

  const show = async (row) => {
    const position = images.row.indexOf(row);
    if (position < 0) return overview();
    await Promise.all(site.layers.map((layer) => Atlas.load(layer.key)));
    const label = images.label[position];
    const stage = el("div", { class: "stage" }, Atlas.whole(position, `${site.classes[label]}, ${images.path[position]}`));
    const found = [...site.layers].reverse()
      .map((layer) => [layer, holdings(layer, position)]).filter(([, list]) => list.length);
    if (found.length) stage.append(Atlas.boxes(found[0][1].map((f) => f.corner), found[0][0].field));
    const predicted = images.predicted[position];
    one.replaceChildren(
      el("div", { class: "sticky" },
        el("a", { class: "back", href: "#" }, "‹ all images"),
        el("figure", {}, stage),
        el("h1", { tabindex: "-1" }, fileName(images.path[position])),
        el("p", { class: "path" }, images.path[position], ` · row ${row}`),
        el("p", {}, "Class ", el("a", { href: `classes.html#${label}` }, site.classes[label]),
          predicted < 0 ? "" : `, predicted ${site.classes[predicted]} (${percent(images.probability[position])})`)),
      el("div", { class: "holders" }, ...found.map(([layer, list]) => section(layer, list, stage))));
    one.hidden = false;
    all.hidden = true;
    document.title = `${fileName(images.path[position])} · Feature atlas`;
    scrollTo(0, 0);
    one.querySelector("h1").focus({ preventScroll: true });
  };

  const overview = () => {
    one.hidden = true;
    all.hidden = false;
    document.title = "Images · Feature atlas";
  };
  const follow = () => {
    const row = Atlas.place();
    if (row === null) overview();
    else show(row);
  };
  addEventListener("hashchange", follow);
  addEventListener("keydown", (event) => {
    if (event.key === "Escape" && !one.hidden) location.hash = "";
  });
  follow();
}
