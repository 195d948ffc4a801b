"use strict";
// Tables that a click on a column's heading sorts.

/** Makes the headings of a table buttons. Rows of the class "baseline" stay at the end as they are, and a row of the class
    "more" stays under the one before it. A cell's data-v is its value; without one, its text. */
function sortable(table) {
  const headings = [...table.querySelectorAll("thead th")], body = table.tBodies[0];
  const value = (row, column) => {
    const cell = row.cells[column];
    return !cell ? "" : cell.dataset.v === undefined ? cell.textContent : Number(cell.dataset.v);
  };
  const compare = (a, b) => (typeof a === "number" && typeof b === "number" ? a - b
    : String(a).localeCompare(String(b), undefined, { numeric: true }));
  const sort = (column, down) => {
    const groups = [];
    for (const row of body.rows) {
      if (row.classList.contains("more") && groups.length) groups[groups.length - 1].push(row); else groups.push([row]);
    }
    const isBase = (group) => Number(group[0].classList.contains("baseline"));
    const order = (a, b) => (down ? -1 : 1) * compare(value(a[0], column), value(b[0], column));
    groups.sort((a, b) => isBase(a) - isBase(b) || (isBase(a) ? 0 : order(a, b)));
    body.replaceChildren(...groups.flat());
    headings.forEach((heading, i) => heading.setAttribute("aria-sort", i !== column ? "none" : down ? "descending" : "ascending"));
  };
  headings.forEach((heading, column) => {
    const button = element("button", "sort");
    button.type = "button";
    button.tabIndex = -1;
    button.append(...heading.childNodes);
    button.onclick = () => sort(column, heading.getAttribute("aria-sort") === "ascending");
    heading.append(button);
    heading.setAttribute("aria-sort", "none");
  });
  const row = table.querySelector("thead");
  if (row) new RovingFocus(row, () => [...row.querySelectorAll("button.sort")], true).refresh();
}
