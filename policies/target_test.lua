-- What target.lua promises, clause by clause.

local target = policy("target.lua")

local roomy = { total = 16 * GiB, free = 8 * GiB }
local steps = { up = 100000, down = 50000 } -- KiB

local function domain(name, unused, more)
  local d = { name = name, actual = 2 * GiB, unused = unused }
  for key, value in pairs(more or {}) do d[key] = value end
  return d
end

test("a domain under its target gets two steps", function()
  local tick = target:tick { host = roomy, domains = { domain("short", 140000) } }
  expect(tick.proposals.short.target):equals(2 * GiB + steps.up)
end)

test("a domain above its target gives one step back", function()
  local tick = target:tick { host = roomy, domains = { domain("rich", 1 * GiB) } }
  expect(tick.proposals.rich.target):equals(2 * GiB - steps.down)
end)

test("a domain at its target is left alone", function()
  local tick = target:tick { host = roomy, domains = { domain("even", 150000) } }
  expect(tick.proposals):is_empty()
end)

test("nothing is given while the host has less than twice the target for every domain", function()
  local domains = { domain("short", 100 * MiB), domain("rich", 1 * GiB), domain("even", 150000) }
  local tick = target:tick { host = { total = 16 * GiB, free = 3 * 2 * 150000 - 1 }, domains = domains }
  expect(tick.decisions.short.target):equals(2 * GiB)
  expect(tick.proposals.short.why):matches("*reserve*")
  tick = target:tick { host = { total = 16 * GiB, free = 3 * 2 * 150000 }, domains = domains }
  expect(tick.proposals.short.target):equals(2 * GiB + steps.up)
end)

test("taking back goes on while nothing is given", function()
  local tick = target:tick {
    host = { total = 16 * GiB, free = 400 * MiB },
    domains = { domain("short", 100 * MiB), domain("rich", 1 * GiB) },
  }
  expect(tick.decisions.short.target):equals(2 * GiB)
  expect(tick.decisions.rich.target):equals(2 * GiB - steps.down)
end)

test("domains that wait for a report count for the reserve, excluded ones do not", function()
  local free = { total = 16 * GiB, free = 2 * 2 * 150000 - 1 }
  local short = domain("short", 100 * MiB)
  local waiting = target:tick { host = free, domains = { short, domain("mute", 0, { silent = true }) } }
  expect(waiting.decisions.short.target):equals(2 * GiB)
  local excluded = target:tick { host = free, domains = { short, domain("own", 0, { exclude = true }) } }
  expect(excluded.proposals.short.target):equals(2 * GiB + steps.up)
end)

test("taking back fills the host's reserve until giving starts", function()
  local host = { total = 16 * GiB, free = 590000 }
  local ticks = target:run {
    { host = host, domains = { domain("short", 120 * MiB), domain("rich", 1 * GiB) } },
    {},
  }
  expect(ticks[1].after.short.actual):equals(2 * GiB)
  expect(ticks[2].after.short.actual):equals(2 * GiB + steps.up)
end)

test("maximum and minimum are kept to without troubling the guard", function()
  local tick = target:tick {
    host = roomy,
    domains = {
      domain("full", 50 * MiB, { maximum = 2 * GiB }),
      domain("reserved", 1 * GiB, { minimum = 2 * GiB }),
    },
  }
  expect(tick.proposals):is_empty()
end)

test("target and step are parameters", function()
  local fine = policy("target.lua", { target = "400MiB", step = "10MiB" })
  local tick = fine:tick {
    host = roomy,
    domains = { domain("short", 300 * MiB), domain("rich", 500 * MiB) },
  }
  expect(tick.proposals.short.target):equals(2 * GiB + 20 * MiB)
  expect(tick.proposals.rich.target):equals(2 * GiB - 10 * MiB)
end)
