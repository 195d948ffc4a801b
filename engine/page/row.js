"use strict";
// One row of the list of domains.

const kDomainParts = [
  { key: "used", name: "used", style: "stack-backed" },
  { key: "cache", name: "cache", style: "stack-cache" },
  { key: "free", name: "free", style: "stack-free" },
  { key: "unknown", name: "not reported", style: "stack-unknown" },
  { key: "ghost", name: "up to the maximum", style: "stack-ghost" },
];
const kFurtherFigures = [["actual", "actual"], ["maximum", "maximum"], ["rss", "resident on the host"], ["headroom", "headroom"],
  ["target", "target"]];
const kSparkWidth = 112, kSparkHeight = 26;

/** The parts of a domain's bar. What no part covers up to actual is not reported. */
function domainSizes(domain) {
  const { used, cache, free, rss, actual = 0, maximum = 0 } = domain;
  const known = (used || 0) + (cache || 0) + (free || 0);
  // A guest's figures are older than its size: after a shrink they may add up to more.
  const fit = known > actual && known > 0 ? actual / known : 1;
  const part = (size) => (size === undefined ? undefined : size * fit);
  return {
    used: part(used), cache: part(cache), free: part(free), rss,
    unknown: Math.max(0, actual - known), ghost: Math.max(0, maximum - actual),
  };
}

/** [name, text, colour] of each figure, for the tip and the domain's own view. */
function figureRows(domain) {
  const rows = kDomainParts.filter(({ key }) => domain[key] !== undefined)
    .map(({ key, name, style }) => [name, bytesText(domain[key]), style]);
  for (const [key, name] of kFurtherFigures) {
    if (domain[key] !== undefined && (key !== "target" || domain.target !== domain.actual)) rows.push([name, bytesText(domain[key])]);
  }
  return rows;
}

/** The words for a domain that is in trouble or in another state than running; empty if neither. */
function troubleText(domain) {
  const state = domain.state && domain.state !== "running" ? domain.state : "";
  return [domain.trouble, state].filter((word, i, all) => word && all.indexOf(word) === i).join(", ");
}

/** "guard: move step, host floor"; empty if no rule limited the domain. */
function rulesText(domain) {
  return (domain.rules || []).length ? "guard: " + domain.rules.join(", ").replaceAll("_", " ") : "";
}

class DomainRow {
  constructor(uuid, show) {
    this.uuid = uuid;
    this.node = element("li", "row");
    this.node.dataset.uuid = uuid;
    this.link = element("a", "name");
    this.link.href = "#domain=" + uuid;
    this.link.tabIndex = -1;
    this.trouble = element("span", "tag bad");
    this.bar = new StackedBar(kDomainParts, ["rss"]);
    this.size = element("span");
    this.spare = element("span", "spare soft");
    this.words = element("span", "words");
    this.rules = element("span", "rules");
    this.spark = svgNode("svg", { class: "chart spark", viewBox: `0 0 ${kSparkWidth} ${kSparkHeight}`, "aria-hidden": "true" });
    const who = element("div", "who"), figures = element("div", "sizes"), decision = element("div", "decision");
    who.append(this.link, this.trouble);
    figures.append(this.size, this.spare);
    decision.append(this.words, " ", this.rules);
    this.node.append(who, this.bar.svg, figures, this.spark, decision);
    this.node.addEventListener("click", (event) => {
      if (!event.target.closest("a") && !String(getSelection())) show(uuid);
    });
    this.node.row = this;
  }

  /** `top`: where the scale of the bar ends; 0: at the domain's maximum. */
  update(domain, top) {
    this.domain = domain;
    setText(this.link, domain.name);
    setShape(this.link, "title", domain.name);
    setText(this.trouble, troubleText(domain));
    setClass(this.trouble, domain.trouble ? "tag bad" : "tag");
    setText(this.size, `${bytesText(domain.actual)} of ${bytesText(domain.maximum)}`);
    setText(this.spare, domain.headroom === undefined ? (domain.reporting === false ? "does not report" : "") : bytesText(domain.headroom) + " headroom");
    setText(this.words, domain.skipped ? "skipped: " + domain.skipped : domain.decision || "");
    setText(this.rules, rulesText(domain));
    setShape(this.words, "title", domain.skipped || domain.decision || "");
    setClass(this.node, "row" + (domain.trouble ? " trouble" : "") + (domain.skipped ? " skipped" : ""));
    const parts = kDomainParts.filter(({ key }) => domain[key] !== undefined).map(({ key, name }) => `${name} ${bytesText(domain[key])}`);
    const rss = domain.rss === undefined ? [] : [`resident ${bytesText(domain.rss)}`];
    this.bar.set(domainSizes(domain), top || domain.maximum || domain.actual || 1,
      [...parts, `actual ${bytesText(domain.actual)}`, `maximum ${bytesText(domain.maximum)}`, ...rss].join(", "));
  }

  /** Remembers the domain's curves; draws them now if the row is on the screen. */
  setHistory(curves, times) {
    this.curves = curves;
    this.times = times;
    this.dirty = true;
    if (this.visible) this.drawSpark();
  }

  drawSpark() {
    if (!this.dirty) return;
    this.dirty = false;
    const { curves, times } = this;
    if (!curves || !times.length) return this.spark.replaceChildren();
    const top = Math.max(1, (this.domain.maximum || 0) / 2 ** 20) * 1.04;
    const plot = plotOf(times, 0, times[times.length - 1], top, kSparkWidth, kSparkHeight);
    this.spark.replaceChildren(...curveLayers(() => curves).flatMap((one) => one(plot) || []));
  }
}

/** A domain's size as an area and what its guest uses as a line, with gaps where it does not report. */
function curveLayers(get) {
  const gone = (key) => () => get()[key].map((value) => value === null);
  return [
    layer.area(() => get().actual, "a-area", gone("actual")),
    layer.line(() => get().actual, "a-line", gone("actual")),
    layer.line(() => get().used, "used-line", gone("used")),
  ];
}
