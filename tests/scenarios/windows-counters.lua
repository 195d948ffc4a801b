-- Windows' balloon service: one version cannot read its counters and reports -1 pages, an older one reports
-- what was counted since the last report, so that its counters fall at every second one.
local function windows(name, kind)
  return {
    name = name,
    maximum = 8 * GiB,
    initial = 3 * GiB,
    touched = true,
    swap = 2 * GiB,
    demand = { { 0, 500 * MiB }, { 40, 1500 * MiB }, { 60, 300 * MiB } },
    faults = { { kind = kind, from = 0, to = 240 } },
  }
end

return {
  summary = "Windows guests with counters that are garbage, or fall, beside one that needs memory",
  host = { total = 8 * GiB, base = 500 * MiB },
  duration = 240,
  domains = {
    windows("unreadable", "garbage"),
    windows("a-report", "per_report"),
    {
      name = "linux",
      maximum = 8 * GiB,
      initial = 1 * GiB,
      touched = true,
      demand = { { 0, 600 * MiB }, { 80, 600 * MiB }, { 110, 5 * GiB } },
    },
  },
}
