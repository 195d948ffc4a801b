"use strict";
// Parts of both pages: controls, and the layers of a domain's and the host's chart.

/** The bar with the visible range of time, and buttons that zoom. */
function rangeControls(view, bar) {
  const range = element("span", "range");
  const button = (text, what, act) => {
    const made = element("button", "", text);
    made.type = "button";
    if (what) made.setAttribute("aria-label", what);
    made.onclick = act;
    return made;
  };
  const whole = button(words.whole, "", () => view.zoomTo(0, view.end));
  const zooms = element("span", "seg");
  zooms.append(button("\u2212", "show more time", () => view.zoomBy(2)), button("+", "show less time", () => view.zoomBy(0.5)), whole);
  const update = () => {
    range.textContent = view.timeText(view.from) + " \u2013 " + view.timeText(view.to);
    whole.disabled = zooms.firstChild.disabled = view.isWhole();
  };
  view.watchers.push(update);
  update();
  bar.append(range, zooms);
}

const killsText = (count) => `${count} ${words.kill[count === 1 ? 0 : 1]}`;

/** What a card says of its domain beside the name. */
function domainTags(domain) {
  const tags = [];
  if (domain.oom) tags.push(element("span", "tag bad", killsText(domain.oom)));
  if (domain.stalled > 0) tags.push(element("span", "tag bad", words.short + " " + percentText(domain.stalled)));
  else if (!domain.oom) tags.push(element("span", "tag", words.never));
  return tags;
}

/** The layers of one domain's chart. */
function domainLayers(get, maximum) {
  return [
    layer.spans((i) => get().stalled[i], "stall", () => 0, (plot) => plot.h),
    layer.area(() => get().actual, "a-area", () => get().away),
    layer.area(() => get().need, "need-area", () => get().blind),
    layer.spans((i) => get().stalled[i], "stallbar", () => 0, () => 3),
    layer.line(() => get().actual, "a-line", () => get().away),
    layer.level(maximum, "level"),
    layer.line(() => get().unused, "unused", () => get().blind),
    layer.line(() => get().need, "need", () => get().blind),
    layer.spans((i) => get().rules[i], "limitmark", (plot) => plot.h - 5, (plot) => plot.h),
    layer.crosses(() => get().oom, () => 8),
  ];
}

function domainLegend() {
  return legend([
    [kKeys.area("a-area"), "actual: the balloon's size"],
    [kKeys.line("need"), words.needLong],
    [kKeys.line("unused"), "unused"],
    [kKeys.line("level"), "maximum"],
    [kKeys.area("stall"), words.shortLong],
    [kKeys.cross(), words.kill[0]],
    [kKeys.mark("limitmark"), "limited by a guard rule"],
  ]);
}

function domainFigures(open, i, maximum) {
  if (open.away[i]) return [["not running", ""]];
  const actual = ["actual", sizeText(open.actual[i]), "actual"];
  if (open.silent[i]) return [actual, ["no report of its guest", ""], ["maximum", sizeText(maximum)]];
  return [
    actual,
    [words.need, sizeText(open.need[i]), "need"],
    ["unused", sizeText(open.unused[i]), "unused"],
    ["usable", sizeText(open.usable[i])],
    ["maximum", sizeText(maximum)],
  ];
}

function domainNotes(open, i, rules) {
  const notes = [];
  if (open.stalled[i]) notes.push(words.shortLong);
  if (open.oom.includes(i)) notes.push(words.killNote);
  const limiting = rules.filter((_, r) => open.rules[i] & (1 << r));
  if (limiting.length) notes.push("limited by " + limiting.join(", "));
  return notes;
}

/** One domain's chart; `place` holds what differs between the pages: name, rules, spec, keys. */
function domainPanel(view, box, domain, times, place) {
  const get = () => openDomain(domain, times.length);
  return new Panel(view, box, {
    ...place.spec,
    name: place.name,
    label: `${place.name}: memory over time; arrow keys move along it, + and - zoom`,
    keys: place.keys || true,
    times,
    top: domain.maximum * 1.05,
    layers: domainLayers(get, domain.maximum),
    figures: (i) => domainFigures(get(), i, domain.maximum),
    notes: (i) => domainNotes(get(), i, place.rules),
  });
}

// --- the host's chart ---

function hostLayers(host, total, floor) {
  const away = () => host.away;
  return [
    layer.spans((i) => host.away[i], "away", () => 0, (plot) => plot.h),
    layer.area(() => host.granted, "a-area", away),
    layer.line(() => host.granted, "a-line", away),
    layer.area(() => host.free, "free-area", away),
    layer.line(() => host.free, "free", away),
    layer.level(total, "level"),
    layer.level(floor, "floor"),
    layer.line(() => host.need, "halo", away),
    layer.line(() => host.need, "needH", away),
  ];
}

function hostLegend() {
  return legend([
    [kKeys.area("a-area"), "granted: all domains' actual"],
    [kKeys.line("needH"), words.needAll],
    [kKeys.line("free"), "free on the host"],
    [kKeys.line("level"), "the host's memory"],
    [kKeys.line("floor"), "the host's floor"],
    ...(words === kWords.recorded ? [[kKeys.area("away"), "nothing was recorded"]] : []),
  ]);
}

function hostFigures(host, i, total) {
  if (host.away[i]) return [["nothing was recorded", ""]];
  return [
    ["granted", sizeText(host.granted[i]), "actual"],
    [words.need, sizeText(host.need[i]), "ink"],
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
    { name: words.short, style: "bad", counts: countsOf(record.domains, count, (d) => pairs(d.stalledRuns)) },
    { name: "kills", style: "bad", counts: countsOf(record.domains, count, (d) => d.oomAt.map((i) => [i, i + 1])) },
    { name: "limited", style: "", counts: countsOf(record.domains, count, (d) => pairs(d.ruleMasks).map(([i]) => [i, i + 1])) },
  ];
}

/** The strips that show how many domains were stalled, killed or limited, over time. */
function stripsPanel(view, box, strips, times, margins) {
  const height = 11, step = 15;
  return new Panel(view, box, {
    height: strips.length * step + 2,
    times, axis: false, margins: { ...margins, above: 1 },
    label: `how many domains were ${words.short}, killed or limited over time`,
    layers: strips.map((strip, row) => stripLayer(strip, row * step, height)),
    around: [() => strips.map((strip, row) =>
      svgNode("text", { x: margins.left - 6, y: row * step + 10, "text-anchor": "end" }, strip.name))],
    figures: (i) => strips.map((strip) => [strip.name, strip.counts[i] + (strip.counts[i] === 1 ? " domain" : " domains")]),
  });
}
