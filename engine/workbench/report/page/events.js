"use strict";
// The list of a run's events.

/** The groups of kinds, the most important first: a button each. */
const kEventGroups = {
  "kills and errors": ["killed", "killed?", "crashed", "error"],
  "shortages": ["short", "enough"],
  "limited by the guard": ["limited"],
  "starts, stops and others": ["hung", "started", "restarted", "stopped", "not moved", "skipped", "eligible", "note"],
  "moves": ["moved", "would move"],
};
const kBadKinds = new Set(["killed", "killed?", "crashed", "error", "short", "hung"]);

/** The events of one group, or all, in the visible range and of the chosen domains. A click on a row, or Enter,
    calls go(time, domain). For the Tab key the table is one control, in which the arrow keys move. */
class EventList {
  constructor(data, view, go) {
    Object.assign(this, { data, view, go, wanted: null, chosen: () => true, rows: new Map() });
    this.body = document.getElementById("events-body");
    this.roving = new RovingFocus(this.body, () => [...this.body.children]);
    this.body.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" && event.key !== " ") return;
      event.target.click();
      event.preventDefault();
    });
    this.buttons();
    view.watchers.push(() => { clearTimeout(this.later); this.later = setTimeout(() => this.show(), 120); });
    this.show();
  }

  /** Lists only events of domains for which `chosen(name)` holds; the host's name is empty. */
  choose(chosen) {
    this.chosen = chosen;
    this.show();
  }

  buttons() {
    const box = document.getElementById("events-kinds");
    const add = (text, kinds) => {
      const made = element("button", "", text);
      made.type = "button";
      made.setAttribute("aria-pressed", String(kinds === this.wanted));
      made.onclick = () => {
        this.wanted = kinds;
        for (const other of box.children) other.setAttribute("aria-pressed", String(other === made));
        this.show();
      };
      box.append(made);
    };
    add(`all ${this.data.events.length}`, null);
    for (const [name, kinds] of Object.entries(kEventGroups)) {
      const count = this.data.events.filter((event) => kinds.includes(event[1])).length;
      if (count) add(`${name} ${count}`, kinds);
    }
  }

  row(event) {
    if (this.rows.has(event)) return this.rows.get(event);
    const [ms, kind, domain, text] = event;
    const made = element("tr", "go");
    made.append(element("td", "", this.view.timeText(ms / 1000)), element("td", kBadKinds.has(kind) ? "left bad" : "left", kind),
      element("td", "left name", domain || "\u2014"), element("td", "left text", text));
    made.tabIndex = -1;
    made.onclick = () => this.go(ms / 1000, domain);
    this.rows.set(event, made);
    return made;
  }

  show() {
    const most = 500, { view, wanted, data } = this;
    const visible = data.events.filter(([ms, kind, domain]) => (!wanted || wanted.includes(kind)) &&
      ms / 1000 >= view.from && ms / 1000 <= view.to && this.chosen(domain));
    const focused = document.activeElement;
    this.body.replaceChildren(...visible.slice(0, most).map((event) => this.row(event)));
    const within = this.body.contains(focused);
    this.roving.setCurrent(within ? focused : this.body.firstElementChild);
    if (within) focused.focus({ preventScroll: true });
    const more = [];
    if (visible.length > most) more.push(`the first ${most} of ${visible.length} are listed; zoom in for the others`);
    if (!visible.length) more.push("no such event in this range of time");
    if (data.eventsLeftOut) more.push(data.eventsLeftOut);
    document.getElementById("events-more").textContent = more.join("; ");
  }
}
