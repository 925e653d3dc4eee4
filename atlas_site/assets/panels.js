"use strict";
// The folded panels of a channel's view: connections, control, name. Each fills when it is open.
{
  const { el, short } = Atlas;
  const dialog = document.querySelector("[data-channel]");
  const part = (name) => dialog.querySelector(`[data-${name}]`);
  const { site } = Atlas.data;
  let current = null;

  const connection = ([where, number, strength, columns, weights, via]) => {
    const other = site.layers[where];
    const here = other.key === current.layer.key;
    return el("a", { href: `${here ? "" : `${other.key}.html`}#${number}` },
      Atlas.thumb(other, number, "projections"), Atlas.kernel(columns, weights),
      el("b", {}, `${other.name} ${number}`),
      el("span", {}, `${strength < 0 ? "inhibits" : "excites"} ${short(Math.abs(strength))}`),
      via < 0 ? "" : el("span", {}, `through ${site.layers[via].name}`));
  };
  const connections = (title, rows) => rows?.length
    ? [el("h4", {}, title), el("div", { class: "related", "data-roving": true }, ...rows.map(connection))]
    : [];

  const WEIGHTS_ALONE = "The weights alone: the length of the kernel times the mean peak of the channel below. Light weights excite, dark ones inhibit, mid grey is 0.";
  const NAMED = 6;
  const notScanned = (names) => names.length
    ? `${names.slice(0, NAMED).join(", ")}${names.length > NAMED ? ` and ${names.length - NAMED} more` : ""} ${names.length > 1 ? "feed" : "feeds"} it, but ${names.length > 1 ? "were" : "was"} not scanned.`
    : "";

  const fill = {
    examples: ({ layer, number }) => Atlas.showExamples(layer, number),
    weights: async ({ layer, number }, body) => {
      const found = await Atlas.load(`weights/${layer.key}`);
      if (current?.number !== number) return;
      const nodes = [
        ...connections("Strongest from the layers below", found.incoming[number]),
        ...connections("Strongest to the layers above", found.outgoing[number]),
      ];
      const paths = [
        ...connections("Two layers below", found.twoBelow[number]),
        ...connections("Two layers above", found.twoAbove[number]),
        ...found.skipped.map((path) => el("p", { class: "path" }, `${path}: too many products to compute.`)),
      ];
      if (paths.length) nodes.push(el("details", {}, el("summary", {}, "Through one layer between"), ...paths));
      if (nodes.length) nodes.push(el("p", { class: "path" }, WEIGHTS_ALONE));
      const unscanned = notScanned(found.unscanned);
      if (unscanned || !nodes.length) nodes.push(el("p", { class: "path" }, unscanned || "No neighbouring layer was scanned."));
      body.replaceChildren(...nodes);
      for (const list of body.querySelectorAll("[data-roving]")) Atlas.rove(list);
    },
    control: async ({ layer, number, channel }, body) => {
      const { ranks, correlation } = layer.control;
      const shown = channel.image.slice(0, ranks).map((_, rank) => el("figure", { class: "control-pair" },
        el("span", { class: "pair" },
          Atlas.tile(layer, number, rank, "projections", `Trained, rank ${rank + 1}`),
          Atlas.control(layer, number, rank, `At the start, rank ${rank + 1}`)),
        el("figcaption", {}, `rank ${rank + 1}: trained, at the start`)));
      body.replaceChildren(...shown, el("p", { class: "path" },
        "The same unit of the same image, projected through the network before it had learnt anything. What both show is the image’s own structure, not what the channel learnt.",
        ` Mean |correlation| in ${layer.name}: ${correlation === null ? "not known" : correlation.toFixed(2)}.`));
    },
    related: async () => {},
    name: async ({ layer, number }) => {
      const { names } = await Atlas.load("search");
      const [name, note, family] = Atlas.nameOf(layer.key, number, names);
      Object.assign(part("naming").elements.name, { value: name });
      Object.assign(part("naming").elements.note, { value: note });
      Object.assign(part("naming").elements.family, { value: family });
    },
  };

  const panels = [...dialog.querySelectorAll("[data-panel]")];
  const update = (panel) => {
    if (panel.open && current) fill[panel.dataset.panel](current, panel.lastElementChild);
  };
  for (const panel of panels) {
    const kept = Atlas.preference(`panel-${panel.dataset.panel}`);
    if (kept) panel.open = kept === "open";
    panel.addEventListener("toggle", () => {
      Atlas.setPreference(`panel-${panel.dataset.panel}`, panel.open ? "open" : "closed");
      update(panel);
    });
  }

  // Show a channel in every open panel.
  Atlas.showPanels = (layer, number, channel) => {
    current = { layer, number, channel };
    dialog.querySelector("[data-panel=control]").hidden = !layer.control;
    dialog.querySelector("[data-panel=examples]").hidden = !layer.examples;
    for (const panel of panels) update(panel);
    showAdded();
  };

  part("naming").addEventListener("input", () => {
    const { name, note, family } = part("naming").elements;
    Atlas.setName(current.layer.key, current.number, [name.value, note.value, family.value]);
  });
  part("naming").addEventListener("submit", (event) => event.preventDefault());
  part("export").addEventListener("click", async () => {
    const { names } = await Atlas.load("search");
    Atlas.download("names.csv", new Blob([Atlas.namesCsv(names, site.layers)], { type: "text/csv" }));
  });

  const listed = () => Atlas.parseList(Atlas.draftList());
  const isListed = () => listed().some(([key, n]) => key === current.layer.key && n === current.number);
  const showAdded = () => {
    part("add").setAttribute("aria-pressed", String(isListed()));
    part("add").textContent = isListed() ? "In the list" : "Add to list";
  };
  part("add").addEventListener("click", () => {
    const rest = listed().filter(([key, n]) => key !== current.layer.key || n !== current.number);
    if (isListed()) Atlas.setDraftList(rest);
    else if (rest.length >= Atlas.LIST_MOST) Atlas.say(`A list holds ${Atlas.LIST_MOST} channels.`);
    else Atlas.setDraftList([...rest, [current.layer.key, current.number]]);
    showAdded();
  });
}
