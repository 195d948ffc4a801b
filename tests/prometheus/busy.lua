-- A host with memory to grant and a domain for each thing that the dashboard shows: domains that move,
-- one that swaps at its maximum, and domains that memcoord skips.
local function idle(name, faults)
  return { name = name, maximum = 1 * GiB, initial = 512 * MiB, demand = { { 0, 100 * MiB } }, faults = faults }
end
local always = 24 * 3600

return {
  summary = "guests that move, swap, hang and stay silent",
  host = { total = 8 * GiB, base = 400 * MiB, swap = 1 * GiB, use = { { 0, 100 * MiB } } },
  duration = always,
  domains = {
    {
      name = "web \"1\" \\ größer",
      maximum = 2 * GiB,
      initial = 512 * MiB,
      demand = { generator = "sawtooth", low = 100 * MiB, high = 1500 * MiB, period = 20 },
    },
    {
      name = "batch",
      maximum = 2 * GiB,
      initial = 1 * GiB,
      weight = 3,
      priority = 5,
      demand = { generator = "steps", low = 100 * MiB, high = 900 * MiB, period = 12 },
    },
    {
      name = "full",
      maximum = 512 * MiB,
      swap = 4 * GiB,
      demand = { generator = "steps", low = 380 * MiB, high = 900 * MiB, period = 6 },
    },
    idle("idle"),
    idle("hung", { { kind = "hung", from = 0, to = always } }),
    idle("silent", { { kind = "silent", from = 0, to = always } }),
    idle("paused", { { kind = "paused", from = 0, to = always } }),
  },
}
