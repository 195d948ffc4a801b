-- A hundred domains with a daily rhythm: offices by day, batch work by night, a few all day. Two days
-- of ten minutes each. The sum of their maximums is 1.5 times the host's memory.

local DAY = 600
local domains = {}
for i = 1, 100 do
  local kind = i % 10 < 6 and "office" or i % 10 < 9 and "batch" or "steady"
  local high = (300 + (i * 37) % 500) * MiB
  local demand
  if kind == "steady" then
    demand = { generator = "walk", low = 150 * MiB, high = high, step = 20, seed = i }
  else
    demand = {
      generator = "diurnal",
      low = 100 * MiB,
      high = high,
      period = DAY,
      phase = (kind == "office" and 0 or DAY // 2) + (i * 13) % 60,
      step = 20,
      seed = i,
    }
  end
  domains[i] = {
    name = string.format("%s-%03d", kind, i),
    maximum = 1 * GiB,
    initial = (kind == "batch" and 900 or 448) * MiB,
    swap = 512 * MiB,
    demand = demand,
  }
end

return {
  summary = "A hundred domains with a daily rhythm",
  host = { total = 64 * GiB + 100 * 30 * MiB, base = 2 * GiB }, -- with 30 MiB per guest for QEMU
  duration = 2 * DAY,
  domains = domains,
}
