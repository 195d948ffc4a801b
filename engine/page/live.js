"use strict";
// The live page: asks memcoord for its newest tick, and shows it.

class LivePage {
  constructor() {
    const node = (id) => document.getElementById(id);
    this.node = node;
    this.host = new HostView();
    this.list = new DomainList((uuid) => this.goTo(uuid));
    this.detail = new DomainDetail(() => this.goBack());
    this.fit = new FitQuestion();
    this.policies = new PolicyQuestion();
    this.waiting = [...document.querySelectorAll(".waits")]; // for the first answer
    this.live = null;
    this.answeredTime = null; // Unix seconds of the last answer
    this.tickAt = 0; // performance.now() of the newest tick
    this.historyAt = -Infinity;
    this.historyPause = 5; // seconds from one question for curves to the next
    this.listScroll = 0;
    addEventListener("hashchange", () => this.route());
    addEventListener("keydown", (event) => this.onKey(event));
    setInterval(() => { if (!document.hidden) this.showAge(); }, 1000);
    this.poll = new Poll(() => this.refresh(), (error) => this.showLost(error));
  }

  /** One poll. Returns the seconds until the next. */
  async refresh() {
    const live = await queryJson("v1/live");
    if (!live || !Array.isArray(live.domains)) throw new QueryError("the answer is not from memcoord.", 0);
    const restarted = this.live && this.live.started_at !== live.started_at;
    const newTick = !this.live || restarted || (live.tick || {}).number !== (this.live.tick || {}).number;
    if (newTick) this.noteTick(live, !this.live);
    this.live = live;
    this.answeredTime = Date.now() / 1000;
    this.show(live);
    if (newTick) this.fit.refresh();
    if (newTick || !this.detail.explanation.shownText) this.detail.refresh(this.historyPause);
    if (restarted) this.historyAt = -Infinity;
    await this.refreshHistory();
    return Math.max(1, Math.min(10, live.interval_seconds || 1));
  }

  async refreshHistory() {
    const now = performance.now();
    if (now - this.historyAt < this.historyPause * 1000) return;
    this.historyAt = now;
    let history;
    try {
      history = await queryJson("v1/history");
    } catch (error) {
      if (error instanceof QueryError) return; // the page is of use without it, and the next query tells why
      throw error;
    }
    // A run that has just started shows its first points early.
    this.historyPause = history.times.length < 4 ? 5 : Math.max(5, history.seconds_per_point || 10);
    this.host.setHistory(history);
    this.list.setHistory(history);
  }

  show(live) {
    for (const one of this.waiting.splice(0)) setHidden(one, false);
    setHidden(this.node("connection-lost"), true);
    document.body.classList.remove("lost");
    this.showRun(live);
    this.host.update(live);
    this.list.update(live.domains);
    this.policies.update(live.policies || [], live.fallback || live.policy);
    this.route();
    document.title = (live.state ? live.state + " \u00b7 " : "") + "memcoord " + (live.connection || "");
  }

  showRun(live) {
    const value = (id, text) => setText(this.node(id).querySelector("b"), text);
    setText(this.node("connection"), live.connection || "");
    value("run-policy", live.policy || "\u2014");
    value("run-interval", timeText(live.interval_seconds || 0));
    value("run-tick", live.tick ? String(live.tick.number) : "none yet");
    value("run-version", live.version || "\u2014");
    value("run-started", new Date(live.started_at * 1000).toLocaleString(undefined, { dateStyle: "medium", timeStyle: "short" }));
    const notice = (id, text) => {
      setHidden(this.node(id), !text);
      if (text) setText(this.node(id).querySelector("span"), text);
    };
    notice("dry-run", live.dry_run && "memcoord decides but moves no memory.");
    notice("fallback", live.fallback && `${live.fallback} decides, because ${live.policy} failed.`);
    notice("paused", (live.paused || []).join("; "));
    const problems = live.problems || [], list = this.node("problems"), shown = problems.join("\n");
    setHidden(list, !problems.length);
    if (list.shownText !== shown) list.replaceChildren(...problems.map((problem) => element("li", "", problem)));
    list.shownText = shown;
    this.showAge();
  }

  /** Remembers when the page saw a new tick. Only the first can be older than an interval. */
  noteTick(live, first) {
    if (!live.tick) return;
    const old = Math.max(0, live.now - live.tick.time);
    // A simulated host's clock has another date.
    const age = old > 86400 ? 0 : first ? old : Math.min(old, live.interval_seconds);
    this.tickAt = performance.now() - age * 1000;
  }

  showAge() {
    const { live } = this, age = this.node("run-age");
    if (!live || !live.tick) return setText(age, "");
    const seconds = (performance.now() - this.tickAt) / 1000;
    setText(age, timeText(Math.floor(seconds)) + " ago");
    setClass(age, seconds > 3 * live.interval_seconds + 5 ? "bad" : "");
  }

  showLost(error) {
    const since = this.answeredTime ? ` since ${clockText(this.answeredTime)}` : "";
    const what = !(error instanceof QueryError) ? "This page has an error: " + error.message
      : error.status ? error.message : `No answer from memcoord${since}: ${error.message}`;
    const then = this.answeredTime && error.status !== 0 ? `The figures are of ${clockText(this.answeredTime)}. ` : "";
    setText(this.node("connection-lost"), `${what} ${then}The page tries again by itself.`);
    setHidden(this.node("connection-lost"), false);
    document.body.classList.add("lost");
    document.title = "no answer \u00b7 memcoord";
  }

  // --- which view is open: the address says it ---

  openUuid() {
    const found = /^#domain=([0-9a-fA-F-]+)$/.exec(location.hash);
    return found ? found[1].toLowerCase() : null;
  }

  route() {
    if (!this.live) return;
    const uuid = this.openUuid(), open = this.detail.uuid;
    for (const id of ["domains-section", "what-if", "host-hour", "host-legend"]) setHidden(this.node(id), uuid !== null);
    if (uuid === null) {
      if (open !== null) this.returnFrom(open);
      return;
    }
    const domain = this.live.domains.find((one) => one.uuid === uuid);
    this.detail.open(uuid, domain);
    this.detail.update(domain);
    if (open !== uuid) this.detail.refresh(this.historyPause);
  }

  /** Shows the list again as it was, with the focus on the row of the domain. */
  returnFrom(uuid) {
    this.detail.hide();
    const row = this.list.rows.get(uuid);
    if (row && row.node.isConnected) {
      this.list.focus.setCurrent(row.link);
      row.link.focus({ preventScroll: true });
    }
    scrollTo(0, this.listScroll);
  }

  goTo(uuid) {
    this.listScroll = scrollY;
    location.hash = "domain=" + uuid;
  }

  goBack() {
    location.hash = "";
  }

  onKey(event) {
    if (event.ctrlKey || event.altKey || event.metaKey || event.defaultPrevented) return;
    const typing = event.target.matches("input, select, textarea");
    if (event.key === "Escape" && this.openUuid() !== null && !typing && !(this.detail.view && !this.detail.view.isWhole())) {
      this.goBack();
    } else if (event.key === "/" && !typing && this.openUuid() === null) {
      event.preventDefault();
      this.node("filter").focus();
    }
  }
}

new LivePage();
