"use strict";
// The layers of a chart: step curves, areas, levels, spans, marks. A layer is a function from a plot to
// an SVG node, to a list of nodes, or to null.

/** The visible intervals in groups that share a pixel and are drawn as one: [first, end) of each. */
function groups(plot) {
  const out = [];
  const per = (plot.last - plot.first) / Math.max(1, plot.w);
  if (per <= 1) {
    for (let i = plot.first; i < plot.last; ++i) out.push([i, i + 1]);
    return out;
  }
  for (let i = plot.first; i < plot.last;) {
    const edge = Math.floor(plot.x(plot.times[i])) + 1;
    let next = i + 1;
    while (next < plot.last && plot.x(plot.times[next]) < edge) ++next;
    out.push([i, next]);
    i = next;
  }
  return out;
}

const startOf = (plot, i) => plot.x(i ? plot.times[i - 1] : 0);
const endOf = (plot, i) => plot.x(plot.times[i]);
const short = (number) => Math.round(number * 10) / 10;

/** A step curve: each value holds over its interval. Intervals that `gone` marks are left out. */
function stepLine(plot, values, gone) {
  let path = "", drawing = false, last = NaN;
  for (const [first, end] of groups(plot)) {
    if (gone && gone[end - 1]) { drawing = false; continue; }
    let low = Infinity, high = -Infinity;
    for (let i = first; i < end; ++i) { low = Math.min(low, values[i]); high = Math.max(high, values[i]); }
    const final = values[end - 1];
    if (!drawing) path += `M${short(startOf(plot, first))} ${short(plot.y(values[first]))}`;
    else if (low === high && final === last) { path += `H${short(endOf(plot, end - 1))}`; continue; }
    if (low !== high) path += `V${short(plot.y(high))}V${short(plot.y(low))}`;
    path += `V${short(plot.y(final))}H${short(endOf(plot, end - 1))}`;
    drawing = true;
    last = final;
  }
  return path;
}

/** The area under a step curve over the intervals in `picks`, one per group. */
function stepArea(plot, values, picks, gone) {
  let path = "", drawing = false, x = 0;
  const close = () => { if (drawing) path += `V${short(plot.h)}Z`; drawing = false; };
  picks.forEach(([pick, first, end]) => {
    if (gone && gone[pick]) return close();
    if (!drawing) path += `M${short(startOf(plot, first))} ${short(plot.h)}`;
    drawing = true;
    x = endOf(plot, end - 1);
    path += `V${short(plot.y(values[pick]))}H${short(x)}`;
  });
  close();
  return path;
}

/** For each group, the interval with the largest value. */
function peaks(plot, values) {
  return groups(plot).map(([first, end]) => {
    let pick = first;
    for (let i = first; i < end; ++i) if (values[i] >= values[pick]) pick = i;
    return [pick, first, end];
  });
}

/** [first, end) of the visible runs of intervals for which `is` holds. */
function runsOf(plot, is) {
  const out = [];
  for (let i = plot.first; i < plot.last; ++i) {
    if (!is(i)) continue;
    const first = i;
    while (i + 1 < plot.last && is(i + 1)) ++i;
    out.push([first, i + 1]);
  }
  return out;
}

const pathNode = (style, path) => path && svgNode("path", { class: style, d: path });

const layer = {
  line: (values, style, gone) => (plot) => pathNode(style, stepLine(plot, values(), gone && gone())),
  area: (values, style, gone) => (plot) =>
    pathNode(style, stepArea(plot, values(), peaks(plot, values()), gone && gone())),
  level: (value, style) => (plot) => {
    const y = Math.round(plot.y(value)) + 0.5;
    return pathNode(style, `M0 ${y}H${plot.w}`);
  },
  spans: (is, style, from, to) => (plot) => {
    let path = "", until = -1;
    for (const [first, end] of runsOf(plot, is)) {
      const a = Math.max(until, startOf(plot, first)), b = Math.max(a + 1, endOf(plot, end - 1));
      if (endOf(plot, end - 1) <= until) continue;
      path += `M${short(a)} ${from(plot)}H${short(b)}V${to(plot)}H${short(a)}Z`;
      until = b;
    }
    return pathNode(style, path);
  },
  crosses: (indices, y) => (plot) => {
    let path = "", until = -9;
    for (const i of indices()) {
      if (i < plot.first || i >= plot.last) continue;
      const x = endOf(plot, i), r = 4.5, at = y(plot);
      if (x - until < 3) continue;
      until = x;
      path += `M${short(x - r)} ${at - r}l${2 * r} ${2 * r}m0 ${-2 * r}l${-2 * r} ${2 * r}`;
    }
    return path && [pathNode("oomhalo", path), pathNode("oom", path)];
  },
};

/** A strip that shows, over time, how many domains something happened to. */
function stripLayer(strip, top, height) {
  const most = Math.max(1, strip.counts.reduce((a, b) => Math.max(a, b), 0));
  return (plot) => {
    const nodes = [svgNode("rect", { class: "stripback", x: 0, y: top, width: plot.w, height })];
    let run = null;
    const flush = () => {
      if (run) {
        nodes.push(svgNode("rect", {
          class: "strip " + strip.style, x: short(run.a), y: top, width: short(Math.max(1.5, run.b - run.a)), height,
          opacity: run.strength,
        }));
      }
      run = null;
    };
    for (const [first, end] of groups(plot)) {
      let count = 0;
      for (let i = first; i < end; ++i) count = Math.max(count, strip.counts[i]);
      const strength = count ? (0.35 + (0.65 * count) / most).toFixed(2) : 0;
      if (!run || run.strength !== strength) {
        flush();
        if (count) run = { a: startOf(plot, first), b: 0, strength };
      }
      if (run) run.b = endOf(plot, end - 1);
    }
    flush();
    return nodes;
  };
}
