"use strict";
// Questions that change nothing: whether a guest would fit, and what another policy would decide.

/** "Would a guest of 4 GiB fit now?" The answer follows the ticks until another size is typed. */
class FitQuestion {
  constructor() {
    this.size = document.getElementById("fit-size");
    this.answer = document.getElementById("fit-answer");
    this.asked = null;
    this.inFlight = null; // the size that a query runs for
    document.getElementById("fit").addEventListener("submit", (event) => {
      event.preventDefault();
      this.asked = this.size.value.replace(/\s+/g, "");
      this.refresh();
    });
    this.size.addEventListener("input", () => {
      this.asked = null;
      setHidden(this.answer, true);
    });
  }

  async refresh() {
    const size = this.asked;
    if (size === null || size === this.inFlight) return;
    this.inFlight = size;
    let text, style, refused = false;
    try {
      const fit = await queryJson("v1/fit?size=" + encodeURIComponent(size));
      text = fit.text;
      style = { now: "good", "after reclaiming": "soon", no: "bad" }[fit.fits] || "";
    } catch (error) {
      [text, style] = [error.stated || error.message, "bad"];
      refused = error.status >= 400 && error.status < 500;
    }
    if (this.inFlight === size) this.inFlight = null;
    if (this.asked !== size) return;
    if (refused) this.asked = null; // memcoord would refuse it at every tick
    setText(this.answer, ({ good: "\u2713 ", soon: "\u25b2 ", bad: "\u2717 " }[style] || "") + text);
    setClass(this.answer, "answer " + style);
    setHidden(this.answer, false);
  }
}

/** What another bundled policy would decide on the tick that the page shows. */
class PolicyQuestion {
  constructor() {
    this.choice = document.getElementById("whatif-policy");
    this.answer = document.getElementById("whatif-answer");
    this.button = document.querySelector("#whatif button");
    this.names = "";
    document.getElementById("whatif").addEventListener("submit", (event) => {
      event.preventDefault();
      this.ask();
    });
  }

  /** The policies of /v1/live, and the one that decides. */
  update(policies, current) {
    const names = policies.join("\n") + "\n" + current;
    if (names === this.names) return;
    this.names = names;
    const chosen = this.choice.value;
    this.choice.replaceChildren(...policies.map((name) => {
      const option = element("option", "", name === current ? name + " (decides now)" : name);
      option.value = name;
      option.disabled = name === current;
      return option;
    }));
    const others = policies.filter((name) => name !== current);
    this.choice.value = others.includes(chosen) ? chosen : others[0] || "";
    this.button.disabled = !others.length;
  }

  async ask() {
    this.button.disabled = true;
    try {
      this.draw(await queryJson("v1/what-if?policy=" + encodeURIComponent(this.choice.value)));
    } catch (error) {
      this.answer.replaceChildren(element("p", "", "\u2717 " + error.message));
    }
    setHidden(this.answer, false);
    this.button.disabled = false;
  }

  draw(answer) {
    const domains = answer.domains || [];
    const other = domains.filter((one) => one.decided !== one.instead || one.decided_to !== one.instead_to);
    const same = domains.length - other.length;
    const nodes = [element("p", "", answer.text || "")];
    if (other.length) nodes.push(this.table(answer.policy, other));
    if (same) nodes.push(element("p", "soft", `${other.length ? "The same for " : "Both decide the same for "}${same} ${same === 1 ? "domain" : "domains"}.`));
    this.answer.replaceChildren(...nodes);
  }

  table(policy, domains) {
    const box = element("div", "scroll"), table = element("table", "data"), body = element("tbody");
    body.append(...domains.map((one) => this.tableRow(one)));
    table.append(tableHead([["domain", "left"], ["decided", "left"], [policy + " instead", "left"], ["difference", ""]]), body);
    box.append(table);
    new RovingFocus(table, () => [...table.querySelectorAll("a")]).refresh();
    return box;
  }

  tableRow(one) {
    const row = element("tr"), name = element("td", "name"), link = element("a", "", one.name);
    link.href = "#domain=" + one.uuid;
    link.tabIndex = -1;
    name.append(link);
    const known = one.decided_to !== undefined && one.instead_to !== undefined;
    const more = known ? one.instead_to - one.decided_to : 0;
    const difference = !known ? "\u2014" : more === 0 ? "the same size" : bytesText(Math.abs(more)) + (more > 0 ? " more" : " less");
    row.append(name, element("td", "left text", one.decided || ""), element("td", "left text", one.instead || ""), element("td", "", difference));
    return row;
  }
}
