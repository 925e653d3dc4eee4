"use strict";
// The map of all channels, or of one layer's: thumbnails in a canvas that pans and zooms; a click
// opens a channel.
{
  const box = document.querySelector("[data-map]");
  const canvas = box.querySelector("[data-canvas]");
  // Opaque: nothing behind it is drawn, and nothing blended.
  const pen = canvas.getContext("2d", { alpha: false });
  const label = box.querySelector("[data-map-label]");
  const only = box.querySelector("[data-map-layer]");
  const tools = box.querySelector(".map-tools");
  const { site, map, search } = Atlas.data;
  const hint = label.textContent;
  const LARGEST_THUMB = 60;
  const FILLED = 800;
  const MOST = 60;
  const STRETCH = 1.8;
  const COST_A_FRAME = 1200000;
  const COST_OF_ONE = 2000;
  const view = { x: 0, y: 0, zoom: 1 };
  let middle = [0, 0];
  let colours = {};
  let pending = false;
  let hovered = -1;

  const current = () => (only.value === "" ? map : map.layers[only.value]);
  // Distances mean little, so the map is drawn out along the longer side to fill the canvas.
  const scales = () => {
    const fitting = middle.map((half) => (2 * half) / (map.side * 1.08));
    const least = Math.min(...fitting);
    return fitting.map((one) => Math.min(one, STRETCH * least) * view.zoom);
  };
  const frameNow = () => {
    const [across, down] = scales();
    return { x: view.x - map.side / 2, y: view.y - map.side / 2, left: middle[0], top: middle[1], across, down };
  };
  const at = (frame, x, y) => [frame.left + (x + frame.x) * frame.across, frame.top + (y + frame.y) * frame.down];
  // Few channels are drawn larger: together they always fill as much of the map.
  const sideIn = (frame) => Math.min(LARGEST_THUMB, FILLED / Math.sqrt(current().places.length))
    * Math.min(frame.across, frame.down);

  // The thumbnails inside a picture, as many at a step as a frame has time for.
  function* paint(pen, frame, width, height) {
    const side = sideIn(frame);
    let cost = 0;
    for (const place of current().places) {
      const [x, y] = at(frame, place[2], place[3]);
      if (Math.abs(x - width / 2) > (width + side) / 2 || Math.abs(y - height / 2) > (height + side) / 2) continue;
      cost += COST_OF_ONE + thumb(pen, place, x, y, side);
      if (cost > COST_A_FRAME) { yield; cost = 0; }
    }
  }
  const drawHovered = (frame) => {
    const side = sideIn(frame);
    const [, , x, y] = current().places[hovered];
    const [left, top] = at(frame, x, y);
    pen.strokeStyle = colours.mark;
    pen.lineWidth = 3 * devicePixelRatio;
    pen.strokeRect(left - side / 2, top - side / 2, side, side);
  };
  const drawLabels = (frame) => {
    const above = sideIn(frame) * 0.6;
    pen.font = `600 ${13 * devicePixelRatio}px sans-serif`;
    pen.textAlign = "center";
    pen.lineWidth = 4 * devicePixelRatio;
    pen.lineJoin = "round";
    pen.strokeStyle = "#000b";
    pen.fillStyle = "#fff";
    for (const [number, ...place] of current().labels) {
      const [x, y] = at(frame, ...place);
      if (x < 0 || x > canvas.width || y < 0 || y > canvas.height + above) continue;
      const text = site.classes[number].slice(0, 40);
      const half = pen.measureText(text).width / 2;
      const within = Math.max(half, Math.min(canvas.width - half, x));
      pen.strokeText(text, within, y - above);
      pen.fillText(text, within, y - above);
    }
  };
  const draw = () => {
    pending = false;
    if (!canvas.width) return; // a list is shown in its place
    const frame = frameNow();
    pen.fillStyle = colours.ground;
    pen.fillRect(0, 0, canvas.width, canvas.height);
    picture.draw(pen, frame, canvas.width, canvas.height);
    if (hovered >= 0) drawHovered(frame);
    drawLabels(frame);
  };
  const redraw = () => {
    if (pending) return;
    pending = true;
    requestAnimationFrame(draw);
  };
  const picture = Atlas.mapPicture(paint, redraw);
  const thumb = Atlas.mapThumbs(site, picture.changed);
  // The canvas is put on whole pixels of the screen, or every frame would be resampled and blurred.
  const onWholePixels = () => {
    canvas.removeAttribute("style");
    const edge = canvas.getBoundingClientRect();
    const [left, top] = [edge.left, edge.top].map((px) => Math.ceil(px * devicePixelRatio));
    canvas.width = Math.floor(edge.right * devicePixelRatio) - left;
    canvas.height = Math.floor(edge.bottom * devicePixelRatio) - top;
    canvas.style.left = `${left / devicePixelRatio - edge.left}px`;
    canvas.style.top = `${top / devicePixelRatio - edge.top}px`;
    canvas.style.width = `${canvas.width / devicePixelRatio}px`;
    canvas.style.height = `${canvas.height / devicePixelRatio}px`;
  };
  const readColours = () => {
    const { color, backgroundColor } = getComputedStyle(canvas);
    colours = { mark: color, ground: backgroundColor };
    redraw();
  };
  // The middle of what the tools leave of it is measured here, not for every frame.
  const fit = () => {
    onWholePixels();
    middle = [canvas.width / 2, (canvas.height - tools.clientHeight * devicePixelRatio) / 2];
    readColours();
    picture.reset();
  };

  const pointed = (event) => {
    const edge = canvas.getBoundingClientRect();
    return [(event.clientX - edge.left) * devicePixelRatio, (event.clientY - edge.top) * devicePixelRatio];
  };
  const find = (x, y) => {
    const frame = frameNow();
    const half = sideIn(frame) / 2;
    return current().places.findLastIndex((place) => {
      const [left, top] = at(frame, place[2], place[3]);
      return Math.abs(left - x) <= half && Math.abs(top - y) <= half;
    });
  };
  const nearestToMiddle = () => {
    const frame = frameNow();
    const away = current().places.map(([, , x, y]) =>
      Math.hypot((x + frame.x) * frame.across, (y + frame.y) * frame.down));
    return away.indexOf(Math.min(...away));
  };
  const nameOf = ([where, number]) => {
    const layer = site.layers[where];
    const [name] = Atlas.nameOf(layer.key, number, search.names);
    return `${layer.name} ${number} · ${name || Atlas.className(search.favourite[layer.key][number])}`;
  };
  const hover = (i) => {
    if (i === hovered) return;
    hovered = i;
    label.textContent = i < 0 ? hint : nameOf(current().places[i]);
    redraw();
  };
  const open = (i) => {
    if (i < 0) return;
    const [where, number] = current().places[i];
    location.href = `${site.layers[where].key}.html#${number}`;
  };
  const zoomAt = (x, y, by) => {
    const zoom = Math.min(MOST, Math.max(0.8, view.zoom * by));
    const [across, down] = scales();
    view.x -= (x - middle[0]) / across * (1 - view.zoom / zoom);
    view.y -= (y - middle[1]) / down * (1 - view.zoom / zoom);
    view.zoom = zoom;
    picture.zoomed();
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
    held.set(event.pointerId, pointed(event));
    moved = 0;
  });
  canvas.addEventListener("pointermove", (event) => {
    if (!held.has(event.pointerId)) { hover(find(...pointed(event))); return; }
    const before = held.get(event.pointerId);
    const now = pointed(event);
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
  canvas.addEventListener("pointerleave", () => hover(-1));
  const release = (event) => { held.delete(event.pointerId); };
  canvas.addEventListener("pointerup", release);
  canvas.addEventListener("pointercancel", release);
  canvas.addEventListener("click", (event) => {
    if (moved <= 6 * devicePixelRatio) open(find(...pointed(event)));
  });
  canvas.addEventListener("wheel", (event) => {
    event.preventDefault();
    zoomAt(...pointed(event), Math.exp(-event.deltaY / 400));
  }, { passive: false });
  // By keys the channel in the middle is the one that Enter opens.
  canvas.addEventListener("keydown", (event) => {
    const step = 60 * devicePixelRatio;
    const moves = { ArrowLeft: [step, 0], ArrowRight: [-step, 0], ArrowUp: [0, step], ArrowDown: [0, -step] };
    const zooms = { "+": 1.3, "=": 1.3, "-": 1 / 1.3 };
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "Enter") open(hovered);
    else if (moves[event.key]) pan(...moves[event.key]);
    else if (zooms[event.key]) zoomAt(...middle, zooms[event.key]);
    else return;
    event.preventDefault();
    hover(nearestToMiddle());
  });
  for (const button of box.querySelectorAll("[data-zoom]")) {
    button.addEventListener("click", () => zoomAt(...middle, Number(button.dataset.zoom)));
  }

  const showLayer = () => {
    Object.assign(view, { x: 0, y: 0, zoom: 1 });
    hover(-1);
    fit();
  };
  // The layer is kept in the address: channels.html#layer=conv3
  const readLayer = () => {
    const key = new URLSearchParams(location.hash.slice(1)).get("layer");
    const number = site.layers.findIndex((layer) => layer.key === key);
    only.value = number < 0 ? "" : String(number);
    showLayer();
  };
  only.addEventListener("input", () => {
    const layer = site.layers[only.value];
    history.replaceState(null, "", layer ? `#${new URLSearchParams({ layer: layer.key })}` : "#");
    showLayer();
  });
  Atlas.mapView = view;
  Atlas.mapPlaces = () => current().places;
  Atlas.mapPlace = (i) => at(frameNow(), ...current().places[i].slice(2)).map((value) => value / devicePixelRatio);
  addEventListener("resize", fit);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", readColours);
  new MutationObserver(readColours).observe(document.documentElement, { attributeFilter: ["data-theme"] });
  addEventListener("hashchange", readLayer);
  readLayer();
}
