"use strict";
// The list of domains: one row a domain, changed in place; sorted, filtered, walked with arrow keys.

const kNames = new Intl.Collator(undefined, { numeric: true });
const kByName = (a, b) => kNames.compare(a.name, b.name) || (a.uuid < b.uuid ? -1 : 1);
const kOrders = {
  trouble: (a, b) => troubleRank(a) - troubleRank(b) || kByName(a, b),
  name: kByName,
  size: (a, b) => (b.actual || 0) - (a.actual || 0) || kByName(a, b),
  headroom: (a, b) => (a.headroom ?? Infinity) - (b.headroom ?? Infinity) || kByName(a, b),
};

// Not whether a domain is skipped: many are for one tick at a time, and rows would jump.
function troubleRank(domain) {
  return domain.trouble ? 0 : domain.state && domain.state !== "running" ? 1 : 2;
}

class DomainList {
  /** `show(uuid)` opens a domain. */
  constructor(show) {
    const node = (id) => document.getElementById(id);
    this.show = show;
    this.list = node("domains");
    this.filter = node("filter");
    this.only = node("only-trouble");
    this.sort = node("sort");
    this.scale = node("scale");
    this.count = node("domains-count");
    this.empty = node("domains-empty");
    this.rows = new Map();
    this.order = [];
    this.domains = [];
    this.focus = new RovingFocus(this.list, () => this.order.map((row) => row.link));
    this.touched = -Infinity;
    this.shown = new IntersectionObserver((entries) => {
      for (const { target, isIntersecting } of entries) {
        target.row.visible = isIntersecting;
        if (isIntersecting) target.row.drawSpark();
      }
    }, { rootMargin: "300px" });
    node("domains-legend").append(legend([
      ...kDomainParts.map(({ style, name }) => [partKey(style), name]), [markKey("rss"), "resident on the host"],
      [kKeys.area("a-area"), "actual, last hour"], [kKeys.line("used-line"), "used, last hour"]]));
    this.listen();
  }

  listen() {
    this.filter.addEventListener("input", () => this.arrange());
    this.scale.addEventListener("change", () => this.update(this.domains));
    this.sort.addEventListener("change", () => this.arrange());
    this.only.addEventListener("click", () => {
      this.only.setAttribute("aria-pressed", String(this.only.getAttribute("aria-pressed") !== "true"));
      this.arrange();
    });
    this.filter.addEventListener("keydown", (event) => {
      if (event.key === "ArrowDown" && this.order.length) {
        event.preventDefault();
        this.focus.focus(this.order[0].link);
      }
    });
    for (const kind of ["pointermove", "keydown"]) {
      this.list.addEventListener(kind, () => { this.touched = performance.now(); });
    }
    this.list.addEventListener("pointerover", (event) => {
      const stack = event.target.closest(".stack");
      if (!stack) return hideTip();
      const { domain } = stack.closest(".row").row;
      placeTip({ title: domain.name, rows: figureRows(domain), notes: [] }, event);
    });
    this.list.addEventListener("pointerleave", hideTip);
  }

  /** The domains of /v1/live. */
  update(domains) {
    this.domains = domains;
    const top = this.scale.value === "common" ? domains.reduce((most, one) => Math.max(most, one.maximum || 0), 0) : 0;
    const here = new Set();
    for (const domain of domains) {
      here.add(domain.uuid);
      let row = this.rows.get(domain.uuid);
      if (!row) this.rows.set(domain.uuid, row = this.makeRow(domain.uuid));
      row.update(domain, top);
    }
    for (const [uuid, row] of this.rows) if (!here.has(uuid)) this.removeRow(uuid, row);
    // Rows stay in place while somebody points at them or walks through them.
    this.arrange(performance.now() - this.touched < 4000);
  }

  makeRow(uuid) {
    const row = new DomainRow(uuid, this.show);
    this.shown.observe(row.node);
    if (this.history) row.setHistory(this.history.domains[uuid], this.historyTimes);
    return row;
  }

  removeRow(uuid, row) {
    this.shown.unobserve(row.node);
    row.node.remove();
    this.rows.delete(uuid);
  }

  /** The answer of /v1/history. */
  setHistory(history) {
    this.history = history;
    this.historyTimes = relativeTimes(history).times;
    for (const [uuid, row] of this.rows) row.setHistory(history.domains[uuid], this.historyTimes);
  }

  /** Puts the rows that match in order. `keepOrder`: only rows that are new move. */
  arrange(keepOrder = false) {
    const wanted = this.filter.value.trim().toLowerCase();
    const only = this.only.getAttribute("aria-pressed") === "true";
    const matching = this.domains.filter((domain) =>
      (!wanted || domain.name.toLowerCase().includes(wanted) || domain.uuid.startsWith(wanted)) && (!only || domain.trouble));
    const place = new Map(this.order.map((row, i) => [row.uuid, i]));
    const order = kOrders[this.sort.value] || kByName;
    matching.sort(keepOrder ? (a, b) => (place.get(a.uuid) ?? 1e9) - (place.get(b.uuid) ?? 1e9) || order(a, b) : order);
    this.place(matching.map((domain) => this.rows.get(domain.uuid)));
    const total = this.domains.length, trouble = this.domains.filter((domain) => domain.trouble).length;
    setText(this.count, (matching.length === total ? String(total) : `${matching.length} of ${total}`) +
      (trouble ? `, ${trouble} in trouble` : ""));
    setHidden(this.empty, matching.length > 0);
    setText(this.empty, total ? "No domain matches." : "No domain runs.");
  }

  place(rows) {
    const wanted = new Set(rows), focused = this.list.contains(document.activeElement) ? document.activeElement : null;
    for (const row of this.order) if (!wanted.has(row)) row.node.remove();
    let next = this.list.firstElementChild;
    for (const row of rows) {
      if (row.node === next) next = next.nextElementSibling;
      else this.list.insertBefore(row.node, next);
    }
    this.order = rows;
    // A row that moves in the document loses the focus.
    if (focused && focused.isConnected && document.activeElement !== focused) focused.focus({ preventScroll: true });
    this.focus.refresh();
  }
}
