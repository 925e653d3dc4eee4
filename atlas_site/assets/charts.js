"use strict";
// The histogram of peaks, its table, and the bars of classes in a channel's view.
{
  const { el, svg, short } = Atlas;
  const WIDTH = 320;
  const HEIGHT = 84;

  // The part of the axis that belongs to each band: what is nearer to its mean peak than to
  // another's. `bands` are [name, mean peak]; a part is wide enough to be hit.
  const parts = (bands, at) => {
    const order = [...bands].sort((a, b) => a[1] - b[1]);
    return order.map(([name, value], n) => {
      const left = n ? at((order[n - 1][1] + value) / 2) : 0;
      const right = n < order.length - 1 ? at((value + order[n + 1][1]) / 2) : WIDTH;
      const part = svg("rect", { class: "band", "data-band": name, x: left.toFixed(1), y: 0,
        width: Math.max(6, right - left).toFixed(1), height: HEIGHT });
      part.append(svg("title", {}, `images around a peak of ${short(value)}`));
      const line = svg("line", { class: "band-line", "data-band": name,
        x1: at(value).toFixed(1), x2: at(value).toFixed(1), y1: 0, y2: HEIGHT });
      return [part, line];
    }).flat();
  };

  Atlas.histogram = (edges, counts, activations, chosen, bands = []) => {
    const last = counts.findLastIndex((count) => count > 0);
    if (last < 0) return el("p", { class: "path" }, "No image makes it fire.");
    const low = edges[0];
    const high = Math.max(edges[last + 1], ...activations);
    const at = (value) => (WIDTH * (value - low)) / (high - low);
    const most = Math.log1p(Math.max(...counts));
    const bars = counts.slice(0, last + 1).map((count, bin) => {
      const height = (HEIGHT * Math.log1p(count)) / most;
      const x = at(edges[bin]);
      return svg("rect", {
        class: "bar", x: x.toFixed(1), y: (HEIGHT - height).toFixed(1),
        width: Math.max(0.5, at(edges[bin + 1]) - x - 0.5).toFixed(1), height: height.toFixed(1),
      });
    });
    const marks = activations.map((value, rank) => {
      const x = at(value).toFixed(1);
      const mark = svg("path", {
        class: rank === chosen ? "mark chosen" : "mark", "data-rank": rank,
        d: `M${x} ${HEIGHT + 2}l4.5 8h-9z`,
      });
      mark.append(svg("title", {}, `rank ${rank + 1}: ${short(value)}`));
      return mark;
    });
    const total = counts.reduce((sum, count) => sum + count, 0);
    return svg("svg", {
      class: "histogram", viewBox: `0 0 ${WIDTH} ${HEIGHT + 26}`, role: "img",
      "aria-label": `Peaks of ${total} images from ${short(low)} to ${short(high)}, logarithmic counts; the strongest are marked`,
    }, ...bars, ...parts(bands, at), svg("line", { x1: 0, x2: WIDTH, y1: HEIGHT, y2: HEIGHT }), ...marks,
    svg("text", { x: 0, y: HEIGHT + 24 }, short(low)),
    svg("text", { x: WIDTH, y: HEIGHT + 24, "text-anchor": "end" }, short(high)));
  };

  // The same numbers, a row per bin that holds images.
  Atlas.histogramTable = (edges, counts) => el("table", {},
    el("thead", {}, el("tr", {}, el("th", { scope: "col" }, "peak"), el("th", { scope: "col" }, "images"))),
    el("tbody", {}, ...counts.flatMap((count, bin) => count === 0 ? [] : [el("tr", {},
      el("th", { scope: "row" }, `${short(edges[bin])} to ${short(edges[bin + 1])}`), el("td", {}, `${count}`))])));

  Atlas.bars = (rows) => {
    const most = Math.max(...rows.map(([, mean]) => mean));
    const names = Atlas.data.site.classes;
    return el("ul", { class: "bars" }, ...rows.map(([number, mean]) => el("li", {},
      el("a", { href: `classes.html#${number}`, title: names[number] }, names[number]),
      svg("svg", { viewBox: "0 0 100 6", preserveAspectRatio: "none", "aria-hidden": "true" },
        svg("rect", { width: (100 * mean) / most, height: 6 })),
      el("span", {}, short(mean)))));
  };
}
