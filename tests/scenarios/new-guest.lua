-- A guest is started on a host whose memory is given out, and touches all of its memory while it boots, as
-- Windows does.
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
list[5] = {
  name = "windows",
  maximum = 6 * GiB,
  initial = 6 * GiB,
  start = 90,
  demand = { { 0, 5600 * MiB }, { 120, 5600 * MiB }, { 121, 2 * GiB } },
}

return {
  summary = "A guest is started that touches all of its memory",
  host = { total = 16 * GiB, base = 500 * MiB },
  duration = 180,
  domains = list,
}
