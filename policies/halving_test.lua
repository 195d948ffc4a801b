-- What halving.lua promises, clause by clause.

local halving = policy("halving.lua")

local host = { total = 16 * GiB, free = 8 * GiB }

local function world(domains)
  return { host = host, domains = domains }
end

local starved = { name = "starved", actual = 512 * MiB, unused = 50 * MiB }
local wasteful = { name = "wasteful", actual = 2 * GiB, unused = 1800 * MiB }
local content = { name = "content", actual = 1 * GiB, unused = 200 * MiB }

test("a starved domain is fed by halving the most wasteful one", function()
  local tick = halving:tick(world { starved, content, wasteful })
  expect(tick.proposals.wasteful.target):equals(1 * GiB)
  expect(tick.proposals.starved.target):equals(512 * MiB + 1 * GiB)
  expect(tick.proposals.content):is_nil()
end)

test("the reasons name who feeds whom", function()
  local tick = halving:tick(world { starved, wasteful })
  expect(tick.proposals.wasteful.why):matches("*starved*")
  expect(tick.proposals.starved.why):matches("*wasteful*")
end)

test("halving the headroom leaves what the wasteful domain uses alone", function()
  local by_headroom = policy("halving.lua", { halve = "headroom" })
  local tick = by_headroom:tick(world { starved, wasteful })
  expect(tick.proposals.wasteful.target):equals(2 * GiB - 900 * MiB)
  expect(tick.proposals.starved.target):equals(512 * MiB + 900 * MiB)
end)

test("the guard slows halving down to half of what is unused", function()
  local tick = halving:tick(world { starved, wasteful })
  expect(tick.decisions.wasteful.target):equals(2 * GiB - 900 * MiB)
  expect(tick.decisions.wasteful.rules):equals { "gradual" }
  expect(tick.decisions.starved.target):equals(512 * MiB + 1 * GiB)
end)

test("a starved domain without a wasteful one gets the waste threshold from the host", function()
  local tick = halving:tick(world { starved, content })
  expect(tick.proposals.starved.target):equals(512 * MiB + 300 * MiB)
  expect(tick.proposals.content):is_nil()
  expect(tick.decisions.starved.rules):is_empty()
end)

test("a wasteful domain returns the waste threshold when nobody starves", function()
  local tick = halving:tick(world { wasteful, content })
  expect(tick.proposals.wasteful.target):equals(2 * GiB - 300 * MiB)
  expect(tick.proposals.content):is_nil()
end)

test("nothing moves while nobody starves or wastes", function()
  local tick = halving:tick(world { content })
  expect(tick.proposals):is_empty()
end)

test("the thresholds themselves are neither starved nor wasteful", function()
  local tick = halving:tick(world {
    { name = "low", actual = 1 * GiB, unused = 150 * MiB },
    { name = "high", actual = 1 * GiB, unused = 300 * MiB },
  })
  expect(tick.proposals):is_empty()
end)

test("the most starved and the most wasteful are served first", function()
  local tick = halving:tick(world {
    { name = "hungry", actual = 1 * GiB, unused = 120 * MiB },
    { name = "starving", actual = 1 * GiB, unused = 20 * MiB },
    { name = "rich", actual = 4 * GiB, unused = 1 * GiB },
    { name = "richest", actual = 4 * GiB, unused = 3 * GiB },
  })
  expect(tick.proposals.starving.target):equals(3 * GiB)
  expect(tick.proposals.richest.target):equals(2 * GiB)
  expect(tick.proposals.hungry):is_nil()
  expect(tick.proposals.rich):is_nil()
end)

test("a domain at its maximum is passed over for one that can be helped", function()
  local tick = halving:tick(world {
    { name = "full", actual = 512 * MiB, maximum = 512 * MiB, unused = 10 * MiB },
    starved,
    wasteful,
  })
  expect(tick.proposals.full):is_nil()
  expect(tick.proposals.starved.target):equals(512 * MiB + 1 * GiB)
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

test("a guest that does not follow holds nobody up", function()
  local ticks = halving:run {
    world { { name = "stuck", actual = 4 * GiB, unused = 3 * GiB, follows = false }, starved, wasteful },
    {},
    { domains = { { name = "starved", unused = 40 * MiB } } },
  }
  expect(ticks[1].proposals.stuck.target):equals(2 * GiB)
  expect(ticks[3].proposals.stuck):is_nil()
  expect(ticks[3].proposals.wasteful.target):is_less_than(2 * GiB)
end)

test("a starved domain is out of danger within two intervals", function()
  local ticks = halving:run { world { starved, content, wasteful }, {} }
  expect(ticks[1].after.starved.unused):is_at_least(150 * MiB)
  expect(ticks[2].after.starved.unused):is_at_least(150 * MiB)
end)

test("the thresholds are parameters", function()
  local lean = policy("halving.lua", { starved_below = 40 * MiB, wasteful_above = 1900 * MiB })
  local tick = lean:tick(world { starved, wasteful })
  expect(tick.proposals):is_empty()
end)

test("thresholds that contradict each other are refused", function()
  local confused = policy("halving.lua", { starved_below = "400MiB" })
  expect_error(confused:tick(world { starved }), "*starved_below is over wasteful_above*")
end)

test("silent guests and an empty host are no trouble", function()
  expect(halving:tick(world {}).proposals):is_empty()
  local tick = halving:tick(world { { name = "mute", silent = true }, wasteful })
  expect(tick.silent.mute.rule):equals("fresh_stats")
  expect(tick.proposals.mute):is_nil()
end)
