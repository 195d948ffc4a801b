-- Six guests without swap, of weights 1 to 6, rise in turn by 10 MiB a second for three minutes and fall back. Memory
-- suffices for all, but not for what each rise so far lets expect.

local domains = {}
for i = 1, 6 do
  domains[i] = {
    name = "weight" .. i, weight = i, maximum = 4 * GiB, initial = 1500 * MiB,
    demand = { generator = "sawtooth", low = 400 * MiB, high = 2200 * MiB, period = 180, phase = 25 * i },
  }
end

return {
  summary = "Guests of different weights rise in turn",
  host = { total = 11 * GiB, base = 400 * MiB },
  duration = 900,
  domains = domains,
}
