"use strict";
// The host: its state, its memory as one bar, its last hour.

const kHostParts = [
  { key: "used", name: "used by the host", style: "stack-used" },
  { key: "backed", name: "backed by guests", style: "stack-backed" },
  { key: "unbacked", name: "unbacked", style: "stack-unbacked" },
  { key: "grantable", name: "grantable", style: "stack-grantable" },
  { key: "reserved", name: "reserved", style: "stack-reserved" },
  { key: "floor", name: "floor", style: "stack-floor" },
  { key: "uncovered", name: "committed beyond the host", style: "stack-uncovered" },
];

/** Further figures, beside the parts of the bar. */
const kHostFigures = [["shortfall", "shortfall"], ["reclaimable", "reclaimable this tick"],
  ["headroom_10", "headroom within 10 s"], ["headroom_all", "headroom after reclaiming"], ["held", "held for starts"],
  ["swap_free", "swap free"], ["budget", "budget"], ["memory", "memory"]];
/** Figures that are left out under 1 MiB, which is noise. */
const kShownFromMib = ["shortfall", "reserved", "held"];
const kSmallest = 2 ** 20;

class HostView {
  constructor() {
    const node = (id) => document.getElementById(id);
    [this.word, this.sentence, this.state] = [node("state-word"), node("state-text"), node("state")];
    this.bar = new StackedBar(kHostParts, ["memory"]);
    node("host-bar").append(this.bar.svg);
    this.figures = new Map();
    for (const part of kHostParts) this.addFigure(node("host-legend"), part.key, part.name, partKey(part.style));
    for (const [key, name] of kHostFigures) this.addFigure(node("host-legend"), key, name);
    // The mark in the bar where the host's memory ends.
    this.end = markKey("memory");
    this.figures.get("memory").item.prepend(this.end);
    this.box = node("host-hour");
  }

  addFigure(list, key, name, sign) {
    const item = element("li"), label = element("span", "", name), value = element("b");
    if (sign) item.append(sign);
    item.append(label, " ", value);
    list.append(item);
    this.figures.set(key, { item, label, value });
  }

  update(live) {
    setText(this.word, live.state || "waiting");
    setText(this.sentence, live.state_text || "");
    setClass(this.state, live.state ? "is-" + live.state : "");
    const host = live.host || {};
    // What is committed beyond the host's memory ends the bar, after a mark.
    const over = host.uncovered > 0.002 * host.memory;
    // Usually that is the shortfall: then one figure says both.
    const both = over && bytesText(host.uncovered) === bytesText(host.shortfall);
    for (const [key, { item, value }] of this.figures) {
      const size = host[key];
      setHidden(item, key === "uncovered" ? !over : size === undefined || (key === "shortfall" && both) ||
        (size < kSmallest && kShownFromMib.includes(key)));
      setText(value, bytesText(size));
    }
    const uncovered = this.figures.get("uncovered");
    setText(uncovered.label, both ? "shortfall: committed beyond the host" : "committed beyond the host");
    setClass(uncovered.item, both ? "bad" : "");
    setClass(this.figures.get("shortfall").item, "bad");
    this.end.toggleAttribute("hidden", !over);
    const label = kHostParts.filter((part) => host[part.key]).map((part) => `${part.name} ${bytesText(host[part.key])}`);
    const sizes = { ...host, memory: over ? host.memory : undefined };
    this.bar.set(sizes, Math.max(1, (host.memory || 0) + (host.uncovered || 0)), `The host's memory: ${label.join(", ")}`);
    this.memory = host.memory;
  }

  /** The answer of /v1/history. */
  setHistory(history) {
    const { times, start } = relativeTimes(history);
    if (!times.length) return;
    const end = times[times.length - 1];
    this.curves = stackedCurves(history.host, times.length);
    if (!this.panel) this.makePanel(start, end, times);
    this.panel.spec.times = times;
    this.view.moveTo(start, end);
  }

  makePanel(start, end, times) {
    this.view = new View(end, start);
    const shown = kHostParts.filter((part) => part.key !== "uncovered");
    this.panel = new Panel(this.view, this.box, {
      height: 132, usualWidth: 1200, times, margins: { left: 58, right: 4 }, keys: true,
      label: "The host's memory in the last hour; arrow keys move along it, + and - zoom",
      top: () => Math.max(this.memory || 0, this.curves.most) / 1024,
      layers: [...shown].reverse().map((part) => layer.area(() => this.curves.upTo[part.key], "part " + part.style)),
      figures: (i) => shown.map((part) => [part.name, bytesText(this.curves.own[part.key][i]), part.style]),
    });
    this.view.drawFirst();
  }
}

/** Times of a history from the start of its first point, whose Unix time is `start`. */
function relativeTimes(history) {
  const times = history.times || [];
  if (!times.length) return { times: [], start: 0 };
  const start = times[0] - (history.seconds_per_point || (times.length > 1 ? times[1] - times[0] : 1));
  return { times: times.map((time) => time - start), start };
}

/** Curves on top of each other, in KiB; what is unknown counts as 0. */
function stackedCurves(host, count) {
  const below = new Float64Array(count), upTo = {};
  for (const { key } of kHostParts) {
    if (!host[key]) continue;
    for (let i = 0; i < count; ++i) below[i] += (host[key][i] || 0) / 1024;
    upTo[key] = Float64Array.from(below);
  }
  for (const { key } of kHostParts) if (!upTo[key]) upTo[key] = new Float64Array(count);
  const own = Object.fromEntries(kHostParts.map(({ key }) => [key, host[key] || []]));
  return { upTo, own, most: below.reduce((a, b) => Math.max(a, b), 0) * 1024 };
}
