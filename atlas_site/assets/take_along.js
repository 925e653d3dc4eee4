"use strict";
// Taking a channel along: one picture, or Markdown. A page opened from disk may not read the
// pictures that it shows, so what is saved comes from a data script, and is decoded here.
{
  const { short, percent } = Atlas;
  const EDGE = 24;
  const LINE = 26;

  const decode = (text) => {
    const bytes = Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
    return createImageBitmap(new Blob([bytes], { type: "image/webp" }));
  };

  // Words broken into lines that fit a width.
  const wrap = (pen, text, width) => {
    const lines = [""];
    for (const word of text.split(" ")) {
      const longer = lines.at(-1) ? `${lines.at(-1)} ${word}` : word;
      if (pen.measureText(longer).width <= width) lines[lines.length - 1] = longer;
      else lines.push(word);
    }
    return lines;
  };

  const caption = (layer, channel) => {
    const { site } = Atlas.data;
    return `The ${channel.image.length} of ${site.validationImages} validation images with the highest peaks: left projected to pixels, mid grey is zero; right the pixels under the same field of ${layer.size.join(" × ")} px. Peak ${short(channel.peak)}, fires on ${percent(channel.fired / site.validationImages)}, selectivity ${channel.selectivity.toFixed(2)}. ${site.run}`;
  };

  const draw = async (layer, number, channel) => {
    const { site } = Atlas.data;
    const perSheet = site.thumbs.corners.length / 2;
    const pictures = await Atlas.load(layer.saved.replace("{}", Math.floor(number / perSheet)));
    const bitmap = await decode(pictures[number]);
    const scale = Math.max(1, Math.ceil(1152 / bitmap.width));
    const canvas = document.createElement("canvas");
    const pen = canvas.getContext("2d");
    const [width, height] = [bitmap.width * scale, bitmap.height * scale];
    pen.font = "18px sans-serif";
    const lines = wrap(pen, caption(layer, channel), width);
    canvas.width = width + 3 * EDGE;
    canvas.height = height + 3 * EDGE + LINE * (lines.length + 1);
    pen.fillStyle = "#fff";
    pen.fillRect(0, 0, canvas.width, canvas.height);
    pen.fillStyle = "#111";
    pen.font = "bold 22px sans-serif";
    pen.fillText(`${layer.name} ${number}`, EDGE, EDGE + 16);
    pen.imageSmoothingEnabled = !layer.pixelated;
    const half = bitmap.width / 2;
    for (const side of [0, 1]) {
      pen.drawImage(bitmap, side * half, 0, half, bitmap.height,
        EDGE + side * (width / 2 + EDGE), EDGE + LINE, width / 2, height);
    }
    pen.font = "18px sans-serif";
    lines.forEach((line, i) => pen.fillText(line, EDGE, height + 2 * EDGE + LINE * (i + 1.6)));
    return new Promise((resolve) => { canvas.toBlob(resolve, "image/png"); });
  };

  Atlas.savePicture = async (layer, number, channel) => {
    if (!channel.image.length) { Atlas.say("A dead channel has no picture."); return; }
    Atlas.download(`${layer.key}-${number}.png`, await draw(layer, number, channel));
  };

  Atlas.channelMarkdown = (layer, number, channel) => {
    const { site, images } = Atlas.data;
    const classes = channel.classes.slice(0, 3)
      .map(([n, mean]) => `${Atlas.escapeMarkdown(site.classes[n])} ${short(mean)}`).join(", ");
    const files = channel.image.map((i, rank) =>
      `${rank + 1}. ${Atlas.escapeMarkdown(images.path[i])} (${short(channel.activation[rank])})`);
    return [
      `${Atlas.markdownLink(layer, number)}: peak ${short(channel.peak)}, fires on ${percent(channel.fired / site.validationImages)}, selectivity ${channel.selectivity.toFixed(2)}. Mean peaks: ${classes || "none"}.`,
      "", ...files, "",
    ].join("\n");
  };
}
