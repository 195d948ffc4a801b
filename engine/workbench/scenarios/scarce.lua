-- Six guests with swap together need 1.5 times the host's memory, so a policy must choose. Two of them
-- have a weight of 3, one has a minimum.

local function guest(name, from, size, settings)
  local domain = {
    name = name,
    maximum = 2 * GiB,
    initial = 768 * MiB,
    swap = 2 * GiB,
    demand = { { 0, 200 * MiB }, { from, 200 * MiB }, { from + 40, size }, { 280, size }, { 281, 200 * MiB } },
  }
  for key, value in pairs(settings or {}) do domain[key] = value end
  return domain
end

return {
  summary = "Six guests need 1.5 times the host's memory",
  host = { total = 5 * GiB + 6 * 30 * MiB, base = 300 * MiB }, -- with 30 MiB per guest for QEMU
  duration = 300,
  domains = {
    guest("database", 20, 1600 * MiB, { weight = 3 }),
    guest("frontend", 40, 900 * MiB, { weight = 3 }),
    guest("build", 60, 1500 * MiB),
    guest("search", 80, 1200 * MiB, { minimum = 512 * MiB }),
    guest("mail", 100, 700 * MiB),
    guest("archive", 120, 1000 * MiB),
  },
}
