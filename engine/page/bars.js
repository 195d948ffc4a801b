"use strict";
// Stacked bars, and small ways to change a page in place.

/** Sizes arrive in bytes; sizeText() and the charts take KiB. */
const bytesText = (bytes) => (bytes === undefined || bytes === null ? "\u2014" : bytes === 0 ? "0" : sizeText(bytes / 1024));

function setText(node, text) {
  if (node.shownText === text) return;
  node.shownText = text;
  node.textContent = text;
}

function setClass(node, style) {
  if (node.className !== style) node.className = style;
}

function setHidden(node, hidden) {
  if (node.hidden !== hidden) node.hidden = hidden;
}

function setShape(node, name, value) {
  const shown = node.shownShape || (node.shownShape = {});
  if (shown[name] === value) return;
  shown[name] = value;
  node.setAttribute(name, value);
}

/** The head of a table: [text, style] of each column. */
function tableHead(columns) {
  const head = element("thead"), row = element("tr");
  row.append(...columns.map(([text, style]) => {
    const cell = element("th", style, text);
    cell.scope = "col";
    return cell;
  }));
  head.append(row);
  return head;
}

/** A bar of parts beside each other, each a share of the scale; `marks` are thin lines over it. */
class StackedBar {
  /** parts: [{ key, style }...], in order. */
  constructor(parts, marks = []) {
    this.parts = new Map(parts.map(({ key, style }) => [key, svgNode("rect", { class: "part " + style, height: "100%" })]));
    this.marks = new Map(marks.map((mark) => [mark, svgNode("rect", { class: "mark " + mark, width: 2, height: "100%" })]));
    this.svg = svgNode("svg", { class: "stack", role: "img" }, ...this.parts.values(), ...this.marks.values());
  }

  /** Sizes by part and mark, in any unit, on a scale that ends at `top`. Unknown ones are left out. */
  set(sizes, top, label) {
    const percent = (size) => Math.round(Math.max(0, Math.min(1, size / top)) * 1e4) / 100 + "%";
    let at = 0;
    for (const [part, rect] of this.parts) {
      const size = Math.max(0, sizes[part] || 0);
      setShape(rect, "x", percent(at));
      setShape(rect, "width", percent(size));
      at += size;
    }
    for (const [mark, rect] of this.marks) {
      const known = sizes[mark] !== undefined;
      setShape(rect, "visibility", known ? "visible" : "hidden");
      if (known) setShape(rect, "x", percent(sizes[mark]));
    }
    setShape(this.svg, "aria-label", label);
  }
}

const keyBox = (shape) => svgNode("svg", { class: "stack key", viewBox: "0 0 14 12", "aria-hidden": "true" }, shape);
/** The keys of a part and of a mark, for legends. */
const partKey = (style) => keyBox(svgNode("rect", { class: "part " + style, width: 14, height: 12 }));
const markKey = (style) => keyBox(svgNode("rect", { class: "mark " + style, x: 6, width: 2, height: 12 }));
