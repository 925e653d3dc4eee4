"use strict";
// Pictures cut out of sheets, as the templates do it, and the tone of the projections.
{
  const { el, svg } = Atlas;

  const cut = (kind, src, x, y, alt, columns, rows, px) =>
    el("span", { class: `cut ${kind}` }, el("img", {
      src, alt, class: `x${x} y${y}`, width: columns * px, height: rows * px,
      loading: "lazy", decoding: "async",
    }));

  // A channel's block of thumbnails; `which` is "projections" or "crops".
  Atlas.thumb = (layer, channel, which, alt = "") => {
    const { side, channelSheet: grid } = Atlas.data.site;
    const place = channel % (grid.columns * grid.rows);
    const sheet = Math.floor(channel / (grid.columns * grid.rows));
    const x = 2 * (place % grid.columns) + (which === "crops" ? 1 : 0);
    const kind = `thumb ${which}${layer.pixelated ? " pixelated" : ""}`;
    return cut(kind, `tiles/${layer.name}/sheet-${sheet}.webp`, x, Math.floor(place / grid.columns),
      alt, 2 * grid.columns, grid.rows, side * layer.thumbPx);
  };

  // One large tile of a channel's sprite.
  Atlas.tile = (layer, channel, rank, which, alt) => {
    const { side } = Atlas.data.site;
    const x = (rank % side) + (which === "crops" ? side : 0);
    const kind = `tile ${which}${layer.pixelated ? " pixelated" : ""}`;
    return cut(kind, `tiles/${layer.name}/${channel}.webp`, x, Math.floor(rank / side),
      alt, 2 * side, side, layer.spritePx);
  };

  // A whole image, by its position among those shown.
  Atlas.whole = (position, alt) => {
    const grid = Atlas.data.site.imageSheet;
    const place = position % (grid.columns * grid.rows);
    const sheet = Math.floor(position / (grid.columns * grid.rows));
    return cut("image", `images/${sheet}.webp`, place % grid.columns,
      Math.floor(place / grid.columns), alt, grid.columns, grid.rows, grid.px);
  };

  // A link to a channel with its two blocks and lines of text.
  Atlas.channelLink = (layer, channel, ...text) =>
    el("a", { href: `${layer.name}.html#${channel}` },
      el("span", { class: "pair" },
        Atlas.thumb(layer, channel, "projections"), Atlas.thumb(layer, channel, "crops")),
      el("b", {}, `${layer.name} ${channel}`), ...text);

  // Fields as rectangles over a whole image; they may reach outside it.
  Atlas.boxes = (corners, field) => {
    const side = Atlas.data.site.inputPx;
    return svg("svg", { viewBox: `0 0 ${side} ${side}`, "aria-hidden": "true" },
      ...corners.map(([top, left]) =>
        svg("rect", { class: "box", x: left, y: top, width: field, height: field })));
  };

  // Contrast: a symmetric curve about mid grey whose slope at zero is 2^value; it never clips.
  Atlas.setTone = (value) => {
    const gain = 2 ** value;
    const table = Array.from({ length: 65 }, (_, i) => {
      const u = (i - 32) / 32;
      return (0.5 + (0.5 * u * gain) / (1 + (gain - 1) * Math.abs(u))).toFixed(4);
    }).join(" ");
    for (const part of document.querySelectorAll("#tone feComponentTransfer > *")) {
      part.setAttribute("tableValues", table);
    }
    document.documentElement.toggleAttribute("data-toned", value > 0);
    for (const input of document.querySelectorAll("[name=contrast], [data-contrast]")) {
      input.value = value;
    }
    Atlas.keep("contrast", value);
  };
  Atlas.tone = () => Number(Atlas.kept("contrast") ?? 1);
  if (Atlas.tone() !== 1) Atlas.setTone(Atlas.tone());
}
