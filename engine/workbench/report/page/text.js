"use strict";
// Unpacks the data of the page, and writes sizes, times and shares as text.

// --- data: sizes in KiB and times in milliseconds, as differences from one value to the next ---

function undelta(list) {
  const out = new Float64Array(list.length);
  let sum = 0;
  for (let i = 0; i < list.length; ++i) out[i] = sum += list[i];
  return out;
}

/** A run's times and the host's curves; a domain's curves are unpacked when they are drawn. */
function openRecord(data) {
  const times = undelta(data.t).map((ms) => ms / 1000);
  return {
    times,
    host: { free: undelta(data.host.free), granted: undelta(data.host.granted), need: undelta(data.host.need) },
  };
}

function openDomain(domain, count) {
  if (domain.open) return domain.open;
  const open = { stalled: new Uint8Array(count), away: new Uint8Array(count), rules: new Uint32Array(count), oom: domain.oomAt };
  for (const key of ["actual", "need", "unused", "usable"]) open[key] = undelta(domain[key]);
  for (const key of ["stalled", "away"]) {
    const runs = domain[key + "Runs"];
    for (let i = 0; i < runs.length; i += 2) open[key].fill(1, runs[i], runs[i + 1]);
  }
  for (let i = 0; i < domain.ruleMasks.length; i += 2) open.rules[domain.ruleMasks[i]] = domain.ruleMasks[i + 1];
  return (domain.open = open);
}

// --- text ---

function escapeHtml(text) {
  return String(text).replace(/[&<>"']/g, (c) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;" })[c]);
}

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

function percentText(share) {
  if (share === 0) return "0\u00a0%";
  if (share < 0.0001) return "<\u00a00.01\u00a0%";
  return (share * 100).toFixed(share < 0.1 ? 2 : 1) + "\u00a0%";
}

const kTimeSteps = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200, 86400, 172800, 604800];

function timeTicks(from, to, most) {
  const span = to - from;
  const step = kTimeSteps.find((s) => span / s <= most) || Math.ceil(span / most / 604800) * 604800;
  const ticks = [];
  for (let t = Math.ceil(from / step) * step; t <= to + 1e-9; t += step) ticks.push(t);
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
