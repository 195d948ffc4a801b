"use strict";
// The page of a comparison: an overview, and each scenario's curves.

(function () {
  const data = openData();
  drawOverview();
  for (const table of document.querySelectorAll("table.sorts")) sortable(table);
  data.scenarios.forEach((scenario, i) => drawCurves(scenario, document.getElementById("curves-" + i)));

  /** All scenarios in one table for one figure, which buttons choose; darker is further from the best. */
  function drawOverview() {
    const box = document.getElementById("overview");
    if (!box || data.scenarios.length < 2) return;
    box.hidden = false;
    const table = box.querySelector("table"), choice = box.querySelector(".seg");
    const show = (f) => {
      const scales = data.scenarios.map((_, s) => scaleOf(s, f));
      const firstBaseline = data.rows.find((row) => row.kind !== "policy");
      const head = element("thead"), body = element("tbody");
      head.append(overviewHead(data.figures[f].name));
      body.append(...data.rows.map((row) => overviewRow(row, f, scales, row === firstBaseline)));
      table.replaceChildren(head, body);
      sortable(table);
    };
    data.figures.forEach((figure, f) => {
      const button = element("button", "", figure.name);
      button.type = "button";
      button.title = figure.meaning;
      button.setAttribute("aria-pressed", String(f === 0));
      button.onclick = () => {
        for (const other of choice.children) other.setAttribute("aria-pressed", String(other === button));
        show(f);
      };
      choice.append(button);
    });
    show(0);
  }

  /** The least and the largest value of a figure among the policies on one scenario. */
  function scaleOf(scenario, f) {
    const figures = data.rows.filter((row) => row.kind === "policy").map((row) => row.cells[scenario] && row.cells[scenario][f]);
    const values = figures.filter((figure) => figure).map((figure) => figure[0]);
    return [Math.min(...values), Math.max(...values)];
  }

  function overviewHead(name) {
    const head = element("tr");
    head.append(element("th", "", name));
    data.scenarios.forEach((scenario, s) => {
      const cell = element("th"), link = element("a", "", scenario.name);
      link.href = "#scenario-" + s;
      cell.append(link);
      head.append(cell);
    });
    return head;
  }

  function overviewRow(row, f, scales, firstBaseline) {
    const made = element("tr", row.kind === "policy" ? "" : firstBaseline ? "baseline first" : "baseline");
    made.append(element("td", "name", row.name));
    data.scenarios.forEach((_, s) => {
      const figure = row.cells[s] && row.cells[s][f];
      if (!figure) return made.append(element("td", "missing", "\u2014"));
      const cell = element("td", "", figure[1]);
      cell.dataset.v = figure[0];
      const [least, most] = scales[s];
      if (row.kind === "policy" && most > least) {
        cell.className = figure[0] === least ? "best" : "heat";
        if (figure[0] !== least) cell.style.setProperty("--h", ((figure[0] - least) / (most - least)).toFixed(3));
      }
      made.append(cell);
    });
    return made;
  }

  /** One scenario's runs side by side: the host's curves, or those of one domain. */
  function drawCurves(scenario, box) {
    const runs = scenario.records.map((record) => ({ record, ...openRecord(record) })).filter((run) => run.times.length);
    if (!runs.length) return;
    box.hidden = false;
    const view = new View(Math.max(...runs.map((run) => run.times[run.times.length - 1])));
    const bar = element("div", "bar still"), legends = element("div"), cards = element("div", "cards");
    rangeControls(view, bar);
    const choice = curveChoice(runs[0].record.domains.map((domain) => domain.name));
    const label = element("label", "field", "curves of ");
    label.append(choice);
    bar.append(label);
    box.append(bar, legends, cards);
    const top = Math.max(...runs.map((run) => hostTop(run.host, scenario.hostTotal)));
    const show = () => {
      for (const panel of [...view.panels]) panel.remove();
      cards.replaceChildren();
      const name = choice.selectedIndex ? choice.value : null;
      legends.replaceChildren(name ? domainLegend() : hostLegend());
      for (const run of runs) {
        const card = element("article", "card"), head = element("div", "top");
        head.append(element("h3", "", run.record.policy));
        card.append(head);
        cards.append(card);
        if (name) drawDomain(view, run, name, card, head); else drawHost(view, scenario, run, card, top);
      }
    };
    choice.onchange = show;
    show();
    view.drawFirst();
  }

  function curveChoice(names) {
    const choice = element("select");
    choice.setAttribute("aria-label", "the host or a domain");
    for (const name of ["the host", ...names]) choice.append(element("option", "", name));
    return choice;
  }

  function drawHost(view, scenario, run, card, top) {
    const margins = { left: 62, right: 6 };
    new Panel(view, card, {
      height: 160, times: run.times, margins, name: run.record.policy, keys: true,
      label: `${run.record.policy}: the host's memory over time; arrow keys move along it, + and - zoom`,
      top, layers: hostLayers(run.host, scenario.hostTotal, scenario.hostFloor),
      figures: (i) => hostFigures(run.host, i, scenario.hostTotal),
    });
    const strips = run.record.strips.map((strip) => ({ ...strip, counts: undelta(strip.counts) }));
    stripsPanel(view, card, strips, run.times, margins);
  }

  function drawDomain(view, run, name, card, head) {
    const domain = run.record.domains.find((one) => one.name === name);
    if (!domain) return card.append(element("p", "empty", "not recorded"));
    head.append(...domainTags(domain));
    domainPanel(view, card, domain, run.times, {
      name: `${name}, ${run.record.policy}`, rules: data.rules, spec: { height: 150, margins: { left: 52, right: 6 } },
    });
  }
})();
