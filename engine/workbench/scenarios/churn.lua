-- Domains start and stop all the time: short jobs beside three guests that stay. A job needs memory
-- soon after its start, and holds it to its end.

local domains = {}
for i = 1, 3 do
  domains[i] = {
    name = "stays-" .. i,
    maximum = 2 * GiB,
    initial = 1 * GiB,
    swap = 1 * GiB,
    demand = { generator = "sawtooth", low = 300 * MiB, high = (700 + 150 * i) * MiB, period = 70 + 20 * i },
  }
end
for i = 1, 24 do
  local start = 10 + 22 * (i - 1)
  local life = 45 + 15 * (i % 4)
  local size = (150 + 70 * (i % 5)) * MiB
  domains[#domains + 1] = {
    name = string.format("job-%02d", i),
    maximum = 1 * GiB,
    initial = 384 * MiB,
    swap = 512 * MiB,
    start = start,
    stop = start + life,
    demand = { { 0, 60 * MiB }, { start + 5, 60 * MiB }, { start + 20, size }, { start + life, size } },
  }
end

return {
  summary = "Domains start and stop all the time",
  host = { total = 7 * GiB + 7 * 30 * MiB, base = 400 * MiB }, -- with 30 MiB per guest for QEMU
  duration = 600,
  domains = domains,
}
