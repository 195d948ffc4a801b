"use strict";
// One chart of a view.

/** What layers draw on: a range of times on a scale from 0 to `top`, `w` by `h` pixels. */
function plotOf(times, from, to, top, w, h) {
  const first = Math.min(indexAt(times, from), Math.max(0, times.length - 1));
  const last = Math.min(times.length, indexAt(times, to) + 1);
  return { w, h, top, times, first, last, x: (t) => ((t - from) / (to - from)) * w, y: (v) => h - (v / top) * h };
}

/** spec: height, left, right, top (of the scale), times, axis, label, layers: [(plot) => nodes],
    figures: (index) => [[label, text, colour]...], notes: (index) => [text...], follow: (index) => void,
    keys: true, or "roving" for one of a list that RovingFocus makes one stop of Tab */
class Panel {
  constructor(view, box, spec) {
    Object.assign(this, { view, left: 54, right: 12, above: 6, below: 18, axis: true, spec });
    Object.assign(this, spec.margins);
    if (spec.axis === false) this.axis = false;
    this.dirty = true;
    this.visible = false;
    this.fingers = new Map(); // on the chart: [time under it at first, its event]
    this.svg = svgNode("svg", { class: "chart", role: "img", "aria-label": spec.label });
    // Reserves the chart's place until it is drawn.
    this.svg.style.aspectRatio = `${spec.usualWidth || 330} / ${spec.height}`;
    this.svg.panel = this;
    box.append(this.svg);
    this.listen();
    view.panels.push(this);
    view.shown.observe(this.svg);
  }

  hidden() {
    return this.svg.closest("[hidden]") !== null;
  }

  remove() {
    const view = this.view;
    view.shown.unobserve(this.svg);
    view.panels.splice(view.panels.indexOf(this), 1);
    this.svg.remove();
  }

  draw() {
    if (!this.dirty || this.hidden()) return;
    const width = Math.round(this.svg.getBoundingClientRect().width) || this.width || 330;
    this.dirty = false;
    this.width = width;
    const height = this.spec.height;
    this.svg.style.aspectRatio = "";
    this.svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
    const plot = this.plot();
    const drawn = (layers) => layers.flatMap((layer) => layer(plot) || []);
    const inner = svgNode("svg", { x: this.left, y: this.above, width: plot.w, height: plot.h, overflow: "hidden" },
      ...drawn(this.spec.layers));
    this.crossLine = svgNode("line", { class: "cross", y1: this.above, y2: this.above + plot.h, visibility: "hidden" });
    this.svg.replaceChildren(...this.scales(plot), inner, ...drawn(this.spec.around || []), this.crossLine);
    this.placeCross();
  }

  plot() {
    const w = Math.max(10, this.width - this.left - this.right);
    const h = this.spec.height - this.above - (this.axis ? this.below : 2);
    const top = typeof this.spec.top === "function" ? this.spec.top() : this.spec.top || 1;
    return plotOf(this.spec.times, this.view.from, this.view.to, top, w, h);
  }

  scales(plot) {
    const nodes = [];
    if (this.spec.top) {
      for (const v of sizeTicks(plot.top, plot.h > 150 ? 6 : 4)) {
        const y = Math.round(this.above + plot.y(v)) + 0.5;
        nodes.push(svgNode("line", { class: v ? "grid" : "base", x1: this.left, x2: this.left + plot.w, y1: y, y2: y }),
          svgNode("text", { x: this.left - 6, y: y + 3.5, "text-anchor": "end" }, v ? sizeText(v) : "0"));
      }
    }
    if (!this.axis) return nodes;
    for (const [time, text] of this.view.ticks(Math.max(2, Math.floor(plot.w / 78)))) {
      const x = this.left + plot.x(time), anchor = x > this.width - 24 ? "end" : x < this.left + 14 ? "start" : "middle";
      nodes.push(svgNode("text", { x: x.toFixed(1), y: this.spec.height - 4, "text-anchor": anchor }, text));
    }
    return nodes;
  }

  placeCross() {
    if (!this.crossLine) return;
    const time = this.view.cross;
    const inside = time !== null && time >= this.view.from && time <= this.view.to;
    this.crossLine.setAttribute("visibility", inside ? "visible" : "hidden");
    if (inside) {
      const x = this.left + ((time - this.view.from) / (this.view.to - this.view.from)) * (this.width - this.left - this.right);
      this.crossLine.setAttribute("x1", x);
      this.crossLine.setAttribute("x2", x);
    }
    if (this.spec.follow) this.spec.follow(inside ? indexAt(this.spec.times, time) : null);
  }

  figuresAt(time) {
    const times = this.spec.times;
    if (time === null || !times.length || !this.spec.figures) return null;
    const i = Math.min(indexAt(times, time), times.length - 1);
    const title = (this.spec.name ? this.spec.name + " \u00b7 " : "") + this.view.timeText(times[i]);
    return { title, rows: this.spec.figures(i), notes: this.spec.notes ? this.spec.notes(i) : [] };
  }

  /** How far along the chart a pointer is, from 0 to 1. */
  shareAt(event) {
    const box = this.svg.getBoundingClientRect();
    const x = ((event.clientX - box.left) * this.width) / box.width - this.left;
    return Math.max(0, Math.min(1, x / (this.width - this.left - this.right)));
  }

  timeAt(event) {
    return this.view.from + this.shareAt(event) * (this.view.to - this.view.from);
  }

  listen() {
    const svg = this.svg;
    svg.addEventListener("pointermove", (event) => {
      if (this.fingers.has(event.pointerId) && this.pinch(event)) return;
      this.view.setCross(this.timeAt(event));
      if (this.view.drag) this.showSelection(event);
      showTip(this, event);
    });
    svg.addEventListener("pointerleave", (event) => {
      this.fingers.delete(event.pointerId);
      // A finger that leaves leaves the values on the screen.
      if (event.pointerType !== "touch" && !this.view.drag) { this.view.setCross(null); hideTip(); }
    });
    svg.addEventListener("pointerdown", (event) => {
      if (event.pointerType === "touch") return this.touch(event);
      if (event.button !== 0) return;
      this.view.drag = { from: this.timeAt(event), x: event.clientX };
      svg.setPointerCapture(event.pointerId);
    });
    svg.addEventListener("pointerup", (event) => {
      this.fingers.delete(event.pointerId);
      const drag = this.view.drag;
      this.view.drag = null;
      if (this.selection) { this.selection.remove(); this.selection = null; }
      if (drag && Math.abs(event.clientX - drag.x) > 5) this.view.zoomTo(drag.from, this.timeAt(event));
    });
    svg.addEventListener("pointercancel", (event) => { this.fingers.delete(event.pointerId); this.view.drag = null; });
    svg.addEventListener("dblclick", () => this.view.zoomTo(0, this.view.end));
    if (this.spec.keys) this.listenToKeys();
  }

  /** A finger shows the values under it; a second one begins to zoom. */
  touch(event) {
    if (event.isPrimary) this.fingers.clear();
    this.fingers.set(event.pointerId, { time: this.timeAt(event), event });
    this.view.setCross(this.timeAt(event));
    showTip(this, event);
  }

  /** Zooms so that two fingers stay on their times. Returns whether there are two. */
  pinch(event) {
    this.fingers.get(event.pointerId).event = event;
    if (this.fingers.size !== 2) return false;
    const [a, b] = [...this.fingers.values()].sort((one, other) => one.time - other.time);
    const first = this.shareAt(a.event), second = this.shareAt(b.event);
    hideTip();
    if (second - first < 0.02) return true;
    const span = Math.min(this.view.end, (b.time - a.time) / (second - first));
    const from = Math.max(0, Math.min(this.view.end - span, a.time - first * span));
    this.view.zoomTo(from, from + span);
    return true;
  }

  listenToKeys() {
    this.svg.setAttribute("tabindex", this.spec.keys === "roving" ? "-1" : "0");
    this.svg.addEventListener("keydown", (event) => {
      const span = this.view.to - this.view.from, at = this.view.cross === null ? (this.view.from + this.view.to) / 2 : this.view.cross;
      const far = event.shiftKey ? 0.1 : 0.01;
      if (event.key === "ArrowLeft" || event.key === "ArrowRight") {
        const next = at + (event.key === "ArrowLeft" ? -far : far) * span;
        this.view.setCross(Math.max(this.view.from, Math.min(this.view.to, next)));
      } else if (event.key === "+") {
        this.view.zoomTo(at - span / 4, at + span / 4);
      } else if (event.key === "-") {
        this.view.zoomTo(at - span, at + span);
      } else {
        return;
      }
      event.preventDefault();
      const box = this.svg.getBoundingClientRect();
      const x = this.left + ((this.view.cross ?? at) - this.view.from) / (this.view.to - this.view.from) * (this.width - this.left - this.right);
      showTip(this, { clientX: box.left + x, clientY: box.top + 40 });
    });
    this.svg.addEventListener("blur", () => { this.view.setCross(null); hideTip(); });
  }

  showSelection(event) {
    if (!this.selection || !this.selection.isConnected) {
      this.selection = svgNode("rect", { class: "select" });
      this.svg.append(this.selection);
    }
    const plot = this.plot();
    const a = plot.x(this.view.drag.from), b = plot.x(this.timeAt(event));
    const set = (name, value) => this.selection.setAttribute(name, value);
    set("x", this.left + Math.min(a, b)); set("width", Math.abs(a - b));
    set("y", this.above); set("height", plot.h);
  }
}
