-- Twelve guests whose needs rise and fall for 300,000 s: for measuring long runs.

local domains = {}
for i = 1, 12 do
  domains[i] = {
    name = "guest" .. i,
    maximum = 1 * GiB,
    initial = 512 * MiB,
    demand = {
      generator = i % 2 == 0 and "sawtooth" or "walk",
      low = 50 * MiB,
      high = 600 * MiB,
      period = 120 + 7 * i,
      phase = 11 * i,
    },
  }
end

return {
  summary = "Twelve guests that never rest",
  host = { total = 10 * GiB, base = 300 * MiB },
  duration = 300000,
  domains = domains,
}
