"use strict";
// Lists that are one stop of the Tab key, in which the arrow keys move.

class RovingFocus {
  /** `items()` returns the focusable elements in box, in order. `sideways`: they stand side by side. */
  constructor(box, items, sideways = false) {
    Object.assign(this, { box, items, sideways, current: null });
    box.addEventListener("keydown", (event) => this.walk(event));
    box.addEventListener("focusin", (event) => {
      if (this.items().includes(event.target)) this.setCurrent(event.target);
    });
  }

  /** Call it when the items changed. */
  refresh() {
    const items = this.items();
    if (!this.current || !items.includes(this.current)) this.setCurrent(items[0] || null);
  }

  setCurrent(item) {
    if (this.current === item) return;
    if (this.current) this.current.tabIndex = -1;
    this.current = item;
    if (item) item.tabIndex = 0;
  }

  focus(item) {
    this.setCurrent(item);
    item.focus({ preventScroll: true });
    (item.closest("li, tr") || item).scrollIntoView({ block: "nearest" });
  }

  walk(event) {
    if (event.ctrlKey || event.altKey || event.metaKey) return;
    const items = this.items(), last = items.length - 1, at = items.indexOf(document.activeElement);
    const along = this.sideways ? { ArrowRight: at + 1, ArrowLeft: at - 1 } : { ArrowDown: at + 1, ArrowUp: at - 1, PageDown: at + 10, PageUp: at - 10 };
    const to = { ...along, Home: 0, End: last }[event.key];
    if (to === undefined || last < 0) return;
    event.preventDefault();
    this.focus(items[Math.max(0, Math.min(last, to))]);
  }
}
