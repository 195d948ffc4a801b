-- Guests of 64 KiB pages (arm64, POWER): their balloons come to lie up to a page beside their targets.
local function guest(name, demand)
  return { name = name, maximum = 2 * GiB, initial = 512 * MiB, page = 64 * KiB, demand = demand }
end

return {
  summary = "Guests whose pages are larger than the balloon's take turns",
  host = { total = 3 * GiB, base = 200 * MiB },
  duration = 240,
  domains = {
    guest("a", { { 0, 100 * MiB }, { 30, 100 * MiB }, { 60, 1000 * MiB }, { 100, 1000 * MiB }, { 101, 100 * MiB } }),
    guest("b", { { 0, 100 * MiB }, { 110, 100 * MiB }, { 140, 1000 * MiB }, { 180, 1000 * MiB }, { 181, 100 * MiB } }),
    guest("c", { { 0, 100 * MiB }, { 190, 100 * MiB }, { 220, 1000 * MiB } }),
  },
}
