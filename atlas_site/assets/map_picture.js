"use strict";
// A picture of the map with a margin around what is in view. It is copied while one pans and scaled
// while one zooms, and drawn again, a part a frame, where the zoom rests or the margin ends.
{
  const MARGIN = 0.25;
  const NEAR_THE_END = 0.6;
  const REST_MS = 120;
  const ARRIVED_MS = 250;

  // A frame says where places are drawn: x at left + (x + frame.x) * across, y likewise.
  // `paint(pen, frame, width, height)` is a generator that draws them, a part at each step.
  Atlas.mapPicture = (paint, redraw) => {
    let shown = null;
    let work = null;
    let free = Atlas.el("canvas");
    let old = true;
    let resting = 0;
    let arriving = 0;

    const begin = (frame, width, height) => {
      const [besides, above] = [Math.round(MARGIN * width), Math.round(MARGIN * height)];
      const canvas = free;
      canvas.width = width + 2 * besides;
      canvas.height = height + 2 * above;
      const own = { ...frame, left: frame.left + besides, top: frame.top + above };
      const steps = paint(canvas.getContext("2d"), own, canvas.width, canvas.height);
      work = { canvas, steps, frame: own };
      old = false;
    };
    const advance = () => {
      if (!work.steps.next().done) return;
      free = shown?.canvas ?? Atlas.el("canvas");
      shown = work;
      work = null;
    };
    const sameScale = (a, b) => a.across === b.across && a.down === b.down;
    const nearTheEnd = (frame, width, height) => shown && sameScale(frame, shown.frame)
      && (Math.abs(frame.x - shown.frame.x) * frame.across > NEAR_THE_END * MARGIN * width
        || Math.abs(frame.y - shown.frame.y) * frame.down > NEAR_THE_END * MARGIN * height);
    const again = () => { old = true; redraw(); };

    const show = (pen, frame) => {
      const [wide, high] = [frame.across / shown.frame.across, frame.down / shown.frame.down];
      const x = frame.left + (frame.x - shown.frame.x) * frame.across - shown.frame.left * wide;
      const y = frame.top + (frame.y - shown.frame.y) * frame.down - shown.frame.top * high;
      const { width, height } = shown.canvas;
      if (sameScale(frame, shown.frame)) pen.drawImage(shown.canvas, Math.round(x), Math.round(y));
      else pen.drawImage(shown.canvas, x, y, width * wide, height * high);
    };

    return {
      // Draw what there is for a frame into a canvas of this size, and see to what is missing.
      draw: (pen, frame, width, height) => {
        if (work && !sameScale(work.frame, frame)) { free = work.canvas; work = null; }
        if (!work && (old || nearTheEnd(frame, width, height))) begin(frame, width, height);
        if (work) advance();
        if (shown) show(pen, frame);
        if (work) redraw();
      },
      changed: () => {
        arriving ||= setTimeout(() => { arriving = 0; again(); }, ARRIVED_MS);
      },
      zoomed: () => {
        clearTimeout(resting);
        resting = setTimeout(again, REST_MS);
      },
      // Nothing of what was drawn is of use.
      reset: () => {
        shown = work = null;
        again();
      },
    };
  };
}
