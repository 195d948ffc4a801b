-- Eight guests whose demand jumps between two ticks and falls again, each with a period of its own.
-- Together they never need more than the host has.

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
  summary = "The guests' demand jumps between two ticks",
  host = { total = 8 * GiB + 8 * 30 * MiB, base = 400 * MiB }, -- with 30 MiB per guest for QEMU
  duration = 600,
  domains = domains,
}
