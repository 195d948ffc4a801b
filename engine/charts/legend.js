"use strict";
// Legends: for each curve, area or mark its key and its name.

const keyNode = (...shapes) => svgNode("svg", { viewBox: "0 0 18 12", class: "chart", "aria-hidden": "true" }, ...shapes);

const kKeys = {
  area: (style) => keyNode(svgNode("rect", { width: 18, height: 12, rx: 2, class: style })),
  line: (style) => keyNode(svgNode("path", { class: style, d: "M0 6H18" })),
  cross: () => keyNode(svgNode("path", { class: "oom", d: "M5 2l8 8m0 -8l-8 8" })),
  mark: (style) => keyNode(svgNode("rect", { class: style, x: 3, y: 4, width: 12, height: 5 })),
};

/** A list of [key, text]. */
function legend(entries) {
  const list = element("ul", "legend");
  for (const [key, text] of entries) {
    const item = element("li");
    item.append(key, text);
    item.title = text;
    list.append(item);
  }
  return list;
}
