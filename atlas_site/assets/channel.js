"use strict";
// The view of one channel, at layer.html#number.
{
  const { el, short, percent, fileName } = Atlas;
  const dialog = document.querySelector("[data-channel]");
  const part = (name) => dialog.querySelector(`[data-${name}]`);
  const key = document.querySelector("[data-grid]").dataset.layer;
  const { edges } = Atlas.data[key];
  const { site } = Atlas.data;
  const layer = site.layers.find((one) => one.key === key);
  let open = null;
  let channel = null; // what is shown: the open one, once its data is there
  let chosen = 0;

  const says = (i) => {
    const { predicted, label, probability } = Atlas.data.images;
    if (predicted[i] < 0) return null;
    const wrong = label[i] >= 0 && predicted[i] !== label[i];
    return el("dd", { class: wrong ? "says wrong" : "says" },
      `predicted ${site.classes[predicted[i]]}, ${percent(probability[i])}`);
  };

  const entry = (number, rank) => {
    const { label, path, row } = Atlas.data.images;
    const i = channel.image[rank];
    const title = `${Atlas.className(label[i])}, rank ${rank + 1}`;
    const button = el("button", { type: "button", "aria-pressed": "false", "data-rank": rank },
      el("span", { class: "pair" },
        Atlas.tile(layer, number, rank, "projections", `Projection: ${title}`),
        Atlas.tile(layer, number, rank, "crops", `Crop: ${title}`)));
    button.addEventListener("click", () => choose(rank));
    return el("li", { class: "entry" }, button, el("dl", {},
      el("dt", { class: "rank" }, `${rank + 1}`),
      el("dd", { class: "class" }, Atlas.classLink(label[i])),
      el("dd", { class: "activation", title: "activation" }, short(channel.activation[rank])),
      says(i),
      el("dd", { class: "file" }, el("a", { href: `images.html#${row[i]}`, title: path[i] }, fileName(path[i])),
        ` · signal up to ${short(channel.scale[rank])}`)));
  };

  const choose = (rank) => {
    chosen = rank;
    for (const button of part("entries").querySelectorAll("button")) {
      button.setAttribute("aria-pressed", String(Number(button.dataset.rank) === rank));
    }
    const { label, path, row } = Atlas.data.images;
    const i = channel.image[rank];
    const [top, left, rows, columns] = Atlas.box(layer, channel, rank);
    const [cellRow, cellCol] = channel.cell[rank];
    const out = Math.min(top, left) < 0 || Math.max(top + rows, left + columns) > site.inputPx;
    part("stage").replaceChildren(
      Atlas.whole(i, `${Atlas.className(label[i])}, the whole image with the field’s box`),
      boxes(rank));
    Atlas.showFiring(layer, channel.number, channel, rank);
    part("whole").replaceChildren(
      el("a", { href: `images.html#${row[i]}` }, fileName(path[i])),
      ` · rank ${rank + 1} · cell ${cellRow}, ${cellCol} · box ${top}, ${left} to ${top + rows}, ${left + columns}`,
      out ? " (reaches outside the image)" : "");
    for (const mark of dialog.querySelectorAll(".mark")) {
      mark.classList.toggle("chosen", Number(mark.dataset.rank) === rank);
    }
  };

  // The field, and inside it dashed where most of the projection's energy is.
  const boxes = (rank) => {
    const box = Atlas.box(layer, channel, rank);
    const drawn = Atlas.boxes([box]);
    drawn.prepend(Atlas.shade(box));
    drawn.append(...[Atlas.energyFrame(channel, rank)].filter(Boolean));
    return drawn;
  };

  Atlas.chooseAgain = () => choose(chosen);

  const related = (rows) => rows.length
    ? rows.map(([where, number, shared]) => {
      const other = site.layers[where];
      return el("a", { href: other.key === key ? `#${number}` : `${other.key}.html#${number}` },
        Atlas.thumb(other, number, "projections"),
        el("b", {}, `${other.name} ${number}`), `${shared} shared`);
    })
    : [el("p", { class: "path" }, "No channel shares two or more images with it.")];

  const ofLayer = (rows, what, none) => rows.length
    ? rows.map(([number, value]) => el("a", { href: `#${number}` },
      Atlas.thumb(layer, number, "projections"), el("b", {}, `${layer.name} ${number}`),
      `${what} ${value.toFixed(2)}`))
    : [el("p", { class: "path" }, none)];

  // The histogram, with the bands of the examples where these are known.
  Atlas.drawHistogram = (bands = []) => {
    part("histogram").replaceChildren(
      Atlas.histogram(edges, channel.histogram, channel.activation, chosen, bands));
    part("histogram-table").replaceChildren(Atlas.histogramTable(edges, channel.histogram));
  };

  const numbers = () => [
    ["peak", short(channel.peak)],
    ["fires on", percent(channel.fired / site.validationImages)],
    ["selectivity", channel.selectivity.toFixed(2)],
    ["effective classes", channel.effective.toFixed(1)],
    ...(channel.start === null ? [] : [["cosine with its start", channel.start.toFixed(2)]]),
  ].map(([what, value]) => el("span", {}, `${what} `, el("b", {}, value)));

  // What the score of the patches is, in one line.
  const alike = () => {
    const before = { 0: "the pixels", 1: layer.before[0] }[layer.before.length] ?? "the layers before";
    return ["Patch similarity ", el("b", {}, channel.patches.toFixed(2)),
      `: the mean cosine of ${before} under each pair of these patches, place by place; 1 is equal.`];
  };

  const show = async (number) => {
    if (number >= layer.channels) return;
    open = number;
    const [found] = await Promise.all(
      [Atlas.loadChannel(layer, number), Atlas.load("images"), Atlas.load("search")]);
    if (open !== number) return;
    channel = found;
    const dead = channel.image.length === 0;
    part("layer-name").textContent = layer.name;
    part("number").textContent = number;
    showName();
    document.title = `${layer.name} ${number} · Feature atlas`;
    part("numbers").replaceChildren(...(dead ? ["dead"] : numbers()));
    part("entries").replaceChildren(...channel.image.map((_, rank) => entry(number, rank)));
    part("dead").hidden = !dead;
    part("patches").hidden = channel.patches === null;
    part("patches").replaceChildren(...(channel.patches === null ? [] : alike()));
    chosen = 0;
    part("side").hidden = dead;
    part("beyond").hidden = dead;
    Atlas.drawHistogram();
    Atlas.showPanels(layer, number, channel);
    if (!dead) {
      part("classes").replaceChildren(channel.classes.length ? Atlas.bars(channel.classes)
        : el("p", { class: "path" }, "No image of a class that the network scores makes it fire."));
      part("related").replaceChildren(...related(channel.related));
      part("similar").replaceChildren(...ofLayer(channel.similar, "distance", "No other channel of the layer is alive."));
      part("alike").replaceChildren(...ofLayer(channel.alike, "cosine", "No other channel’s filters are like its own, of what scanned layers feed it."));
      for (const list of dialog.querySelectorAll(".related")) Atlas.rove(list);
      choose(0);
    }
    if (!dialog.open) dialog.showModal();
    dialog.querySelector(".channel-body").scrollTop = 0;
    document.querySelector("#channel-title").focus({ preventScroll: true });
  };

  const showName = () => {
    if (open === null) return;
    part("given").textContent = Atlas.nameOf(key, open, Atlas.data.search.names)[0];
  };
  addEventListener("named", showName);

  const go = (number) => location.replace(`#${number}`);
  const step = (by) => {
    // The address, not what is drawn: keys may come faster than channels open.
    const now = Atlas.place() ?? open;
    const order = Atlas.shown.includes(now) ? Atlas.shown : Array.from({ length: layer.channels }, (_, n) => n);
    go(order[(order.indexOf(now) + by + order.length) % order.length]);
  };
  const embedded = "embed" in document.documentElement.dataset;
  const close = () => { if (dialog.open && !embedded) dialog.close(); };

  if (embedded) dialog.addEventListener("cancel", (event) => event.preventDefault());
  dialog.addEventListener("close", () => {
    const link = document.getElementById(open)?.firstElementChild;
    open = null;
    document.title = `${layer.name} · Feature atlas`;
    if (Atlas.place() !== null) history.replaceState(null, "", location.href.split("#")[0]);
    link?.focus();
  });

  const copy = () => Atlas.copy(location.href, "Link copied");

  Atlas.channel = {
    isOpen: () => dialog.open,
    step,
    close,
    copy,
    random: () => go(Atlas.random()),
    move: (by) => {
      const count = channel.image.length;
      if (count) choose((chosen + by + count) % count);
    },
  };

  part("previous").addEventListener("click", () => step(-1));
  part("next").addEventListener("click", () => step(1));
  part("close").addEventListener("click", close);
  part("copy").addEventListener("click", copy);
  part("save").addEventListener("click", () => Atlas.savePicture(layer, channel.number, channel));
  part("markdown").addEventListener("click", () =>
    Atlas.copy(Atlas.channelMarkdown(layer, channel.number, channel), "Markdown copied"));
  part("contrast").addEventListener("input", ({ target }) => Atlas.setContrast(Number(target.value)));
  for (const button of document.querySelectorAll("[data-random]")) {
    button.addEventListener("click", Atlas.channel.random);
  }
  const follow = () => {
    const number = Atlas.place();
    if (number === null) close();
    else show(number);
  };
  addEventListener("hashchange", follow);
  follow();
}
