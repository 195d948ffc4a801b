"use strict";
// Parts of both pages: controls, and the layers of a domain's and the host's chart.

/** The bar with the visible range of time, and a button that shows the whole run. */
function rangeControls(view, bar) {
  const range = element("span", "range"), whole = element("button", "", "Whole run");
  whole.type = "button";
  whole.onclick = () => view.zoomTo(0, view.end);
  const update = () => {
    range.textContent = view.timeText(view.from) + " \u2013 " + view.timeText(view.to);
    whole.disabled = view.isWhole();
  };
  view.watchers.push(update);
  update();
  bar.append(range, whole);
}

/** The layers of one domain's chart. */
function domainLayers(get, maximum) {
  return [
    layer.spans((i) => get().stalled[i], "stall", () => 0, (plot) => plot.h),
    layer.area(() => get().actual, "a-area", () => get().away),
    layer.area(() => get().need, "need-area", () => get().away),
    layer.spans((i) => get().stalled[i], "stallbar", () => 0, () => 3),
    layer.line(() => get().actual, "a-line", () => get().away),
    layer.level(maximum, "level"),
    layer.line(() => get().unused, "unused", () => get().away),
    layer.line(() => get().need, "need", () => get().away),
    layer.spans((i) => get().rules[i], "limitmark", (plot) => plot.h - 5, (plot) => plot.h),
    layer.crosses(() => get().oom, () => 8),
  ];
}

function domainLegend() {
  return legend([
    [kKeys.area("a-area"), "actual: the balloon's size"],
    [kKeys.line("need"), "need: demand and kernel"],
    [kKeys.line("unused"), "unused"],
    [kKeys.line("level"), "maximum"],
    [kKeys.area("stall"), "stalled: the demand did not fit"],
    [kKeys.cross(), "OOM kill"],
    [kKeys.mark("limitmark"), "limited by a guard rule"],
  ]);
}

function domainFigures(open, i, maximum) {
  if (open.away[i]) return [["not running", ""]];
  return [
    ["actual", sizeText(open.actual[i]), "actual"],
    ["need", sizeText(open.need[i]), "need"],
    ["unused", sizeText(open.unused[i]), "unused"],
    ["usable", sizeText(open.usable[i])],
    ["maximum", sizeText(maximum)],
  ];
}

function domainNotes(open, i, rules) {
  const notes = [];
  if (open.stalled[i]) notes.push("stalled: its demand did not fit");
  if (open.oom.includes(i)) notes.push("its OOM killer ended the workload");
  const bit = rules.filter((_, r) => open.rules[i] & (1 << r));
  if (bit.length) notes.push("guard: " + bit.join(", "));
  return notes;
}

/** One domain's chart; `place` holds what differs between the pages: name, rules, spec. */
function domainPanel(view, box, domain, times, place) {
  const get = () => openDomain(domain, times.length);
  return new Panel(view, box, {
    ...place.spec,
    name: place.name,
    label: `${place.name}: memory over time; arrow keys move along it, + and - zoom`,
    keys: true,
    times,
    top: domain.maximum * 1.05,
    layers: domainLayers(get, domain.maximum),
    figures: (i) => domainFigures(get(), i, domain.maximum),
    notes: (i) => domainNotes(get(), i, place.rules),
  });
}

// --- the host's chart ---

function hostLayers(host, total, floor) {
  return [
    layer.area(() => host.granted, "a-area"),
    layer.line(() => host.granted, "a-line"),
    layer.area(() => host.free, "free-area"),
    layer.line(() => host.free, "free"),
    layer.level(total, "level"),
    layer.level(floor, "floor"),
    layer.line(() => host.need, "halo"),
    layer.line(() => host.need, "needH"),
  ];
}

function hostLegend() {
  return legend([
    [kKeys.area("a-area"), "granted: all domains' actual"],
    [kKeys.line("needH"), "need of all domains"],
    [kKeys.line("free"), "free on the host"],
    [kKeys.line("level"), "the host's memory"],
    [kKeys.line("floor"), "the host's floor"],
  ]);
}

function hostFigures(host, i, total) {
  return [
    ["granted", sizeText(host.granted[i]), "actual"],
    ["need", sizeText(host.need[i]), "ink"],
    ["free (smallest)", sizeText(host.free[i]), "unused"],
    ["the host's memory", sizeText(total)],
  ];
}

/** The top of the host's scale: the largest of the host, all grants and all needs. */
function hostTop(host, total) {
  let most = total;
  for (const list of [host.granted, host.need]) for (const value of list) most = Math.max(most, value);
  return most * 1.04;
}

/** In each interval, how many domains something happened to. */
function countsOf(domains, count, rangesOf) {
  const counts = new Uint16Array(count);
  for (const domain of domains) {
    for (const [first, end] of rangesOf(domain)) for (let i = first; i < end; ++i) ++counts[i];
  }
  return counts;
}

function pairs(list) {
  const out = [];
  for (let i = 0; i < list.length; i += 2) out.push([list[i], list[i + 1]]);
  return out;
}

function stripsOf(record, count) {
  return [
    { name: "stalled", style: "bad", counts: countsOf(record.domains, count, (d) => pairs(d.stalledRuns)) },
    { name: "OOM kills", style: "bad", counts: countsOf(record.domains, count, (d) => d.oomAt.map((i) => [i, i + 1])) },
    { name: "guard", style: "", counts: countsOf(record.domains, count, (d) => pairs(d.ruleMasks).map(([i]) => [i, i + 1])) },
  ];
}

/** The strips that show how many domains were stalled, killed or limited, over time. */
function stripsPanel(view, box, strips, times, margins) {
  const height = 11, step = 15;
  return new Panel(view, box, {
    height: strips.length * step + 2,
    times, axis: false, margins: { ...margins, above: 1 },
    label: "how many domains were stalled, killed or limited over time",
    layers: strips.map((strip, row) => stripLayer(strip, row * step, height)),
    around: [() => strips.map((strip, row) =>
      svgNode("text", { x: margins.left - 6, y: row * step + 10, "text-anchor": "end" }, strip.name))],
    figures: (i) => strips.map((strip) => [strip.name, strip.counts[i] + (strip.counts[i] === 1 ? " domain" : " domains")]),
  });
}
