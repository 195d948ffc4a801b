-- A full host: three guests swap, all others are content and have nothing to give.
local count = 40

local domains = {}
local total = 300 * MiB -- the host itself, and its floor
local function add(name, initial, maximum, demand)
  domains[#domains + 1] =
    { name = name, initial = initial, maximum = maximum, swap = 2 * GiB, touched = true, demand = { { 0, demand } } }
  total = total + initial + 30 * MiB
end

for i, name in ipairs({ "build", "mail", "shop" }) do
  add(name, 512 * MiB, 2 * GiB, (600 + 10 * i) * MiB)
end
for i = 1, count - 3 do
  local demand = (250 + i * 7 % 50) * MiB
  add(("web-%03d"):format(i), demand + 184 * MiB, 1 * GiB, demand)
end

return {
  summary = "three guests swap on a full host",
  host = { total = total, base = 100 * MiB },
  duration = 60,
  domains = domains,
}
