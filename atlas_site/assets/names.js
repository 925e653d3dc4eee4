"use strict";
// Names that people give to channels: those of the atlas, and those kept in this browser.
{
  const STORE = "names";
  const own = () => {
    try { return JSON.parse(Atlas.preference(STORE)) || {}; } catch { return {}; }
  };
  const quoted = (text) => (/[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);

  // The name, note and family of a channel; what this browser keeps comes first.
  Atlas.nameOf = (key, channel, given) => {
    const kept = own()[`${key}:${channel}`];
    if (kept) return kept;
    const line = given.find(([layer, number]) => layer === key && number === channel);
    return line ? line.slice(2) : ["", "", ""];
  };
  // Those of this browser, also where they were emptied: [key, number, name, note, family].
  Atlas.ownNames = () => Object.entries(own()).map(([place, texts]) => {
    const at = place.lastIndexOf(":");
    return [place.slice(0, at), Number(place.slice(at + 1)), ...texts];
  });
  Atlas.allNames = (given) => {
    const kept = own();
    const rest = given.filter(([key, channel]) => !kept[`${key}:${channel}`]);
    return [...rest, ...Atlas.ownNames()].filter(([, , ...texts]) => texts.some(Boolean));
  };
  Atlas.setName = (key, channel, texts) => {
    Atlas.setPreference(STORE, JSON.stringify({ ...own(), [`${key}:${channel}`]: texts }));
    dispatchEvent(new Event("named"));
  };
  // All names as the file that the workspace takes.
  Atlas.namesCsv = (given, layers) => {
    const nameOf = Object.fromEntries(layers.map((layer) => [layer.key, layer.name]));
    const lines = Atlas.allNames(given).map(([key, channel, ...texts]) =>
      [nameOf[key] ?? key, String(channel), ...texts].map(quoted).join(","));
    return `${["layer,channel,name,note,family", ...lines].join("\n")}\n`;
  };

  // Hand a file to the reader, without a server.
  Atlas.download = (name, blob) => {
    const link = Atlas.el("a", { href: URL.createObjectURL(blob), download: name });
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10000);
  };

  // The list of channels, at channels.html#key:number,…; the draft is kept in this browser.
  Atlas.LIST_MOST = 150;
  Atlas.parseList = (text) => [...new Set(text.split(",").filter((p) => /^[\w.-]+:\d+$/.test(p)))]
    .slice(0, Atlas.LIST_MOST)
    .map((place) => [place.slice(0, place.lastIndexOf(":")), Number(place.slice(place.lastIndexOf(":") + 1))]);
  Atlas.draftList = () => Atlas.preference("list") || "";
  Atlas.setDraftList = (places) => {
    Atlas.setPreference("list", places.map(([key, n]) => `${key}:${n}`).join(","));
  };
}
