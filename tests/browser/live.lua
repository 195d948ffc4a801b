-- A host on which every tick has something to show: guests that want more and less memory in turn, a hung
-- one, a paused one, a silent one, and names that are markup.
local count = 12

local domains = {}
local function add(name, domain)
  domain.name = name
  domain.maximum = domain.maximum or 1 * GiB
  domain.initial = 512 * MiB
  domains[#domains + 1] = domain
end

add("<img src=x onerror=\"document.title='owned'\">", { demand = { { 0, 100 * MiB } } })
add("</script><script>document.title='owned'</script>", { demand = { { 0, 200 * MiB } } })
add("hung", { demand = { { 0, 100 * MiB } }, faults = { { kind = "hung", from = 1, to = 86400 } } })
add("paused", { demand = { { 0, 100 * MiB } }, faults = { { kind = "paused", from = 1, to = 86400 } } })
add("silent", { demand = { { 0, 100 * MiB } }, driver = false })
for i = 1, count - 5 do
  local wave = { generator = "steps", low = 50 * MiB, high = 500 * MiB, period = 8, phase = i }
  add(("web-%03d"):format(i), { demand = wave, cache = { { 0, 60 * MiB } } })
end

return {
  summary = "a host that is never at rest",
  host = { total = count * 640 * MiB + 1 * GiB, base = 300 * MiB },
  duration = 86400,
  domains = domains,
}
