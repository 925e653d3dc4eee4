"use strict";
// The data scripts call atlasData; a page asks for one by name. `el` builds nodes, never markup.
{
  const waiting = Object.create(null);
  const loading = Object.create(null);

  window.atlasData = (name, value) => {
    Atlas.data[name] = value;
    if (waiting[name]) waiting[name](value);
  };

  Atlas.load = (name) => {
    if (Atlas.data[name]) return Promise.resolve(Atlas.data[name]);
    loading[name] ??= new Promise((resolve) => {
      waiting[name] = resolve;
      const script = document.createElement("script");
      script.src = `data/${name}.js`;
      document.head.append(script);
    });
    return loading[name];
  };

  // A channel with all that its view shows: the layer's own lists, and its file's part.
  Atlas.loadChannel = async (layer, number) => {
    const { channels: perPart, src } = layer.parts;
    const [{ columns }, part] = await Promise.all(
      [layer.key, src.replace("{}", Math.floor(number / perPart))].map(Atlas.load));
    const own = Object.entries(columns).map(([name, column]) => [name, column[number]]);
    return { number, ...part.channels[number % perPart], ...Object.fromEntries(own) };
  };

  const SVG = "http://www.w3.org/2000/svg";
  const fill = (node, attributes, children) => {
    for (const [name, value] of Object.entries(attributes)) {
      if (value !== undefined && value !== false) node.setAttribute(name, value === true ? "" : value);
    }
    node.append(...children.filter((child) => child !== null && child !== undefined));
    return node;
  };
  Atlas.el = (tag, attributes = {}, ...children) =>
    fill(document.createElement(tag), attributes, children);
  Atlas.svg = (tag, attributes = {}, ...children) =>
    fill(document.createElementNS(SVG, tag), attributes, children);

  Atlas.short = (value) => {
    const size = Math.abs(value);
    if (size === 0) return "0";
    if (size >= 1000) return Math.round(value).toLocaleString("en");
    return size < 0.01 ? value.toPrecision(2) : value.toFixed(size < 10 ? 2 : size < 100 ? 1 : 0);
  };
  Atlas.percent = (share) =>
    share > 0 && share < 0.01 ? "< 1 %" : `${Math.round(100 * share)} %`;
  // The class of a number, by name and as a link; −1 is that of an image without one.
  Atlas.className = (number) => (number < 0 ? "no class" : Atlas.data.site.classes[number]);
  Atlas.classLink = (number) => (number < 0 ? Atlas.className(number) : Atlas.el("a",
    { href: `classes.html#${number}`, title: Atlas.className(number) }, Atlas.className(number)));
  Atlas.fileName = (path) => path.slice(path.lastIndexOf("/") + 1);

  Atlas.say = (text) => {
    const toast = document.querySelector("[data-toast]");
    const home = document.querySelector("dialog[open]") || document.querySelector("footer");
    home.append(toast);
    toast.textContent = text;
    clearTimeout(Atlas.toastTimer);
    Atlas.toastTimer = setTimeout(() => { toast.textContent = ""; }, 2500);
  };

  Atlas.copy = async (text, said) => {
    try {
      await navigator.clipboard.writeText(text);
      Atlas.say(said);
    } catch {
      Atlas.say(text);
    }
  };
  Atlas.escapeMarkdown = (text) => text.replace(/[\\`*_{}[\]<>()#+!|~-]/g, "\\$&").replace(/\s+/g, " ");
  Atlas.markdownLink = (layer, channel, text = "") => {
    const page = new URL(`${layer.key}.html#${channel}`, location.href.split("#")[0]);
    page.search = "";
    return `[${Atlas.escapeMarkdown(`${layer.name} ${channel}`)}](<${page.href}>)${text}`;
  };

  // The number after # in the address; null where there is none.
  Atlas.place = () => {
    const text = location.hash.slice(1);
    return /^\d+$/.test(text) ? Number(text) : null;
  };
}
