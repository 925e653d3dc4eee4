"use strict";
// The view of one image, at images.html#row: the channels that hold it, and where they look.
{
  const { el, short, percent, fileName } = Atlas;
  const one = document.querySelector("[data-one]");
  const all = document.querySelector("[data-all]");
  const { site, images } = Atlas.data;

  const holdings = async (layer, position) => {
    const { columns } = await Atlas.load(layer.key);
    const held = columns.image.flatMap((entries, number) => {
      const rank = entries.indexOf(position);
      return rank < 0 ? [] : [[number, rank]];
    }).sort(([a, rankA], [b, rankB]) => rankA - rankB || a - b);
    return Promise.all(held.map(async ([number, rank]) => {
      const channel = await Atlas.loadChannel(layer, number);
      return {
        number, rank, activation: channel.activation[rank],
        box: Atlas.box(layer, channel, rank), energy: Atlas.energyFrame(channel, rank),
      };
    }));
  };

  const section = (layer, found, stage) => {
    const boxes = Atlas.boxes(found.map((f) => f.box));
    const rects = [...boxes.children];
    const links = found.map((f, place) => {
      const link = Atlas.channelLink(layer, f.number, `rank ${f.rank + 1} · ${short(f.activation)}`);
      const mark = () => {
        stage.querySelector("svg")?.remove();
        for (const rect of rects) rect.classList.remove("chosen");
        rects[place].classList.add("chosen");
        boxes.querySelector(".energy")?.remove();
        boxes.append(rects[place], ...[f.energy].filter(Boolean));
        stage.append(boxes);
      };
      for (const event of ["mouseenter", "focus"]) link.addEventListener(event, mark);
      return link;
    });
    return el("section", {}, el("h2", {}, `${layer.name} · ${found.length} ${found.length === 1 ? "channel" : "channels"}`),
      el("div", { class: "small-grid", "data-roving": true }, ...links));
  };

  const show = async (row) => {
    const position = images.row.indexOf(row);
    if (position < 0) return overview();
    const held = await Promise.all(site.layers.map((layer) => holdings(layer, position)));
    if (Atlas.place() !== row) return;
    const label = images.label[position];
    const stage = el("div", { class: "stage" }, Atlas.whole(position, `${Atlas.className(label)}, ${images.path[position]}`));
    const found = site.layers.map((layer, place) => [layer, held[place]])
      .filter(([, list]) => list.length).reverse();
    if (found.length) stage.append(Atlas.boxes(found[0][1].map((f) => f.box)));
    const predicted = images.predicted[position];
    one.replaceChildren(
      el("div", { class: "sticky" },
        el("a", { class: "back", href: "#" }, "‹ all images"),
        el("figure", {}, stage),
        el("h1", { tabindex: "-1" }, fileName(images.path[position])),
        el("p", { class: "path" }, images.path[position], ` · row ${row}`),
        el("p", {}, ...(label < 0 ? ["No class"] : ["Class ", Atlas.classLink(label)]),
          predicted < 0 ? "" : `, predicted ${site.classes[predicted]} (${percent(images.probability[position])})`)),
      el("div", { class: "holders" }, ...(found.length
        ? found.map(([layer, list]) => section(layer, list, stage))
        : [el("p", { class: "path" }, "Held by no channel: it is among no channel’s strongest images.")])));
    one.hidden = false;
    all.hidden = true;
    for (const list of one.querySelectorAll("[data-roving]")) Atlas.rove(list);
    document.title = `${fileName(images.path[position])} · Feature atlas`;
    scrollTo(0, 0);
    one.querySelector("h1").focus({ preventScroll: true });
  };

  // Filters, kept in the address: images.html#label=3&predicted=wrong&confidence=90-100
  const form = document.querySelector("[data-controls]");
  const gallery = document.querySelector(".gallery");
  const items = [...gallery.children];
  const fields = () => [...form.elements].filter((field) => field.name);
  const fits = (i, { label, predicted, confidence }) => {
    if (label && images.label[i] !== Number(label)) return false;
    if (confidence) {
      const [least, below] = confidence.split("-").map(Number);
      const percent = 100 * images.probability[i];
      if (images.predicted[i] < 0 || percent < least || (percent >= below && below < 100)) return false;
    }
    if (!predicted) return true;
    const right = images.predicted[i] === images.label[i];
    if (predicted === "right" || predicted === "wrong") return Math.min(images.predicted[i], images.label[i]) >= 0 && right === (predicted === "right");
    return images.predicted[i] === Number(predicted);
  };
  // How many validation images a filter by class and outcome fits; null where that is not known.
  const validationImages = ({ label, predicted, confidence }) => {
    if (confidence) return null;
    if (!label && !predicted) return site.validationImages;
    if (!images.right.length) return null;
    const fitting = ([of, as]) => (!label || of === Number(label)) && (!predicted
      || (predicted === "wrong" ? of !== as : predicted === "right" ? of === as : as === Number(predicted)));
    const cells = [...images.confused, ...images.right.map((count, n) => [n, n, count])];
    return cells.filter(fitting).reduce((sum, [, , count]) => sum + count, 0);
  };
  const arrange = () => {
    const wanted = Object.fromEntries(fields().map((field) => [field.name, field.value]));
    const sign = { sure: -1, unsure: 1 }[wanted.sort] ?? 0;
    const order = items.map((_, i) => i)
      .sort((a, b) => sign * (images.probability[a] - images.probability[b]) || a - b);
    let shown = 0;
    for (const i of order) {
      items[i].hidden = !fits(i, wanted);
      shown += items[i].hidden ? 0 : 1;
    }
    gallery.append(...order.map((i) => items[i]));
    const every = validationImages(wanted);
    document.querySelector("[data-count]").value =
      every === null ? `${shown} of ${items.length} images` : `${shown} of ${every} images shown`;
    Atlas.rove(gallery);
  };
  const readFilters = () => {
    const given = new URLSearchParams(location.hash.slice(1));
    for (const field of fields()) {
      const value = given.get(field.name) ?? "";
      const known = [...field.options].some((option) => option.value === value);
      if (known) field.value = value;
      else field.selectedIndex = 0;
    }
    arrange();
  };
  form.addEventListener("input", () => {
    const set = fields().filter((field) => field.selectedIndex > 0).map((field) => [field.name, field.value]);
    history.replaceState(null, "", `#${new URLSearchParams(set)}`);
    arrange();
  });

  const overview = () => {
    one.hidden = true;
    all.hidden = false;
    document.title = "Images · Feature atlas";
    readFilters();
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
