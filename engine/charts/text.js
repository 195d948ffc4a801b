"use strict";
// Sizes, times and shares as text, the steps of scales, and nodes of the page.

const kib = { KiB: 1, MiB: 2 ** 10, GiB: 2 ** 20, TiB: 2 ** 30 };
let chosenUnit = null; // of --units; null: the unit that fits the size

function sizeText(size) {
  const unit = chosenUnit || ["TiB", "GiB", "MiB"].find((one) => Math.abs(size) >= 1023.5 / 1024 * kib[one]) || "KiB";
  const value = size / kib[unit], before = Math.abs(value) < 1 ? 0 : Math.floor(Math.log10(Math.abs(value))) + 1;
  const digits = unit === "KiB" ? 0 : Math.max(0, 3 - before);
  const text = value.toFixed(digits);
  return (digits ? text.replace(/\.?0+$/, "") : text) + "\u00a0" + unit;
}

function timeText(seconds) {
  const s = Math.round(seconds * 10) / 10;
  const two = (n) => String(n).padStart(2, "0");
  if (s < 120) return (s % 1 ? s.toFixed(1) : s) + "\u00a0s";
  const minutes = Math.floor(s / 60), rest = Math.floor(s % 60);
  if (minutes < 120) return minutes + (rest ? ":" + two(rest) : "") + "\u00a0min";
  const hours = Math.floor(minutes / 60);
  if (hours < 48) return hours + (minutes % 60 || rest ? ":" + two(minutes % 60) : "") + (rest ? ":" + two(rest) : "") + "\u00a0h";
  const left = minutes % 1440;
  return Math.floor(hours / 24) + "\u00a0d" + (left ? " " + two(Math.floor(left / 60)) + ":" + two(left % 60) : "");
}

/** The time of day of a Unix time: "13:05:09", or "13:05". */
function clockText(unixSeconds, seconds = true) {
  const date = new Date(unixSeconds * 1000), two = (n) => String(n).padStart(2, "0");
  return two(date.getHours()) + ":" + two(date.getMinutes()) + (seconds ? ":" + two(date.getSeconds()) : "");
}

/** The day of a Unix time: "26 Nov". */
function dayText(unixSeconds) {
  return new Date(unixSeconds * 1000).toLocaleDateString("en-GB", { day: "numeric", month: "short" });
}

function percentText(share) {
  if (share === 0) return "0\u00a0%";
  if (share < 0.0001) return "<\u00a00.01\u00a0%";
  return (share * 100).toFixed(share < 0.1 ? 2 : 1) + "\u00a0%";
}

const kTimeSteps = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200, 86400, 172800, 259200, 604800];

/** At most `most` round times from one to another; round after `shift` is added to them. */
function timeTicks(from, to, most, shift = 0) {
  const span = to - from;
  const step = kTimeSteps.find((s) => span / s <= most) || Math.ceil(span / most / 604800) * 604800;
  const ticks = [];
  for (let t = Math.ceil((from + shift) / step) * step; t <= to + shift + 1e-9; t += step) ticks.push(t - shift);
  return ticks;
}

function sizeTicks(top, most) {
  let step = 1;
  while (top / step > most) step *= 2;
  const ticks = [];
  for (let v = 0; v <= top; v += step) ticks.push(v);
  return ticks;
}

/** The position of the interval that a time lies in: the first that does not end before it. */
function indexAt(times, time) {
  let low = 0, high = times.length - 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (times[middle] < time) low = middle + 1; else high = middle;
  }
  return Math.max(0, low);
}

// --- nodes: their text is never markup ---

function element(tag, style, text) {
  const made = document.createElement(tag);
  if (style) made.className = style;
  if (text !== undefined) made.textContent = text;
  return made;
}

function svgNode(tag, attributes, ...children) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}
