-- Eight guests whose need jumps in a moment, sooner than a tick can notice, and falls again. Each has
-- a rhythm of its own; together they never need more than the host has.

local domains = {}
for i = 1, 8 do
  domains[i] = {
    name = "burst-" .. i,
    maximum = 2 * GiB,
    initial = 896 * MiB,
    swap = 1 * GiB,
    demand = {
      generator = "bursts",
      low = 150 * MiB,
      high = (250 + 100 * i) * MiB,
      period = 40 + 13 * i,
      phase = 7 * i,
      width = 6 + i,
    },
  }
end

return {
  summary = "Need jumps sooner than a tick can notice",
  host = { total = 8 * GiB + 8 * 30 * MiB, base = 400 * MiB }, -- of it 30 MiB a guest for QEMU
  duration = 600,
  domains = domains,
}
