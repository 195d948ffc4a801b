-- What gradual.lua promises, clause by clause.

local gradual = policy("gradual.lua")

local roomy = { total = 16 * GiB, free = 8 * GiB }
-- A host at its floor: it has nothing to give before its domains give.
local full = { total = 16 * GiB, free = 200 * MiB }

local function domain(name, unused, more)
  local d = { name = name, actual = 2 * GiB, unused = unused }
  for key, value in pairs(more or {}) do d[key] = value end
  return d
end

test("a tenth of what is unused is claimed from a domain over twice the threshold", function()
  local tick = gradual:tick { host = roomy, domains = { domain("rich", 1000 * MiB) } }
  expect(tick.proposals.rich.target):equals(2 * GiB - 100 * MiB)
end)

test("nothing is claimed up to twice the threshold", function()
  local tick = gradual:tick { host = roomy, domains = { domain("plain", 300 * MiB) } }
  expect(tick.proposals):is_empty()
end)

test("a domain under the threshold and falling gets twice the difference", function()
  local ticks = gradual:run {
    { host = roomy, domains = { domain("falling", 200 * MiB) } },
    { domains = { { name = "falling", unused = 110 * MiB } } },
  }
  expect(ticks[1].proposals):is_empty()
  expect(ticks[2].proposals.falling.target):equals(2 * GiB + 80 * MiB)
  expect(ticks[2].decisions.falling.rules):is_empty()
end)

test("a domain under the threshold that no longer falls is left as it is", function()
  local ticks = gradual:run {
    { host = roomy, domains = { domain("falling", 200 * MiB) } },
    { domains = { { name = "falling", unused = 110 * MiB } } },
    { domains = { { name = "falling", unused = 120 * MiB } } },
  }
  expect(ticks[3].proposals):is_empty()
end)

test("a domain that is seen for the first time counts as falling", function()
  local tick = gradual:tick { host = roomy, domains = { domain("new", 100 * MiB) } }
  expect(tick.proposals.new.target):equals(2 * GiB + 100 * MiB)
end)

test("when the host has it, everyone gets theirs and nobody else is asked", function()
  local tick = gradual:tick {
    host = roomy,
    domains = { domain("a", 100 * MiB), domain("b", 50 * MiB), domain("plain", 250 * MiB) },
  }
  expect(tick.decisions.a.target):equals(2 * GiB + 100 * MiB)
  expect(tick.decisions.b.target):equals(2 * GiB + 200 * MiB)
  expect(tick.proposals.plain):is_nil()
end)

test("in a crunch a tenth is claimed from every domain with something to spare", function()
  local tick = gradual:tick {
    host = full,
    domains = { domain("short", 60 * MiB), domain("plain", 250 * MiB), domain("rich", 1000 * MiB) },
  }
  expect(tick.proposals.plain.target):equals(2 * GiB - 25 * MiB)
  expect(tick.proposals.rich.target):equals(2 * GiB - 100 * MiB)
  expect(tick.proposals.plain.why):matches("*crunch*")
end)

test("what is claimed in a crunch reaches the one in need in the same tick", function()
  local tick = gradual:tick {
    host = full,
    domains = { domain("short", 100 * MiB), domain("rich", 1000 * MiB) },
  }
  expect(tick.proposals.short.target):equals(2 * GiB + 100 * MiB)
  expect(tick.decisions.short.target):equals(2 * GiB + 100 * MiB)
end)

test("no claim pushes a domain under the threshold", function()
  local tick = gradual:tick {
    host = full,
    domains = { domain("short", 60 * MiB), domain("close", 155 * MiB) },
  }
  expect(tick.proposals.close.target):equals(2 * GiB - 5 * MiB)
end)

test("when the host has too little, all get near-equal shares", function()
  -- 120 MiB are claimed for three, who require 180 MiB each.
  local tick = gradual:tick {
    host = full,
    domains = {
      domain("a", 60 * MiB),
      domain("b", 60 * MiB),
      domain("c", 60 * MiB),
      domain("rich", 1200 * MiB),
    },
  }
  expect(tick.decisions.a.target):is_near(2 * GiB + 40 * MiB, 4)
  expect(tick.decisions.b.target):is_near(2 * GiB + 40 * MiB, 4)
  expect(tick.decisions.c.target):is_near(2 * GiB + 40 * MiB, 4)
end)

test("nobody gets more than it requires, and what one leaves goes to the others", function()
  local tick = gradual:tick {
    host = full,
    domains = { domain("little", 140 * MiB), domain("much", 50 * MiB), domain("rich", 1200 * MiB) },
  }
  expect(tick.proposals.little.target):equals(2 * GiB + 20 * MiB)
  expect(tick.proposals.much.target):equals(2 * GiB + 100 * MiB)
end)

test("what is given is what the host really has after the claims", function()
  local tick = gradual:tick {
    host = full,
    domains = { domain("short", 60 * MiB), domain("stuck", 1000 * MiB, { follows = false }) },
  }
  expect(tick.proposals.short.target):is_more_than(2 * GiB)
  expect(tick.decisions.short.target):equals(2 * GiB)
  expect(tick.decisions.short.rules):contains("host_floor")
end)

test("a domain that is left short asks again, falling or not", function()
  local ticks = gradual:run {
    { host = full, domains = { domain("short", 60 * MiB), domain("rich", 1000 * MiB) } },
    {},
    {},
  }
  expect(ticks[1].after.short.unused):equals(160 * MiB)
  local scarce = gradual:run {
    { host = full, domains = { domain("short", 60 * MiB), domain("plain", 400 * MiB) } },
    {},
  }
  expect(scarce[1].after.short.unused):equals(100 * MiB)
  expect(scarce[2].after.short.unused):is_more_than(130 * MiB)
end)

test("a domain that waits for a report is not taken for a new one", function()
  local ticks = gradual:run {
    { host = roomy, domains = { domain("web", 140 * MiB) } },
    { domains = { { name = "web", silent = true } } },
    { domains = { { name = "web", silent = false, unused = 145 * MiB } } },
  }
  expect(ticks[1].proposals.web.target):equals(2 * GiB + 20 * MiB)
  expect(ticks[3].proposals):is_empty()
end)

test("a starved domain is out of danger within two intervals, even in a crunch", function()
  local ticks = gradual:run {
    { host = full, domains = { domain("short", 20 * MiB), domain("rich", 1500 * MiB) } },
    {},
  }
  expect(ticks[2].after.short.unused):is_at_least(150 * MiB)
end)

test("maximum and minimum are kept to without troubling the guard", function()
  local tick = gradual:tick {
    host = roomy,
    domains = {
      domain("full", 50 * MiB, { maximum = 2 * GiB }),
      domain("nearly", 50 * MiB, { maximum = 2 * GiB + 10 * MiB }),
      domain("reserved", 1 * GiB, { minimum = 2 * GiB }),
    },
  }
  expect(tick.proposals.full):is_nil()
  expect(tick.proposals.nearly.target):equals(2 * GiB + 10 * MiB)
  expect(tick.proposals.reserved):is_nil()
end)

test("threshold and claim are parameters", function()
  local eager = policy("gradual.lua", { threshold = "400MiB", claim = 0.5 })
  local tick = eager:tick {
    host = roomy,
    domains = { domain("short", 300 * MiB), domain("rich", 1000 * MiB) },
  }
  expect(tick.proposals.short.target):equals(2 * GiB + 200 * MiB)
  expect(tick.proposals.rich.target):equals(2 * GiB - 500 * MiB)
end)

test("what the host owes comes off before anything is shared out", function()
  -- 1 GiB of what `idle` was given is not backed yet, so the claims are owed already.
  local tick = gradual:tick {
    host = full,
    domains = { domain("short", 60 * MiB), domain("idle", 1000 * MiB, { rss = 1 * GiB }) },
  }
  expect(tick.proposals.idle.why):matches("claimed*")
  expect(tick.proposals.short.target):equals(2 * GiB)
end)
