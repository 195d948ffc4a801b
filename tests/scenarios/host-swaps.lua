-- The host itself takes 6 GiB in ten seconds (a pool of hugepages, a build), and swaps meanwhile.
local list = {}
for i = 1, 4 do
  list[i] = {
    name = "vm" .. i,
    maximum = 8 * GiB,
    initial = 2 * GiB,
    demand = { { 0, 800 * MiB } },
    cache = { { 0, 100 * MiB }, { 50, 8 * GiB } },
  }
end

return {
  summary = "The host itself comes to use more than is free, and swaps",
  host = { total = 16 * GiB, base = 500 * MiB, use = { { 0, 0 }, { 90, 0 }, { 100, 6 * GiB } }, swap = 2 * GiB },
  duration = 180,
  domains = list,
}
