"use strict";
// The page of one run: the host's curves, a card for each domain, the events.

(function () {
  const data = openData();
  const record = data.record;
  const { times, host } = openRecord(record);
  if (!times.length) return;
  const view = new View(times[times.length - 1], data.start);
  const cards = new Map();
  const margins = { left: 74, right: 14 };
  document.getElementById("curves").hidden = false;

  drawHost();
  const events = new EventList(data, view, goTo);
  drawDomains();
  for (const table of document.querySelectorAll("table.sorts")) sortable(table);
  view.drawFirst();

  function drawHost() {
    const box = document.getElementById("host");
    const strips = stripsOf(record, times.length);
    const hostOom = data.events.filter((event) => event[1] === "killed" && !event[2]).map((event) => indexAt(times, event[0] / 1000));
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
    const caption = element("p", "caption", `number of domains that were ${words.short}, killed or limited:`);
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
    const made = element("li", "card");
    const top = element("div", "top");
    const name = element("h3", "", domain.name);
    name.title = domain.name;
    top.append(name);
    top.append(...domainTags(domain));
    made.append(top);
    const spec = many ? { height: 92, usualWidth: 240, margins: { left: 50, right: 4, below: 15 } } : { height: 150, margins: { left: 52, right: 6 } };
    domainPanel(view, made, domain, times, { name: domain.name, rules: data.rules, spec, keys: "roving" });
    return made;
  }

  function wireControls(box) {
    const bar = document.getElementById("bar");
    bar.append(element("span", "grow"));
    const search = element("input");
    search.type = "search";
    search.placeholder = "domains by name";
    search.setAttribute("aria-label", "show only domains whose names contain this text, and their events");
    const order = element("select");
    order.setAttribute("aria-label", "order of the domains");
    const orders = [
      [words.worst, (a, b) => b.oom - a.oom || b.stalled - a.stalled],
      ["by name", (a, b) => a.name.localeCompare(b.name, undefined, { numeric: true })],
      ["largest first", (a, b) => b.maximum - a.maximum],
      [words.given, () => 0],
    ];
    for (const [text] of orders) order.append(element("option", "", text));
    const onlyShort = element("button", "", words.only);
    onlyShort.type = "button";
    onlyShort.setAttribute("aria-pressed", "false");
    onlyShort.disabled = !record.domains.some(wasShort);
    onlyShort.onclick = () => {
      onlyShort.setAttribute("aria-pressed", String(onlyShort.getAttribute("aria-pressed") !== "true"));
      show();
    };
    const roving = new RovingFocus(box, () => [...box.querySelectorAll(".card:not([hidden]) svg.chart[tabindex]")]);
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
      roving.refresh();
      const names = new Set(sorted.filter((domain) => !domain.card.hidden).map((domain) => domain.name));
      events.choose((name) => (name ? names.has(name) : !wanted));
      view.drawWhenIdle();
    };
    search.oninput = show;
    order.onchange = show;
    box.after(none);
    bar.append(search, order, onlyShort);
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
