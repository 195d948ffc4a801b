-- QEMU itself takes 250 MiB a guest (many disks, SPICE). Guests that have touched little come to use all they
-- were given.
local list = {}
for i = 1, 12 do
  list[i] = {
    name = "vm" .. i,
    maximum = 4 * GiB,
    initial = 600 * MiB,
    process_overhead = 250 * MiB,
    demand = { { 0, 200 * MiB }, { 60, 200 * MiB }, { 90, 900 * MiB } },
    cache = { { 0, 20 * MiB }, { 90, 20 * MiB }, { 91, 4 * GiB } },
  }
end

return {
  summary = "Guests touch memory that QEMU's own part leaves no room for",
  host = { total = 16 * GiB, base = 500 * MiB },
  duration = 150,
  domains = list,
}
