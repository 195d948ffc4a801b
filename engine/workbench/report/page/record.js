"use strict";
// Unpacks the data of a page, and has the words for it.

/** A simulated host knows what guests need; a real one, what they report. */
const kWords = {
  simulated: {
    need: "need", needLong: "need: demand and kernel", needAll: "need of all domains",
    short: "stalled", shortLong: "stalled: the demand did not fit", never: "never stalled",
    kill: ["OOM kill", "OOM kills"], killNote: "its OOM killer ended the workload", only: "Stalled or killed only",
    worst: "most stalled first", given: "as in the scenario", whole: "Whole run",
  },
  recorded: {
    need: "used", needLong: "used, as the guest reports", needAll: "used by all guests",
    short: "short", shortLong: "short: under its floor, or swaps", never: "never short",
    kill: ["sign of a kill", "signs of kills"], killNote: "a sign that a process was killed, or the guest crashed", only: "Short or killed only",
    worst: "most short first", given: "as recorded", whole: "Whole time",
  },
};
let words = kWords.simulated;

// Sizes are in KiB and times in milliseconds, as differences from one value to the next.

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
    host: {
      free: undelta(data.host.free), granted: undelta(data.host.granted), need: undelta(data.host.need),
      away: marks(data.host.awayRuns, times.length),
    },
  };
}

/** 1 in each interval of the runs [first, end, first, end...]. */
function marks(runs, count) {
  const out = new Uint8Array(count);
  for (let i = 0; i < runs.length; i += 2) out.fill(1, runs[i], runs[i + 1]);
  return out;
}

function openDomain(domain, count) {
  if (domain.open) return domain.open;
  const open = { rules: new Uint32Array(count), oom: domain.oomAt };
  for (const key of ["actual", "need", "unused", "usable"]) open[key] = undelta(domain[key]);
  for (const key of ["stalled", "away", "silent"]) open[key] = marks(domain[key + "Runs"], count);
  open.blind = open.away.map((away, i) => away | open.silent[i]); // without figures of the guest
  for (let i = 0; i < domain.ruleMasks.length; i += 2) open.rules[domain.ruleMasks[i]] = domain.ruleMasks[i + 1];
  return (domain.open = open);
}

function openData() {
  const data = JSON.parse(document.getElementById("data").textContent);
  chosenUnit = kib[data.units] ? data.units : null;
  words = typeof data.start === "number" ? kWords.recorded : kWords.simulated;
  return data;
}
