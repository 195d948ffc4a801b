"use strict";
// Charts over the same range of time, with one crosshair and one zoom for all of them.

// --- the view that all charts share ---

/** The range of time that its charts show, their crosshair, and which of them are visible. Times are
    seconds since a start; `start` is its Unix time, or null if the scales count from 0. */
class View {
  constructor(end, start = null) {
    this.end = this.to = end || 1;
    this.from = 0;
    this.start = start;
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
    // Values that a finger left on the screen go when it touches something else, or scrolls.
    addEventListener("pointerdown", (event) => {
      if (event.pointerType === "touch" && !event.target.closest("svg.chart")) { this.setCross(null); hideTip(); }
    });
    addEventListener("scroll", () => { if (document.activeElement === document.body) hideTip(); }, { passive: true });
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

  /** Shows another hour, of live data. A visible range stays where it is on the clock, if it can. */
  moveTo(start, end) {
    const whole = this.isWhole(), shift = this.start - start;
    this.start = start;
    this.end = end;
    const fits = this.from + shift >= 0 && this.to + shift <= end;
    [this.from, this.to] = whole || !fits ? [0, end] : [this.from + shift, this.to + shift];
    if (this.cross !== null) this.cross += shift;
    this.redraw();
  }

  /** A time on the clock, or since the start. */
  timeText(time) {
    if (this.start === null) return timeText(time);
    const text = clockText(this.start + time);
    return this.hasDays() ? dayText(this.start + time) + " " + text : text;
  }

  /** Whether it goes from one day to another. */
  hasDays() {
    return dayText(this.start) !== dayText(this.start + this.end);
  }

  /** [time, text] of at most `most` steps of the scale. */
  ticks(most) {
    if (this.start === null) return timeTicks(this.from, this.to, most).map((time) => [time, timeText(time)]);
    const local = this.start - new Date(this.start * 1000).getTimezoneOffset() * 60;
    const times = timeTicks(this.from, this.to, most, local);
    const seconds = times.length > 1 && times[1] - times[0] < 60;
    return times.map((time) => {
      const at = Math.round(this.start + time), text = clockText(at, seconds);
      return [time, this.hasDays() && /^00:00(:00)?$/.test(text) ? dayText(at) : text];
    });
  }

  setCross(time) {
    this.cross = time;
    for (const panel of this.panels) if (panel.visible) panel.placeCross();
  }

  /** Shows `factor` times as much time, around the crosshair or the middle. */
  zoomBy(factor) {
    const span = (this.to - this.from) * factor, middle = (this.from + this.to) / 2;
    const inside = this.cross !== null && this.cross >= this.from && this.cross <= this.to;
    const at = inside ? this.cross : middle;
    this.zoomTo(at - span / 2, at + span / 2);
  }

  isWhole() {
    return this.from === 0 && this.to === this.end;
  }
}

// --- the figures at the crosshair ---

function tipRow(label, text, color) {
  const row = element("tr"), name = element("td");
  if (color) {
    const key = element("span", "key");
    key.style.background = `var(--${color})`;
    name.append(key);
  }
  name.append(label);
  row.append(name, element("td", "", text));
  return row;
}

function showTip(panel, event) {
  const figures = panel.figuresAt(panel.view.cross);
  if (figures) placeTip(figures, event); else hideTip();
}

/** Shows figures beside the pointer: their title, rows of [label, text, colour], notes. */
function placeTip(figures, event) {
  const tip = document.getElementById("tip");
  const table = element("table");
  table.append(...figures.rows.map(([label, text, color]) => tipRow(label, text, color)));
  tip.replaceChildren(element("b", "", figures.title), table, ...figures.notes.map((note) => element("p", "", note)));
  const box = tip.getBoundingClientRect();
  const right = event.clientX + 18 + box.width < innerWidth;
  tip.style.left = (right ? event.clientX + 18 : Math.max(4, event.clientX - box.width - 18)) + "px";
  tip.style.top = Math.max(4, Math.min(event.clientY + 14, innerHeight - box.height - 8)) + "px";
  tip.style.visibility = "visible";
}

function hideTip() {
  document.getElementById("tip").style.visibility = "hidden";
}
