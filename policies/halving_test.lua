-- Tests of halving.lua: the published clauses one by one, then what memcoord adds to them.

local halving = policy("halving.lua")

local host = { total = 16 * GiB, free = 8 * GiB }
-- A host at its floor: it can give only what the domains give in the same tick.
local full = { total = 16 * GiB, free = 200 * MiB }

local function world(domains) return { host = host, domains = domains } end

local starved = { name = "starved", actual = 512 * MiB, unused = 50 * MiB }
-- All of it is unused, so that the guard allows half of its memory in one tick.
local idle = { name = "idle", actual = 2 * GiB, unused = 2 * GiB }
-- Uses 248 MiB: the guard allows half of its headroom, 900 MiB.
local wasteful = { name = "wasteful", actual = 2 * GiB, unused = 1800 * MiB }
local content = { name = "content", actual = 1 * GiB, unused = 200 * MiB }

-- Starved and wasteful, to the KiB.

test("a domain is starved with 1 KiB less than 150 MiB available, not with 150 MiB", function()
  local tick = halving:tick(world { { name = "web", actual = 1 * GiB, unused = 150 * MiB - 1 } })
  expect(tick.proposals.web.target):equals(1 * GiB + 300 * MiB)
  tick = halving:tick(world { { name = "web", actual = 1 * GiB, unused = 150 * MiB } })
  expect(tick.proposals):is_empty()
end)

test("a domain is wasteful with 1 KiB more than 300 MiB available, not with 300 MiB", function()
  local tick = halving:tick(world { { name = "web", actual = 1 * GiB, unused = 300 * MiB + 1 } })
  expect(tick.proposals.web.target):equals(1 * GiB - 300 * MiB)
  tick = halving:tick(world { { name = "web", actual = 1 * GiB, unused = 300 * MiB } })
  expect(tick.proposals):is_empty()
end)

test("available means headroom, and with --headroom unused it means unused memory", function()
  local caching = { name = "web", actual = 1 * GiB, unused = 100 * MiB, usable = 200 * MiB }
  expect(halving:tick(world { caching }).proposals):is_empty()
  local tick = halving:tick { host = host, domains = { caching }, limits = { headroom = "unused" } }
  expect(tick.proposals.web.target):equals(1 * GiB + 300 * MiB)
end)

test("a tick looks at the most starved and the most wasteful domain only", function()
  local tick = halving:tick(world {
    { name = "hungry", actual = 1 * GiB, unused = 120 * MiB },
    { name = "starving", actual = 1 * GiB, unused = 20 * MiB },
    { name = "rich", actual = 4 * GiB, unused = 1 * GiB },
    { name = "richest", actual = 4 * GiB, unused = 3 * GiB },
  })
  expect(tick.proposals.starving.target):is_more_than(1 * GiB)
  expect(tick.proposals.richest.target):equals(2 * GiB)
  expect(tick.proposals.hungry):is_nil()
  expect(tick.proposals.rich):is_nil()
end)

-- Starved and wasteful: halve the wasteful one, assign the same amount to the starved one.

test("the wasteful domain is halved, and the starved one gets the same amount", function()
  local tick = halving:tick(world { starved, content, idle })
  expect(tick.decisions.idle.target):equals(1 * GiB)
  expect(tick.decisions.idle.rules):is_empty()
  expect(tick.decisions.starved.target):equals(512 * MiB + 1 * GiB)
  expect(tick.decisions.content):is_nil()
end)

test("where the guard allows less than half, the starved domain gets what the wasteful one gives", function()
  local tick = halving:tick(world { starved, wasteful })
  expect(tick.proposals.wasteful.target):equals(1 * GiB)
  expect(tick.decisions.wasteful.target):equals(2 * GiB - 900 * MiB)
  expect(tick.decisions.wasteful.rules):equals { "gradual" }
  expect(tick.decisions.starved.target):equals(512 * MiB + 900 * MiB)
end)

test("a large wasteful domain with little to give grants no more than that", function()
  local huge = { name = "huge", actual = 32 * GiB, unused = 310 * MiB }
  local tick = halving:tick { host = { total = 64 * GiB, free = 20 * GiB }, domains = { starved, huge } }
  expect(tick.proposals.huge.target):equals(16 * GiB)
  expect(tick.decisions.huge.target):equals(32 * GiB - 155 * MiB)
  expect(tick.decisions.starved.target):equals(512 * MiB + 155 * MiB)
  expect(tick.after.starved.actual - 512 * MiB):equals(32 * GiB - tick.after.huge.actual)
end)

test("each rule that limits the wasteful domain limits the starved one alike", function()
  local function given(domain, limits)
    domain.name = "giver"
    local tick = halving:tick { host = host, domains = { starved, domain }, limits = limits }
    local gives = tick.decisions.giver.actual - tick.decisions.giver.target
    expect(tick.decisions.starved.target - 512 * MiB):equals(gives)
    return gives
  end
  local one = { actual = 2 * GiB, unused = 1800 * MiB }
  expect(given(one, { max_reclaim = 0.25 })):equals(450 * MiB)
  expect(given(one, { domain_floor = 1500 * MiB })):equals(300 * MiB)
  expect(given { actual = 2 * GiB, unused = 1800 * MiB, minimum = 2 * GiB - 70 * MiB }):equals(70 * MiB)
  expect(given { actual = 2 * GiB, unused = 1800 * MiB, usable = 132 * MiB }):equals(100 * MiB)
end)

test("on a host at its floor the starved domain gets what the tick has taken first", function()
  local tick = halving:tick { host = full, domains = { starved, wasteful } }
  expect(tick.after.wasteful.actual):equals(2 * GiB - 900 * MiB)
  expect(tick.after.starved.actual):equals(512 * MiB + 900 * MiB)
  expect(tick.host.free):equals(200 * MiB + 900 * MiB)
end)

-- Starved, none wasteful: its current memory plus the waste threshold.

test("where none is wasteful, the host gives the starved domain the waste threshold", function()
  local tick = halving:tick(world { starved, content })
  expect(tick.decisions.starved.target):equals(512 * MiB + 300 * MiB)
  expect(tick.decisions.starved.rules):is_empty()
  expect(tick.proposals.content):is_nil()
end)

test("where the wasteful domain can give nothing, the host feeds the starved one", function()
  local reserved = { name = "reserved", actual = 4 * GiB, minimum = 4 * GiB, unused = 3 * GiB }
  local watermarks = { name = "watermarks", actual = 4 * GiB, unused = 3 * GiB, usable = 32 * MiB }
  for _, giver in ipairs { reserved, watermarks } do
    local tick = halving:tick(world { starved, giver })
    expect(tick.proposals[giver.name]):is_nil()
    expect(tick.proposals.starved.target):equals(512 * MiB + 300 * MiB)
    expect(tick.proposals.starved.why):equals("fed by the host")
  end
end)

test("a host at its floor of 200 MiB feeds no domain", function()
  local tick = halving:tick { host = full, domains = { starved, content } }
  expect(tick.decisions.starved.target):equals(512 * MiB)
  expect(tick.decisions.starved.rules):equals { "host_floor" }
end)

-- Wasteful, none starved: its memory less the waste threshold, which returns to the host.

test("where none is starved, the wasteful domain returns the waste threshold to the host", function()
  local tick = halving:tick(world { wasteful, content })
  expect(tick.decisions.wasteful.target):equals(2 * GiB - 300 * MiB)
  expect(tick.proposals.content):is_nil()
  expect(tick.host.free):equals(8 * GiB + 300 * MiB)
end)

test("a wasteful domain returns at most half of its headroom at once", function()
  local tick = halving:tick(world { { name = "web", actual = 1 * GiB, unused = 400 * MiB } })
  expect(tick.proposals.web.target):equals(1 * GiB - 300 * MiB)
  expect(tick.decisions.web.target):equals(1 * GiB - 200 * MiB)
  expect(tick.decisions.web.rules):equals { "gradual" }
end)

-- Neither: nothing.

test("nothing moves where no domain is starved or wasteful", function()
  expect(halving:tick(world { content }).proposals):is_empty()
  expect(halving:tick(world {}).proposals):is_empty()
end)

test("a starved threshold over the wasteful one is refused", function()
  local confused = policy("halving.lua", { starved_below = 300 * MiB + 1 })
  expect_error(confused:tick(world { content }), "*starved_below is over wasteful_above*")
  local touching = policy("halving.lua", { starved_below = "300MiB" })
  local tick = touching:tick(world { { name = "web", actual = 1 * GiB, unused = 300 * MiB } })
  expect(tick.proposals):is_empty()
end)

-- Each action is logged; memory goes to a domain until it is not starved.

test("each move says for whom, from whom, or that it returns to the host", function()
  local tick = halving:tick(world { starved, wasteful })
  expect(tick.decisions.wasteful.why):equals("halved to feed starved")
  expect(tick.decisions.starved.why):equals("fed by wasteful")
  expect(halving:tick(world { starved }).decisions.starved.why):equals("fed by the host")
  expect(halving:tick(world { wasteful }).decisions.wasteful.why):equals("returned to the host")
end)

test("memory goes to a starved domain until it is not starved", function()
  local givers = { name = "giver", actual = 1 * GiB, unused = 310 * MiB }
  local ticks = halving:run {
    { host = full, domains = { { name = "starved", actual = 512 * MiB, unused = 5 * MiB }, givers } },
    { domains = { { name = "starved", unused = 100 * MiB } } },
    {},
    {},
  }
  expect(ticks[1].after.starved.unused):equals(5 * MiB + 155 * MiB)
  expect(ticks[2].decisions.starved.rules):equals { "host_floor" } -- no domain is wasteful any more
  local fed = halving:run { world { starved, content }, {} }
  expect(fed[1].after.starved.unused):equals(350 * MiB)
  expect(fed[2].proposals.starved.why):equals("returned to the host")
end)

test("a starved domain is out of danger within two intervals", function()
  local ticks = halving:run { world { starved, content, wasteful }, {} }
  expect(ticks[1].after.starved.unused):is_at_least(150 * MiB)
  expect(ticks[2].after.starved.unused):is_at_least(150 * MiB)
end)

-- Domains that the policy passes over.

test("a domain at its maximum is passed over, and none grows past it", function()
  local tick = halving:tick(world {
    { name = "full", actual = 512 * MiB, maximum = 512 * MiB, unused = 10 * MiB },
    starved,
    wasteful,
  })
  expect(tick.proposals.full):is_nil()
  expect(tick.proposals.starved.target):equals(512 * MiB + 900 * MiB)
  local nearly = { name = "nearly", actual = 512 * MiB, maximum = 600 * MiB, unused = 10 * MiB }
  tick = halving:tick(world { nearly, content })
  expect(tick.decisions.nearly.target):equals(600 * MiB)
  expect(tick.decisions.nearly.rules):equals { "maximum" }
end)

test("a domain at its minimum is passed over for one that can give", function()
  local tick = halving:tick(world {
    { name = "reserved", actual = 4 * GiB, minimum = 4 * GiB, unused = 3 * GiB },
    starved,
    wasteful,
  })
  expect(tick.proposals.reserved):is_nil()
  expect(tick.proposals.wasteful.target):equals(1 * GiB)
end)

test("a guest that does not follow its shrink is passed over", function()
  local ticks = halving:run {
    world { { name = "stuck", actual = 4 * GiB, unused = 3 * GiB, follows = false }, starved, wasteful },
    {},
    { domains = { { name = "starved", unused = 40 * MiB } } },
  }
  expect(ticks[1].proposals.stuck.target):equals(2 * GiB)
  expect(ticks[3].proposals.stuck):is_nil()
  expect(ticks[3].proposals.wasteful.target):is_less_than(2 * GiB)
end)

test("skipped domains are neither fed nor halved", function()
  local tick = halving:tick(world {
    { name = "mute", actual = 4 * GiB, unused = 3 * GiB, silent = true },
    { name = "mute too", actual = 1 * GiB, unused = 0, silent = true },
    starved,
  })
  expect(tick.skipped.mute.rule):equals("fresh_stats")
  expect(tick.proposals.mute):is_nil()
  expect(tick.proposals["mute too"]):is_nil()
  expect(tick.proposals.starved.target):equals(512 * MiB + 300 * MiB)
end)

-- Parameters.

test("both thresholds are parameters", function()
  local lean = policy("halving.lua", { starved_below = 40 * MiB, wasteful_above = 1900 * MiB })
  expect(lean:tick(world { starved, wasteful }).proposals):is_empty()
  local tick = lean:tick(world { { name = "web", actual = 1 * GiB, unused = 40 * MiB - 1 } })
  expect(tick.proposals.web.target):equals(1 * GiB + 1900 * MiB)
end)

test("halve = headroom asks for half of the headroom, which is what the guard allows anyway", function()
  local by_headroom = policy("halving.lua", { halve = "headroom" })
  local tick = by_headroom:tick(world { starved, wasteful })
  expect(tick.proposals.wasteful.target):equals(2 * GiB - 900 * MiB)
  expect(tick.decisions.wasteful.rules):is_empty()
  expect(tick.decisions.starved.target):equals(512 * MiB + 900 * MiB)
end)
