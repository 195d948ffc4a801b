-- A full host: three guests swap, all others are content and have nothing to give.
local count = 40

local domains = {}
local function add(name, maximum, demand)
  domains[#domains + 1] = { name = name, initial = 512 * MiB, maximum = maximum, swap = 2 * GiB, demand = demand }
end

for _, name in ipairs({ "build", "mail", "shop" }) do
  add(name, 2 * GiB, { { 0, 500 * MiB + #name * 10 * MiB } })
end
for i = 1, count - 3 do
  add(("web-%03d"):format(i), 1 * GiB, { { 0, (250 + i * 7 % 50) * MiB } })
end

return {
  summary = "three guests swap on a full host",
  host = { total = count * 500 * MiB + 400 * MiB, base = 100 * MiB },
  duration = 60,
  domains = domains,
}
