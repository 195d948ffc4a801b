-- For ticks faster than reports: guests report once a second and take turns at needing 600 MiB more. While a report is
-- missing, a guest that was short may still grow.
local list = {}
for i = 1, 6 do
  local demand = { { 0, 300 * MiB } }
  for turn = 0, 3 do
    local at = 20 + 60 * turn + 10 * i
    demand[#demand + 1] = { at, 300 * MiB }
    demand[#demand + 1] = { at + 2, 900 * MiB }
    demand[#demand + 1] = { at + 8, 900 * MiB }
    demand[#demand + 1] = { at + 9, 300 * MiB }
  end
  list[i] = { name = "vm" .. i, maximum = 1200 * MiB, initial = 560 * MiB, swap = 1 * GiB, demand = demand }
end
return {
  summary = "Six guests take turns",
  host = { total = 4600 * MiB, base = 300 * MiB },
  duration = 300,
  domains = list,
}
