-- `elephant` has no swap and wants more than the host can give beside the others, so that nothing shows how much it
-- asks for. It is killed whatever it gets: it must not starve the others, who can all be served.
local list = {
  {
    name = "elephant", maximum = 10 * GiB, initial = 2 * GiB,
    demand = { { 0, 1 * GiB }, { 30, 1 * GiB }, { 120, 9 * GiB }, { 240, 9 * GiB } },
  },
}
for i = 1, 5 do
  list[1 + i] = {
    name = "mouse" .. i, maximum = 2 * GiB, initial = 1100 * MiB,
    demand = { { 0, 500 * MiB }, { 60 + 10 * i, 500 * MiB }, { 62 + 10 * i, 1500 * MiB }, { 240, 1500 * MiB } },
  }
end
return {
  summary = "One guest without swap wants more than there is, five others could be served",
  host = { total = 10 * GiB, base = 300 * MiB },
  duration = 240,
  domains = list,
}
