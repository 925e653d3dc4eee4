"use strict";
// Thumbnails for the map. A browser forgets the pictures that it decoded: of many sheets it would
// decode every one again at every drawing. So each is kept small, for the view of many channels.
{
  const SMALL_PX = [48, 24, 12];
  const READABLE_PX = 90;
  const DECODING = 400000;
  const RIM = "#ffffffb0";

  // `changed` is called when a sheet has come.
  Atlas.mapThumbs = (site, changed) => {
    const { columns, rows, corners } = site.thumbs;
    const perSheet = corners.length / 2;
    const sheets = new Map();

    const blockOf = (layer, place, crops) => {
      const px = site.side * layer.thumbPx;
      return [...corners[2 * place + crops].map((at) => at * px), px, px];
    };
    const whole = Atlas.el("canvas");
    // The crops of a sheet in a row, each copy half the size of the one before: less than halved
    // again when they are drawn, they are smooth.
    const smallCopies = (image) => {
      const largest = SMALL_PX[0];
      [whole.width, whole.height] = [columns * largest, rows * largest];
      const pen = whole.getContext("2d");
      pen.imageSmoothingQuality = "high";
      pen.drawImage(image, 0, 0, whole.width, whole.height);
      return SMALL_PX.reduce((copies, px) => {
        const copy = Atlas.el("canvas", { width: px * perSheet, height: px });
        const own = copy.getContext("2d");
        if (copies.length) own.drawImage(copies.at(-1), 0, 0, copy.width, copy.height);
        else for (let place = 0; place < perSheet; place++) {
          const [column, row] = corners[2 * place + 1];
          own.drawImage(whole, column * px, row * px, px, px, place * px, 0, px, px);
        }
        return [...copies, copy];
      }, []);
    };
    const sheetOf = (layer, number) => {
      const src = layer.sheet.replace("{}", Math.floor(number / perSheet));
      if (!sheets.has(src)) {
        const sheet = { image: new Image(), small: null };
        sheet.image.onload = () => { sheet.small = smallCopies(sheet.image); changed(); };
        sheet.image.src = src;
        sheets.set(src, sheet);
      }
      return sheets.get(src);
    };

    // Draw a channel with its middle at x, y. Crops while small: a projection is a grey square until
    // it is large enough to be read. Returns what it costs, in pixels.
    let latest = null;
    return (pen, [where, number], x, y, side) => {
      const layer = site.layers[where];
      const sheet = sheetOf(layer, number);
      if (!sheet.small) return 0;
      const place = number % perSheet;
      const crops = side < READABLE_PX * devicePixelRatio ? 1 : 0;
      const target = [Math.round(x - side / 2), Math.round(y - side / 2), Math.round(side), Math.round(side)];
      const small = SMALL_PX.findLastIndex((px) => side <= px);
      pen.imageSmoothingEnabled = small >= 0 || !layer.pixelated;
      if (small >= 0) {
        const px = SMALL_PX[small];
        pen.drawImage(sheet.small[small], place * px, 0, px, px, ...target);
        return side * side;
      }
      pen.imageSmoothingQuality = "medium";
      pen.drawImage(sheet.image, ...blockOf(layer, place, crops), ...target);
      pen.strokeStyle = RIM;
      pen.strokeRect(...target);
      const decoding = sheet === latest ? 0 : DECODING;
      latest = sheet;
      return side * side + decoding;
    };
  };
}
