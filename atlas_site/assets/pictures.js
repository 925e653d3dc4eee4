"use strict";
// Pictures of sprites, as the templates show them, and the contrast of the projections.
{
  const { el, svg } = Atlas;

  const region = (kind, src, grid, place, px, alt) => {
    const [x, y] = grid.corners[place];
    return el("span", { class: `region ${kind}` }, el("img", {
      src, alt, class: `x${x} y${y}`, width: grid.columns * px, height: grid.rows * px,
      loading: "lazy", decoding: "async",
    }));
  };
  const kindOf = (layer, size, which) => `${size} ${which}${layer.pixelated ? " pixelated" : ""}`;

  Atlas.spriteOf = (layer, channel) => layer.sprite.replace("{}", channel);

  // A channel's block of thumbnails; `which` is "projections" or "crops".
  Atlas.thumb = (layer, channel, which, alt = "") => {
    const { side, thumbs } = Atlas.data.site;
    const perSheet = thumbs.corners.length / 2;
    const place = 2 * (channel % perSheet) + (which === "crops" ? 1 : 0);
    const src = layer.sheet.replace("{}", Math.floor(channel / perSheet));
    return region(kindOf(layer, "thumb", which), src, thumbs, place, side * layer.thumbPx, alt);
  };

  // A channel's block of large tiles.
  Atlas.large = (layer, channel, which, alt = "") => {
    const halves = { columns: 2, rows: 1, corners: [[0, 0], [1, 0]] };
    return region(kindOf(layer, "half", which), Atlas.spriteOf(layer, channel), halves,
      which === "crops" ? 1 : 0, Atlas.data.site.side * layer.spritePx, alt);
  };

  // The control of a channel's first ranks: the projection through the network at its start.
  Atlas.control = (layer, channel, rank, alt) => {
    const grid = layer.control;
    const perSheet = grid.corners.length / grid.ranks;
    const src = grid.src.replace("{}", Math.floor(channel / perSheet));
    return region(kindOf(layer, "control", "projections"), src, grid,
      (channel % perSheet) * grid.ranks + rank, layer.spritePx, alt);
  };

  // The patch of an example beyond the strongest, by its place among a channel's examples.
  Atlas.example = (layer, channel, place, alt) => {
    const grid = layer.examples;
    const src = grid.src.replace("{}", Math.floor(channel / grid.rows));
    return region(kindOf(layer, "example", "crops"), src, grid,
      (channel % grid.rows) * grid.columns + place, grid.px, alt);
  };

  // One large tile of a channel's sprite.
  Atlas.tile = (layer, channel, rank, which, alt) => {
    const { side, tiles } = Atlas.data.site;
    const place = rank + side * Math.floor(rank / side) + (which === "crops" ? side : 0);
    return region(kindOf(layer, "tile", which), Atlas.spriteOf(layer, channel), tiles, place,
      layer.spritePx, alt);
  };

  // A whole image, by its position among those shown.
  Atlas.whole = (position, alt) => {
    const grid = Atlas.data.site.images;
    const perSheet = grid.corners.length;
    const src = grid.src.replace("{}", Math.floor(position / perSheet));
    return region("image", src, grid, position % perSheet, grid.px, alt);
  };

  // A link to a channel with its two blocks and lines of text.
  Atlas.channelLink = (layer, channel, ...text) =>
    el("a", { href: `${layer.key}.html#${channel}` },
      el("span", { class: "pair" },
        Atlas.thumb(layer, channel, "projections"), Atlas.thumb(layer, channel, "crops")),
      el("b", {}, `${layer.name} ${channel}`), ...text);

  // A kernel as squares: light where it excites, dark where it inhibits, mid grey 0.
  Atlas.kernel = (columns, weights) => {
    const rows = weights.length / columns;
    return svg("svg", { class: "kernel", viewBox: `0 0 ${columns} ${rows}`, "aria-hidden": "true" },
      ...weights.map((weight, i) => {
        const level = Math.round(128 + (127 * weight) / 9);
        return svg("rect", { x: i % columns, y: Math.floor(i / columns), width: 1.02, height: 1.02,
          fill: `rgb(${level} ${level} ${level})` });
      }));
  };

  // The box of an entry as top, left, rows, columns: of its branch, where a layer joins some.
  Atlas.box = (layer, channel, rank) => [...channel.corner[rank], ...channel.size ?? layer.size];

  // Boxes as rectangles over a whole image; they may reach outside it.
  Atlas.boxes = (boxes) => {
    const side = Atlas.data.site.inputPx;
    return svg("svg", { viewBox: `0 0 ${side} ${side}`, "aria-hidden": "true" },
      ...boxes.map(([y, x, height, width]) => svg("rect", { class: "box", x, y, width, height })));
  };

  // The dashed frame of where most of an entry's projection's energy is; null where not known.
  Atlas.energyFrame = (channel, rank) => {
    const [top, left, bottom, right] = channel.energy[rank] ?? [0, 0, 0, 0];
    return bottom > top && right > left
      ? svg("rect", { class: "energy", x: left, y: top, width: right - left, height: bottom - top })
      : null;
  };

  // Contrast: a symmetric curve about mid grey whose slope at zero is 2^value; it never clips, and
  // 0 shows the pictures as they are.
  Atlas.setContrast = (value) => {
    const gain = 2 ** value;
    const table = Array.from({ length: 65 }, (_, i) => {
      const u = (i - 32) / 32;
      return (0.5 + (0.5 * u * gain) / (1 + (gain - 1) * Math.abs(u))).toFixed(4);
    }).join(" ");
    for (const part of document.querySelectorAll("#tone feComponentTransfer > *")) {
      part.setAttribute("tableValues", table);
    }
    document.documentElement.toggleAttribute("data-toned", value !== 0);
    for (const input of document.querySelectorAll("[name=contrast], [data-contrast]")) {
      input.value = value;
    }
    Atlas.setPreference("gain", value);
  };
  Atlas.contrast = () => Number(Atlas.preference("gain") ?? 0);
  if (Atlas.contrast() !== 0) Atlas.setContrast(Atlas.contrast());
}
