-- Tests of target.lua: the published clauses one by one, then what memcoord adds to them.

local target = policy("target.lua")

local roomy = { total = 16 * GiB, free = 8 * GiB }
local two_steps, one_step = 100000, 50000 -- KiB

local function domain(name, unused, more)
  local d = { name = name, actual = 2 * GiB, unused = unused }
  for key, value in pairs(more or {}) do d[key] = value end
  return d
end

-- Each domain should have 150,000 KiB unused; steps of 50,000 KiB.

test("a domain 1 KiB under the target gets two steps", function()
  local tick = target:tick { host = roomy, domains = { domain("short", 149999), domain("out", 0) } }
  expect(tick.decisions.short.target):equals(2 * GiB + two_steps)
  expect(tick.decisions.out.target):equals(2 * GiB + two_steps)
end)

test("a domain 1 KiB above the target gives one step", function()
  local tick = target:tick { host = roomy, domains = { domain("over", 150001), domain("rich", 1 * GiB) } }
  expect(tick.proposals.over.target):equals(2 * GiB - one_step)
  expect(tick.decisions.rich.target):equals(2 * GiB - one_step)
end)

test("nothing moves at the target", function()
  local tick = target:tick { host = roomy, domains = { domain("even", 150000) } }
  expect(tick.proposals):is_empty()
  expect(target:tick({ host = roomy, domains = {} }).proposals):is_empty()
end)

test("the guard lets a step end at the domain's floor of 100 MiB", function()
  local tick = target:tick { host = roomy, domains = { domain("over", 150001) } }
  expect(tick.decisions.over.target):equals(2 * GiB - (150001 - 100 * MiB))
  expect(tick.decisions.over.rules):contains("domain_floor")
end)

test("giving is more urgent than taking, with two steps up and one down in a tick", function()
  local tick = target:tick {
    host = roomy,
    domains = { domain("short", 100 * MiB), domain("rich", 1 * GiB) },
  }
  expect(tick.after.short.actual):equals(2 * GiB + two_steps)
  expect(tick.after.rich.actual):equals(2 * GiB - one_step)
end)

-- Before anything is given, the host has twice the target for each domain.

test("nothing is given where the host has 1 KiB less than twice the target for each domain", function()
  local domains = { domain("short", 100 * MiB), domain("rich", 1 * GiB), domain("even", 150000) }
  local tick = target:tick { host = { total = 16 * GiB, free = 3 * 2 * 150000 - 1 }, domains = domains }
  expect(tick.decisions.short.target):equals(2 * GiB)
  expect(tick.proposals.short.why):equals("under its target, but the host keeps its reserve")
  tick = target:tick { host = { total = 16 * GiB, free = 3 * 2 * 150000 }, domains = domains }
  expect(tick.decisions.short.target):equals(2 * GiB + two_steps)
end)

test("domains go on returning memory while the host lacks its reserve", function()
  local tick = target:tick {
    host = { total = 16 * GiB, free = 400 * MiB },
    domains = { domain("short", 100 * MiB), domain("rich", 1 * GiB) },
  }
  expect(tick.decisions.short.target):equals(2 * GiB)
  expect(tick.decisions.rich.target):equals(2 * GiB - one_step)
end)

test("the reserve is checked against the host's memory at the start of the tick, before returns", function()
  -- The step that `rich` returns would make up what is missing; it counts from the next tick on.
  local ticks = target:run {
    {
      host = { total = 16 * GiB, free = 2 * 2 * 150000 - 1 },
      domains = { domain("short", 100 * MiB), domain("rich", 1 * GiB) },
    },
    {},
  }
  expect(ticks[1].host.free):equals(2 * 2 * 150000 - 1 + one_step)
  expect(ticks[1].after.short.actual):equals(2 * GiB)
  expect(ticks[2].after.short.actual):equals(2 * GiB + two_steps)
end)

test("skipped domains count for the reserve, excluded ones do not", function()
  local free = { total = 16 * GiB, free = 2 * 2 * 150000 - 1 }
  local short = domain("short", 100 * MiB)
  local waiting = target:tick { host = free, domains = { short, domain("mute", 0, { silent = true }) } }
  expect(waiting.decisions.short.target):equals(2 * GiB)
  local excluded = target:tick { host = free, domains = { short, domain("own", 0, { exclude = true }) } }
  expect(excluded.proposals.short.target):equals(2 * GiB + two_steps)
end)

test("the host keeps its reserve however short its guests are", function()
  local ticks = target:run {
    { host = { total = 16 * GiB, free = 290 * MiB }, domains = { domain("short", 0) } },
    {},
    {},
  }
  expect(ticks[3].after.short.actual):equals(2 * GiB)
  expect(ticks[3].host.free):equals(290 * MiB)
end)

-- Bounds; skipped domains.

test("no domain grows past its maximum", function()
  local tick = target:tick {
    host = roomy,
    domains = {
      domain("full", 50 * MiB, { maximum = 2 * GiB }),
      domain("nearly", 50 * MiB, { maximum = 2 * GiB + one_step }),
    },
  }
  expect(tick.proposals.full):is_nil()
  expect(tick.decisions.nearly.target):equals(2 * GiB + one_step)
  expect(tick.decisions.nearly.rules):equals { "maximum" }
end)

test("no domain shrinks below its minimum", function()
  local tick = target:tick {
    host = roomy,
    domains = {
      domain("reserved", 1 * GiB, { minimum = 2 * GiB }),
      domain("nearly", 1 * GiB, { minimum = 2 * GiB - 10 * MiB }),
    },
  }
  expect(tick.proposals.reserved):is_nil()
  expect(tick.decisions.nearly.target):equals(2 * GiB - 10 * MiB)
  expect(tick.decisions.nearly.rules):equals { "minimum" }
end)

test("skipped domains neither get nor give", function()
  local tick = target:tick {
    host = roomy,
    domains = { domain("mute", 0, { silent = true }), domain("mute too", 1 * GiB, { silent = true }) },
  }
  expect(tick.proposals):is_empty()
  expect(tick.skipped.mute.rule):equals("fresh_stats")
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
