"use strict";
// Unpacks the data of a page.

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

function openData() {
  const data = JSON.parse(document.getElementById("data").textContent);
  chosenUnit = kib[data.units] ? data.units : null;
  return data;
}
