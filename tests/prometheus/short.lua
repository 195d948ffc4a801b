-- A host whose domains hold nearly all of its memory, and have nothing to give.
local domains = {}
for i = 1, 3 do
  domains[i] = { name = "guest-" .. i, maximum = 1 * GiB, touched = true, demand = { { 0, 880 * MiB } } }
end

return {
  summary = "a host that is under its floor",
  host = { total = 3400 * MiB, base = 200 * MiB },
  duration = 24 * 3600,
  domains = domains,
}
