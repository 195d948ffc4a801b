-- Guests are started on a host whose memory is given out, and touch all of theirs while they boot, as Windows
-- does.
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
for i = 1, 3 do
  list[4 + i] = {
    name = "windows" .. i,
    maximum = 2 * GiB,
    initial = 2 * GiB,
    start = 85 + 5 * i,
    demand = { { 0, 1800 * MiB }, { 120, 1800 * MiB }, { 121, 600 * MiB } },
  }
end

return {
  summary = "Three guests are started one after the other, and touch all of their memory",
  host = { total = 16 * GiB, base = 500 * MiB },
  duration = 180,
  domains = list,
}
