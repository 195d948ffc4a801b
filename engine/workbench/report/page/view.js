"use strict";
// Charts over the same range of time, with one crosshair and one zoom for all of them.

// --- the view that all charts share ---

/** The range of time that its charts show, their crosshair, and which of them are visible. */
class View {
  constructor(end) {
    this.end = this.to = end || 1;
    this.from = 0;
    this.cross = null;
    this.drag = null;
    this.panels = [];
    this.watchers = [];
    this.shown = new IntersectionObserver((entries) => {
      for (const entry of entries) {
        entry.target.panel.visible = entry.isIntersecting;
        if (entry.isIntersecting) entry.target.panel.draw();
      }
    }, { rootMargin: "250px" });
    let width = 0;
    new ResizeObserver(() => {
      if (document.body.clientWidth === width) return;
      width = document.body.clientWidth;
      this.redraw();
    }).observe(document.body);
    addEventListener("beforeprint", () => this.panels.forEach((panel) => panel.draw()));
    addEventListener("keydown", (event) => {
      if (event.key === "Escape" && !this.drag && !this.isWhole()) this.zoomTo(0, this.end);
    });
    this.drawWhenIdle();
  }

  /** Draws charts further down ahead of time, a few at a time, for scrolling and printing. */
  drawWhenIdle() {
    const idle = window.requestIdleCallback || ((call) => setTimeout(() => call({ timeRemaining: () => 8 }), 60));
    const some = (deadline) => {
      for (const panel of this.panels) {
        if (!panel.dirty || panel.hidden()) continue;
        if (deadline.timeRemaining() < 3) return idle(some);
        panel.draw();
      }
    };
    idle(some);
  }

  /** Draws the first charts at once: they are visible when the page opens. */
  drawFirst() {
    this.panels.slice(0, 24).forEach((panel) => panel.draw());
  }

  redraw() {
    for (const panel of this.panels) {
      panel.dirty = true;
      if (panel.visible) panel.draw();
    }
    for (const watch of this.watchers) watch();
    clearTimeout(this.later);
    this.later = setTimeout(() => this.drawWhenIdle(), 250);
  }

  zoomTo(from, to) {
    const least = Math.min(this.end, Math.max(this.end / 5000, 0.5));
    let a = Math.max(0, Math.min(from, to)), b = Math.min(this.end, Math.max(from, to));
    if (b - a < least) {
      const middle = Math.max(least / 2, Math.min(this.end - least / 2, (a + b) / 2));
      [a, b] = [middle - least / 2, middle + least / 2];
    }
    [this.from, this.to] = [a, b];
    this.redraw();
  }

  setCross(time) {
    this.cross = time;
    for (const panel of this.panels) if (panel.visible) panel.placeCross();
  }

  isWhole() {
    return this.from === 0 && this.to === this.end;
  }
}

// --- the figures at the crosshair ---

function showTip(panel, event) {
  const tip = document.getElementById("tip");
  const figures = panel.figuresAt(panel.view.cross);
  if (!figures) return hideTip();
  const rows = figures.rows.map(([label, text, color]) =>
    `<tr><td>${color ? `<span class="key" style="background:var(--${color})"></span>` : ""}${escapeHtml(label)}</td><td>${escapeHtml(text)}</td></tr>`);
  tip.innerHTML = `<b>${escapeHtml(figures.title)}</b><table>${rows.join("")}</table>` + figures.notes.map((note) => `<p>${escapeHtml(note)}</p>`).join("");
  const box = tip.getBoundingClientRect();
  const right = event.clientX + 18 + box.width < innerWidth;
  tip.style.left = (right ? event.clientX + 18 : Math.max(4, event.clientX - box.width - 18)) + "px";
  tip.style.top = Math.max(4, Math.min(event.clientY + 14, innerHeight - box.height - 8)) + "px";
  tip.style.visibility = "visible";
}

function hideTip() {
  document.getElementById("tip").style.visibility = "hidden";
}

// --- one chart ---

/** spec: height, left, right, top (of the scale), times, axis, label, layers: [(plot) => svg text],
    figures: (index) => [[label, text, colour]...], notes: (index) => [text...], follow: (index) => void */
class Panel {
  constructor(view, box, spec) {
    Object.assign(this, { view, left: 54, right: 12, above: 6, below: 18, axis: true, spec });
    Object.assign(this, spec.margins);
    if (spec.axis === false) this.axis = false;
    this.dirty = true;
    this.visible = false;
    this.svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    this.svg.setAttribute("class", "chart");
    this.svg.setAttribute("role", "img");
    this.svg.setAttribute("aria-label", spec.label);
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
    const inner = this.spec.layers.map((layer) => layer(plot)).join("");
    const around = (this.spec.around || []).map((layer) => layer(plot)).join("");
    this.svg.innerHTML = this.scales(plot) +
      `<svg x="${this.left}" y="${this.above}" width="${plot.w}" height="${plot.h}" overflow="hidden">${inner}</svg>${around}` +
      `<line class="cross" y1="${this.above}" y2="${this.above + plot.h}" visibility="hidden"/>`;
    this.crossLine = this.svg.lastElementChild;
    this.placeCross();
  }

  plot() {
    const w = Math.max(10, this.width - this.left - this.right);
    const h = this.spec.height - this.above - (this.axis ? this.below : 2);
    const { from, to } = this.view;
    const top = typeof this.spec.top === "function" ? this.spec.top() : this.spec.top || 1;
    const times = this.spec.times;
    const first = Math.min(indexAt(times, from), Math.max(0, times.length - 1));
    const last = Math.min(times.length, indexAt(times, to) + 1);
    return { panel: this, w, h, top, times, first, last,
      x: (t) => ((t - from) / (to - from)) * w, y: (v) => h - (v / top) * h };
  }

  scales(plot) {
    let text = "";
    if (this.spec.top) {
      for (const v of sizeTicks(plot.top, plot.h > 150 ? 6 : 4)) {
        const y = Math.round(this.above + plot.y(v)) + 0.5;
        text += `<line class="${v ? "grid" : "base"}" x1="${this.left}" x2="${this.left + plot.w}" y1="${y}" y2="${y}"/>` +
          `<text x="${this.left - 6}" y="${y + 3.5}" text-anchor="end">${v ? sizeText(v) : "0"}</text>`;
      }
    }
    if (!this.axis) return text;
    for (const t of timeTicks(this.view.from, this.view.to, Math.max(2, Math.floor(plot.w / 78)))) {
      const x = this.left + plot.x(t);
      text += `<text x="${x.toFixed(1)}" y="${this.spec.height - 4}" text-anchor="${x > this.width - 24 ? "end" : "middle"}">${timeText(t)}</text>`;
    }
    return text;
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
    const title = (this.spec.name ? this.spec.name + " \u00b7 " : "") + timeText(times[i]);
    return { title, rows: this.spec.figures(i), notes: this.spec.notes ? this.spec.notes(i) : [] };
  }

  timeAt(event) {
    const box = this.svg.getBoundingClientRect();
    const x = ((event.clientX - box.left) * this.width) / box.width - this.left;
    const share = x / (this.width - this.left - this.right);
    return this.view.from + Math.max(0, Math.min(1, share)) * (this.view.to - this.view.from);
  }

  listen() {
    const svg = this.svg;
    svg.addEventListener("pointermove", (event) => {
      this.view.setCross(this.timeAt(event));
      if (this.view.drag) this.showSelection(event);
      showTip(this, event);
    });
    svg.addEventListener("pointerleave", () => {
      if (!this.view.drag) { this.view.setCross(null); hideTip(); }
    });
    svg.addEventListener("pointerdown", (event) => {
      if (event.button !== 0 || event.pointerType === "touch") return;
      this.view.drag = { from: this.timeAt(event), x: event.clientX };
      svg.setPointerCapture(event.pointerId);
    });
    svg.addEventListener("pointerup", (event) => {
      const drag = this.view.drag;
      this.view.drag = null;
      if (this.selection) { this.selection.remove(); this.selection = null; }
      if (drag && Math.abs(event.clientX - drag.x) > 5) this.view.zoomTo(drag.from, this.timeAt(event));
    });
    svg.addEventListener("pointercancel", () => { this.view.drag = null; });
    svg.addEventListener("dblclick", () => this.view.zoomTo(0, this.view.end));
    if (this.spec.keys) this.listenToKeys();
  }

  listenToKeys() {
    this.svg.setAttribute("tabindex", "0");
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
      this.selection = document.createElementNS("http://www.w3.org/2000/svg", "rect");
      this.selection.setAttribute("class", "select");
      this.svg.append(this.selection);
    }
    const plot = this.plot();
    const a = plot.x(this.view.drag.from), b = plot.x(this.timeAt(event));
    const set = (name, value) => this.selection.setAttribute(name, value);
    set("x", this.left + Math.min(a, b)); set("width", Math.abs(a - b));
    set("y", this.above); set("height", plot.h);
  }
}
