"use strict";
// A domain's own view: its figures, its hour, its moves, its explanation. The address names it:
// #domain=UUID.

/** Why a move was made: its text without the sizes, "512 MiB -> 619 MiB (+107 MiB): its share". */
function reasonOf(move) {
  return (move.text || "").replace(/^[^:]* -> [^:]*: /, "");
}

class DomainDetail {
  constructor(close) {
    this.close = close;
    this.node = document.getElementById("detail");
    this.uuid = null;
    const back = element("a", "back", "\u2190 All domains");
    back.href = "#";
    back.id = "back";
    back.addEventListener("click", (event) => {
      event.preventDefault();
      close();
    });
    this.name = element("h2");
    this.name.id = "detail-name";
    this.name.tabIndex = -1;
    this.trouble = element("span", "tag bad");
    const head = element("div", "head");
    head.append(this.name, this.trouble);
    this.words = element("p", "decision");
    this.bar = new StackedBar(kDomainParts, ["rss"]);
    this.figures = element("ul", "figures");
    this.hour = element("div", "hour");
    this.hour.id = "detail-hour";
    this.node.append(back, head, this.words, this.bar.svg, this.figures, this.hour, this.makeColumns());
  }

  makeColumns() {
    const columns = element("div", "two"), left = element("div"), right = element("div");
    this.explanation = element("pre", "explanation");
    this.explanation.id = "explanation";
    this.explanation.tabIndex = 0;
    this.explanation.setAttribute("aria-label", "Explanation");
    left.append(element("h3", "", "Why"), this.explanation);
    this.moves = element("table", "data");
    this.moves.id = "moves";
    this.noMoves = element("p", "soft", "");
    const scroll = element("div", "scroll");
    scroll.tabIndex = 0;
    scroll.append(this.moves);
    this.scroll = scroll;
    this.movesTitle = element("h3", "", "Last moves");
    this.movesTitle.id = "moves-title";
    right.append(this.movesTitle, scroll, this.noMoves);
    columns.append(left, right);
    return columns;
  }

  open(uuid, domain) {
    const other = this.uuid !== uuid;
    this.uuid = uuid;
    setHidden(this.node, false);
    if (!other) return;
    this.asked = -Infinity;
    setText(this.explanation, "");
    this.moves.replaceChildren();
    this.scroll.hidden = true;
    setText(this.noMoves, "");
    if (this.panel) this.panel.svg.hidden = true;
    this.update(domain);
    this.name.focus({ preventScroll: true });
    scrollTo(0, 0);
  }

  hide() {
    this.uuid = null;
    setHidden(this.node, true);
  }

  /** The domain in /v1/live; undefined if it does not run any more. */
  update(domain) {
    this.domain = domain;
    setText(this.name, domain ? domain.name : "This domain does not run now");
    setText(this.trouble, domain ? troubleText(domain) : "");
    setHidden(this.trouble, !this.trouble.shownText);
    setClass(this.trouble, domain && domain.trouble ? "tag bad" : "tag");
    const words = !domain ? "No active domain has the UUID " + this.uuid + "." :
      (domain.skipped ? "Skipped: " + domain.skipped : domain.decision || "") +
      (rulesText(domain) ? " \u00b7 " + rulesText(domain) : "");
    setText(this.words, words);
    setHidden(this.bar.svg, !domain);
    if (!domain) return this.figures.replaceChildren();
    const rows = figureRows(domain);
    if (domain.weight !== undefined && domain.weight !== 1) rows.push(["weight", String(domain.weight)]);
    if (domain.priority) rows.push(["priority", String(domain.priority)]);
    this.bar.set(domainSizes(domain), domain.maximum || domain.actual || 1, rows.map(([name, text]) => name + " " + text).join(", "));
    this.figures.replaceChildren(...rows.map(([name, text, style]) => {
      const item = element("li");
      if (style) item.append(partKey(style));
      if (name === "resident on the host") item.append(markKey("rss"));
      item.append(name + " ", element("b", "", text));
      return item;
    }));
  }

  /** Asks for what /v1/live does not have; the curves only after `pause` seconds. */
  async refresh(pause) {
    const { uuid, domain } = this;
    if (!uuid || !domain) return;
    const path = "v1/domains/" + encodeURIComponent(uuid) + "?as=text";
    const text = await queryText(path).catch((error) => error.message);
    if (this.uuid !== uuid) return;
    setText(this.explanation, text.trimEnd());
    const now = performance.now();
    if (now - this.asked < pause * 1000) return;
    this.asked = now;
    const history = await queryJson("v1/history?domain=" + encodeURIComponent(uuid)).catch(() => null);
    if (this.uuid === uuid && history) this.setHistory(history);
  }

  setHistory(history) {
    const { times, start } = relativeTimes(history);
    if (times.length) this.drawHour(history, times, start);
    const moves = [...(history.moves || [])].reverse();
    this.scroll.hidden = !moves.length;
    setText(this.noMoves, moves.length ? "" : "Its balloon was not moved.");
    // A run can change to a dry run and back, so that the list has both kinds.
    const allDry = moves.length > 0 && moves.every((move) => move.dry_run);
    setText(this.movesTitle, allDry ? "Last decisions (dry run)" : "Last moves");
    const body = element("tbody");
    body.append(...moves.map((move) => {
      const row = element("tr");
      row.append(element("td", "", clockText(move.time)), element("td", "", bytesText(move.from)),
        element("td", "", bytesText(move.to)), element("td", "left text", (move.dry_run && !allDry ? "dry run: " : "") + reasonOf(move)));
      return row;
    }));
    this.moves.replaceChildren(tableHead([["time", ""], ["from", ""], ["to", ""], ["why", "left"]]), body);
  }

  drawHour(history, times, start) {
    const kibs = (list) => (list || []).map((size) => (size === null ? null : size / 1024));
    this.curves = Object.fromEntries(["actual", "used", "rss", "maximum"].map((key) => [key, kibs(history[key])]));
    const end = times[times.length - 1];
    if (!this.panel) this.makePanel(times, start, end);
    this.panel.svg.hidden = false;
    this.panel.spec.times = times;
    this.panel.spec.name = this.domain ? this.domain.name : "";
    this.view.moveTo(start, end);
  }

  makePanel(times, start, end) {
    this.view = new View(end, start);
    const get = () => this.curves;
    const line = (key, style) => layer.line(() => get()[key], style, () => get()[key].map((size) => size === null));
    this.panel = new Panel(this.view, this.hour, {
      height: 190, usualWidth: 1200, times, margins: { left: 58, right: 4 }, keys: true,
      label: "The domain's memory in the last hour; arrow keys move along it, + and - zoom",
      top: () => Math.max(1, ...get().maximum, ...get().actual, ...get().rss) * 1.04,
      layers: [...curveLayers(get), line("rss", "rss-line"), line("maximum", "level")],
      figures: (i) => [["actual", "actual", "actual"], ["used", "used", "need"], ["rss", "resident on the host", "ink"], ["maximum", "maximum", ""]]
        .filter(([key]) => (get()[key][i] ?? null) !== null).map(([key, name, color]) => [name, sizeText(get()[key][i]), color]),
    });
    this.hour.prepend(legend([[kKeys.area("a-area"), "actual"], [kKeys.line("used-line"), "used"],
      [kKeys.line("rss-line"), "resident on the host"], [kKeys.line("level"), "maximum"]]));
    this.view.drawFirst();
  }
}
