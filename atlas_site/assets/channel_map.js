"use strict";
// The map of all channels: thumbnails in a canvas that pans and zooms; a click opens a channel.
{
  const box = document.querySelector("[data-map]");
  const canvas = box.querySelector("[data-canvas]");
  const pen = canvas.getContext("2d");
  const label = box.querySelector("[data-map-label]");
  const only = box.querySelector("[data-map-layer]");
  const tools = box.querySelector(".map-tools");
  const { site, map, search } = Atlas.data;
  const perSheet = site.thumbs.corners.length / 2;
  const THUMB = 22;
  const READABLE = 90;
  const MOST = 60;
  const STRETCH = 1.8;
  const view = { x: 0, y: 0, zoom: 1 };
  const sheets = new Map();
  let pending = false;
  let hovered = -1;

  const sheetOf = (layer, number) => {
    const src = layer.sheet.replace("{}", Math.floor(number / perSheet));
    if (!sheets.has(src)) {
      const image = new Image();
      image.onload = () => redraw();
      image.src = src;
      sheets.set(src, image);
    }
    return sheets.get(src);
  };
  // What the tools leave of the canvas. Distances mean little, so the map is drawn out along the
  // longer side to fill it.
  const middle = () => [canvas.width / 2, (canvas.height - tools.clientHeight * devicePixelRatio) / 2];
  const scales = () => {
    const fitting = middle().map((half) => (2 * half) / (map.side * 1.08));
    const least = Math.min(...fitting);
    return fitting.map((one) => Math.min(one, STRETCH * least) * view.zoom);
  };
  // Where places are drawn now: the page is measured once for all of them.
  const placing = () => {
    const [left, top] = middle();
    const [across, down] = scales();
    return ([, , x, y]) => [left + (x - map.side / 2 + view.x) * across, top + (y - map.side / 2 + view.y) * down];
  };
  const size = () => THUMB * Math.min(...scales());
  const shown = (place) => only.value === "" || Number(only.value) === place[0];

  const draw = () => {
    pending = false;
    const side = size();
    const placed = placing();
    pen.clearRect(0, 0, canvas.width, canvas.height);
    pen.imageSmoothingQuality = "low";
    map.places.forEach((place, i) => {
      if (!shown(place)) return;
      const [x, y] = placed(place);
      if (x < -side || y < -side || x > canvas.width + side || y > canvas.height + side) return;
      const layer = site.layers[place[0]];
      const sheet = sheetOf(layer, place[1]);
      // Crops while small: a projection is a grey square until it is large enough to be read.
      const crops = side < READABLE * devicePixelRatio ? 1 : 0;
      const [column, row] = site.thumbs.corners[2 * (place[1] % perSheet) + crops];
      const px = site.side * layer.thumbPx;
      if (sheet.complete && sheet.naturalWidth) pen.drawImage(sheet, column * px, row * px, px, px, x - side / 2, y - side / 2, side, side);
      if (i === hovered) {
        pen.strokeStyle = getComputedStyle(canvas).color;
        pen.lineWidth = 3 * devicePixelRatio;
        pen.strokeRect(x - side / 2, y - side / 2, side, side);
      }
    });
    pen.font = `600 ${13 * devicePixelRatio}px sans-serif`;
    pen.textAlign = "center";
    pen.lineWidth = 4 * devicePixelRatio;
    pen.lineJoin = "round";
    for (const [number, ...place] of only.value === "" ? map.labels : map.layerLabels[only.value]) {
      const [x, y] = placed([0, 0, ...place]);
      if (x < 0 || x > canvas.width) continue;
      pen.strokeStyle = "#000b";
      pen.fillStyle = "#fff";
      const text = site.classes[number].slice(0, 40);
      const half = pen.measureText(text).width / 2;
      const within = Math.max(half, Math.min(canvas.width - half, x));
      pen.strokeText(text, within, y - side * 0.6);
      pen.fillText(text, within, y - side * 0.6);
    }
  };
  const redraw = () => {
    if (pending) return;
    pending = true;
    requestAnimationFrame(draw);
  };
  const fit = () => {
    const { width, height } = canvas.getBoundingClientRect();
    canvas.width = Math.round(width * devicePixelRatio);
    canvas.height = Math.round(height * devicePixelRatio);
    redraw();
  };

  const at = (event) => {
    const edge = canvas.getBoundingClientRect();
    return [(event.clientX - edge.left) * devicePixelRatio, (event.clientY - edge.top) * devicePixelRatio];
  };
  const find = (event) => {
    const [x, y] = at(event);
    const half = size() / 2;
    const placed = placing();
    return map.places.findLastIndex((place) => {
      const [left, top] = placed(place);
      return shown(place) && Math.abs(left - x) <= half && Math.abs(top - y) <= half;
    });
  };
  const nameOf = ([where, number]) => {
    const layer = site.layers[where];
    const [name] = Atlas.nameOf(layer.key, number, search.names);
    return `${layer.name} ${number} · ${name || site.classes[search.favourite[layer.key][number]]}`;
  };
  const hover = (i) => {
    if (i === hovered) return;
    hovered = i;
    label.textContent = i < 0 ? "Drag to move, scroll to zoom, click a channel." : nameOf(map.places[i]);
    redraw();
  };
  const zoomAt = (x, y, by) => {
    const zoom = Math.min(MOST, Math.max(0.8, view.zoom * by));
    const [left, top] = middle();
    const [across, down] = scales();
    const [offsetX, offsetY] = [(x - left) / across, (y - top) / down];
    view.x -= offsetX * (1 - view.zoom / zoom);
    view.y -= offsetY * (1 - view.zoom / zoom);
    view.zoom = zoom;
    redraw();
  };
  const pan = (x, y) => {
    const [across, down] = scales();
    view.x += x / across;
    view.y += y / down;
    redraw();
  };

  const held = new Map();
  let moved = 0;
  canvas.addEventListener("pointerdown", (event) => {
    canvas.setPointerCapture(event.pointerId);
    held.set(event.pointerId, at(event));
    moved = 0;
  });
  canvas.addEventListener("pointermove", (event) => {
    if (!held.has(event.pointerId)) { hover(find(event)); return; }
    const before = held.get(event.pointerId);
    const now = at(event);
    const others = [...held].filter(([id]) => id !== event.pointerId).map(([, place]) => place);
    if (others.length) {
      const apart = (place) => Math.hypot(place[0] - others[0][0], place[1] - others[0][1]) || 1;
      zoomAt((now[0] + others[0][0]) / 2, (now[1] + others[0][1]) / 2, apart(now) / apart(before));
    } else {
      pan(now[0] - before[0], now[1] - before[1]);
    }
    moved += Math.hypot(now[0] - before[0], now[1] - before[1]);
    held.set(event.pointerId, now);
  });
  const release = (event) => { held.delete(event.pointerId); };
  canvas.addEventListener("pointerup", release);
  canvas.addEventListener("pointercancel", release);
  canvas.addEventListener("click", (event) => {
    const i = find(event);
    if (i < 0 || moved > 6 * devicePixelRatio) return;
    const [where, number] = map.places[i];
    location.href = `${site.layers[where].key}.html#${number}`;
  });
  canvas.addEventListener("wheel", (event) => {
    event.preventDefault();
    zoomAt(...at(event), Math.exp(-event.deltaY / 400));
  }, { passive: false });
  canvas.addEventListener("keydown", (event) => {
    const step = 60 * devicePixelRatio;
    const moves = { ArrowLeft: [step, 0], ArrowRight: [-step, 0], ArrowUp: [0, step], ArrowDown: [0, -step] };
    const zooms = { "+": 1.3, "=": 1.3, "-": 1 / 1.3 };
    if (moves[event.key]) pan(...moves[event.key]);
    else if (zooms[event.key]) zoomAt(canvas.width / 2, canvas.height / 2, zooms[event.key]);
    else return;
    event.preventDefault();
  });
  for (const button of box.querySelectorAll("[data-zoom]")) {
    button.addEventListener("click", () => zoomAt(canvas.width / 2, canvas.height / 2, Number(button.dataset.zoom)));
  }
  // The layer is kept in the address: channels.html#layer=conv3
  const readLayer = () => {
    const key = new URLSearchParams(location.hash.slice(1)).get("layer");
    const number = site.layers.findIndex((layer) => layer.key === key);
    only.value = number < 0 ? "" : String(number);
    fit();
  };
  only.addEventListener("input", () => {
    const layer = site.layers[only.value];
    history.replaceState(null, "", layer ? `#${new URLSearchParams({ layer: layer.key })}` : "#");
    redraw();
  });
  Atlas.mapView = view;
  Atlas.mapPlace = (i) => placing()(map.places[i]).map((value) => value / devicePixelRatio);
  addEventListener("resize", fit);
  addEventListener("hashchange", readLayer);
  readLayer();
}
