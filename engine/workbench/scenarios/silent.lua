-- Four guests that memcoord cannot serve normally: the first has no balloon driver, the second stops
-- reporting statistics, the third is paused, the fourth hangs. Two normal guests share the rest of the
-- memory, and need all of it.

local function guest(name, extra)
  local domain = {
    name = name,
    maximum = 1 * GiB,
    initial = 512 * MiB,
    swap = 512 * MiB,
    demand = { { 0, 150 * MiB }, { 60, 250 * MiB }, { 180, 150 * MiB } },
  }
  for key, value in pairs(extra) do domain[key] = value end
  return domain
end

return {
  summary = "Guests without a driver, without statistics, paused and hung",
  host = { total = 4 * GiB + 6 * 64 * MiB, base = 300 * MiB }, -- with 64 MiB per guest for QEMU
  duration = 180,
  domains = {
    guest("no-driver", { driver = false }),
    guest("no-statistics", { faults = { { kind = "silent", from = 30, to = 120 } } }),
    guest("paused", { faults = { { kind = "paused", from = 40, to = 100 } } }),
    guest("hung", { faults = { { kind = "hung", from = 50, to = 110 } } }),
    guest("web", { demand = { { 0, 150 * MiB }, { 40, 150 * MiB }, { 100, 800 * MiB }, { 180, 800 * MiB } } }),
    guest("batch", { demand = { generator = "sawtooth", low = 100 * MiB, high = 650 * MiB, period = 50 } }),
  },
}
