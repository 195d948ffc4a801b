"use strict";
// The page of one run: the host's curves, a card for each domain, the events.

(function () {
  const data = openData();
  const record = data.record;
  const { times, host } = openRecord(record);
  if (!times.length) return;
  const view = new View(times[times.length - 1]);
  const cards = new Map();
  const margins = { left: 74, right: 14 };
  document.getElementById("curves").hidden = false;

  drawHost();
  drawDomains();
  wireEvents();
  view.drawFirst();

  function drawHost() {
    const box = document.getElementById("host");
    const strips = stripsOf(record, times.length);
    const hostOom = data.events.filter((event) => event[1] === "host_oom").map((event) => indexAt(times, event[0] / 1000));
    box.append(hostLegend());
    new Panel(view, box, {
      height: 250, usualWidth: 1200, times, margins, keys: true,
      label: "the host's memory over time; arrow keys move along it, + and - zoom",
      top: hostTop(host, data.hostTotal),
      layers: [...hostLayers(host, data.hostTotal, data.hostFloor), layer.crosses(() => hostOom, () => 9)],
      figures: (i) => hostFigures(host, i, data.hostTotal),
      notes: (i) => [...(hostOom.includes(i) ? ["the host ran out of memory"] : []),
        ...strips.filter((strip) => strip.counts[i]).map((strip) => `${strip.name}: ${strip.counts[i]} of ${record.domains.length} domains`)],
    });
    const caption = element("p", "caption", "number of domains that were stalled, killed or limited:");
    box.append(caption);
    stripsPanel(view, box, strips, times, margins);
    rangeControls(view, document.getElementById("bar"));
  }

  function wasShort(domain) {
    return domain.stalled > 0 || domain.oom > 0;
  }

  function drawDomains() {
    const box = document.getElementById("cards");
    const many = record.domains.length > 24;
    box.classList.toggle("many", many);
    document.getElementById("domains-legend").append(domainLegend());
    record.domains.forEach((domain, i) => {
      domain.place = i;
      domain.card = card(domain, many);
      cards.set(domain.name, domain);
    });
    wireControls(box);
  }

  function card(domain, many) {
    const made = element("article", "card");
    const top = element("div", "top");
    const name = element("h3", "", domain.name);
    name.title = domain.name;
    top.append(name);
    if (domain.oom) top.append(element("span", "tag bad", domain.oom + (domain.oom === 1 ? " OOM kill" : " OOM kills")));
    if (domain.stalled > 0) top.append(element("span", "tag bad", "stalled " + percentText(domain.stalled)));
    else if (!domain.oom) top.append(element("span", "tag", "never stalled"));
    made.append(top);
    const spec = many ? { height: 92, usualWidth: 240, margins: { left: 50, right: 4, below: 15 } } : { height: 150, margins: { left: 52, right: 6 } };
    domainPanel(view, made, domain, times, { name: domain.name, rules: data.rules, spec });
    return made;
  }

  function wireControls(box) {
    const bar = document.getElementById("bar");
    bar.append(element("span", "grow"));
    const search = element("input");
    search.type = "search";
    search.placeholder = "domains by name";
    search.setAttribute("aria-label", "show only domains whose names contain this text");
    const order = element("select");
    order.setAttribute("aria-label", "order of the domains");
    const orders = [
      ["most stalled first", (a, b) => b.oom - a.oom || b.stalled - a.stalled],
      ["by name", (a, b) => a.name.localeCompare(b.name, undefined, { numeric: true })],
      ["largest first", (a, b) => b.maximum - a.maximum],
      ["as in the scenario", () => 0],
    ];
    for (const [text] of orders) order.append(element("option", "", text));
    const onlyShort = element("button", "", "Stalled or killed only");
    onlyShort.type = "button";
    onlyShort.setAttribute("aria-pressed", "false");
    onlyShort.disabled = !record.domains.some(wasShort);
    onlyShort.onclick = () => {
      onlyShort.setAttribute("aria-pressed", String(onlyShort.getAttribute("aria-pressed") !== "true"));
      show();
    };
    const none = element("p", "empty", "No domain matches.");
    const show = () => {
      const wanted = search.value.trim().toLowerCase();
      const only = onlyShort.getAttribute("aria-pressed") === "true";
      const sorted = [...record.domains].sort((a, b) => orders[order.selectedIndex][1](a, b) || a.place - b.place);
      let shown = 0;
      for (const domain of sorted) {
        domain.card.hidden = (wanted && !domain.name.toLowerCase().includes(wanted)) || (only && !wasShort(domain));
        if (!domain.card.hidden) ++shown;
      }
      box.replaceChildren(...sorted.map((domain) => domain.card));
      none.hidden = shown > 0;
      document.getElementById("domains-count").textContent =
        shown === record.domains.length ? String(shown) : `${shown} of ${record.domains.length}`;
      view.drawWhenIdle();
    };
    search.oninput = show;
    order.onchange = show;
    box.after(none);
    bar.append(search, order, onlyShort);
    show();
  }

  /** The events of one kind, or all, in the visible range; a click on a row, or Enter, shows its moment. For
      the Tab key the table is one control, in which the arrow keys move. */
  function wireEvents() {
    const body = document.getElementById("events-body");
    const kinds = document.getElementById("events-kinds");
    const named = { move: "moves", limited: "limited by the guard", guest_oom: "guest OOM kills", host_oom: "host OOM", policy_error: "policy errors" };
    const single = { move: "move", limited: "limited", guest_oom: "OOM kill", host_oom: "host OOM", policy_error: "policy error" };
    const bad = new Set(["guest_oom", "host_oom", "policy_error"]);
    const counts = {};
    for (const event of data.events) counts[event[1]] = (counts[event[1]] || 0) + 1;
    let wanted = null;
    const most = 500;
    const rows = new Map();

    const row = (event) => {
      const [ms, kind, domain, text] = event;
      if (rows.has(event)) return rows.get(event);
      const made = element("tr", "go");
      made.append(element("td", "", timeText(ms / 1000)), element("td", bad.has(kind) ? "left bad" : "left", single[kind]),
        element("td", "left name", domain || "\u2014"), element("td", "left text", text));
      made.tabIndex = -1;
      made.onclick = () => goTo(ms / 1000, domain);
      made.onfocus = () => enterAt(made);
      rows.set(event, made);
      return made;
    };
    const enterAt = (entry) => {
      for (const one of body.querySelectorAll("[tabindex='0']")) one.tabIndex = -1;
      if (entry) entry.tabIndex = 0;
    };
    body.onkeydown = (pressed) => {
      const at = pressed.target;
      const next = { ArrowDown: at.nextSibling, ArrowUp: at.previousSibling, Home: body.firstChild, End: body.lastChild };
      if (pressed.key === "Enter" || pressed.key === " ") at.click();
      else if (!(pressed.key in next)) return;
      else if (next[pressed.key]) next[pressed.key].focus();
      pressed.preventDefault();
    };
    const show = () => {
      const visible = data.events.filter(([ms, kind]) => (!wanted || wanted === kind) && ms / 1000 >= view.from && ms / 1000 <= view.to);
      const focused = document.activeElement;
      body.replaceChildren(...visible.slice(0, most).map(row));
      enterAt(body.contains(focused) ? focused : body.firstChild);
      if (body.contains(focused)) focused.focus({ preventScroll: true });
      const more = [];
      if (visible.length > most) more.push(`the first ${most} of ${visible.length} are listed; zoom in for the others`);
      if (!visible.length) more.push("no such event in this range of time");
      if (data.eventsLeftOut) more.push(`${data.eventsLeftOut} later events were not recorded`);
      document.getElementById("events-more").textContent = more.join("; ");
    };
    const button = (text, kind) => {
      const made = element("button", "", text);
      made.type = "button";
      made.setAttribute("aria-pressed", String(kind === wanted));
      made.onclick = () => {
        wanted = kind;
        for (const other of kinds.children) other.setAttribute("aria-pressed", String(other === made));
        show();
      };
      kinds.append(made);
    };
    button(`all ${data.events.length}`, null);
    for (const kind of Object.keys(named)) if (counts[kind]) button(`${named[kind]} ${counts[kind]}`, kind);
    view.watchers.push(() => { clearTimeout(wireEvents.later); wireEvents.later = setTimeout(show, 120); });
    show();
  }

  function goTo(time, name) {
    const around = Math.max(view.end / 40, 5 * data.intervalMs / 1000);
    view.zoomTo(time - around, time + around);
    view.setCross(time);
    const domain = cards.get(name);
    const target = domain && !domain.card.hidden ? domain.card : document.getElementById("host");
    target.scrollIntoView({ block: "center", behavior: "smooth" });
    target.classList.add("flash");
    setTimeout(() => target.classList.remove("flash"), 1800);
  }
})();
