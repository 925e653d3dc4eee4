"use strict";
// The view of one class, at classes.html#number: the channels that prefer it, and its images.
{
  const { el } = Atlas;
  const one = document.querySelector("[data-one]");
  const all = document.querySelector("[data-all]");
  const { site, images, classes } = Atlas.data;
  const SHOWN_IMAGES = 24;

  const layerSection = (layer, rows) => el("section", {},
    el("h2", {}, layer.name),
    rows.length
      ? el("div", { class: "small-grid", "data-roving": true }, ...rows.map(([number, preference]) =>
        Atlas.channelLink(layer, number, preference.toFixed(2))))
      : el("p", { class: "path" }, "No channel prefers it."));

  const outcome = (number) => {
    const accuracy = classes.accuracy[number];
    if (accuracy === null) return [];
    const taken = images.confused.filter(([label]) => label === number).slice(0, 8);
    return [
      el("a", { href: `images.html#label=${number}&predicted=right` }, `${Atlas.percent(accuracy)} right`),
      ...taken.flatMap(([, predicted, count]) => [", ",
        el("a", { href: `images.html#label=${number}&predicted=${predicted}` }, `${count} taken for ${site.classes[predicted]}`)]),
    ];
  };

  const show = (number) => {
    if (!site.classes[number]) return overview();
    const own = images.label.flatMap((label, i) => (label === number ? [i] : [])).slice(0, SHOWN_IMAGES);
    one.replaceChildren(
      el("a", { class: "back", href: "#" }, "‹ all classes"),
      el("h1", { tabindex: "-1" }, site.classes[number]),
      el("p", { class: "path" }, `${classes.images[number]} validation images. A channel’s preference is (this class − the others) / (this class + the others), of the mean peaks: 1 where only this class excites it.`),
      el("div", { class: "strip", "data-roving": true }, ...own.map((i) =>
        el("a", { href: `images.html#${images.row[i]}` }, Atlas.whole(i, images.path[i])))),
      el("p", { class: "path" }, ...outcome(number)),
      ...[...site.layers].reverse().map((layer) => layerSection(layer, classes.best[layer.key][number] || [])));
    one.hidden = false;
    all.hidden = true;
    for (const list of one.querySelectorAll("[data-roving]")) Atlas.rove(list);
    document.title = `${site.classes[number]} · Feature atlas`;
    scrollTo(0, 0);
    one.querySelector("h1").focus({ preventScroll: true });
  };

  const overview = () => {
    one.hidden = true;
    all.hidden = false;
    document.title = "Classes · Feature atlas";
  };
  const follow = () => {
    const number = Atlas.place();
    if (number === null) overview();
    else show(number);
  };
  addEventListener("hashchange", follow);
  addEventListener("keydown", (event) => {
    if (event.key === "Escape" && !one.hidden) location.hash = "";
  });
  follow();
}
