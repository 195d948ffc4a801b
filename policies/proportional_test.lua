-- What proportional.lua promises, clause by clause.

local proportional = policy("proportional.lua")

-- What the guard would grant is what is free over its floor.
local function host(grantable) return { total = 64 * GiB, free = grantable + 200 * MiB } end

local function domain(name, actual, used, more)
  local d = { name = name, actual = actual, unused = actual - used, maximum = 32 * GiB }
  for key, value in pairs(more or {}) do d[key] = value end
  return d
end

test("all memory is shared in proportion to what each prefers", function()
  local tick = proportional:tick {
    host = host(2 * GiB),
    domains = { domain("small", 2 * GiB, 1 * GiB), domain("large", 4 * GiB, 3 * GiB) },
  }
  expect(tick.proposals.small.target):is_near(2 * GiB, 4)
  expect(tick.proposals.large.target):is_near(6 * GiB, 4)
end)

test("what would pass one domain's maximum goes to the others", function()
  local tick = proportional:tick {
    host = host(2 * GiB),
    domains = {
      domain("full", 2 * GiB, 1 * GiB, { maximum = 2 * GiB }),
      domain("a", 2 * GiB, 1 * GiB),
      domain("b", 2 * GiB, 1 * GiB),
    },
  }
  expect(tick.proposals.full):is_nil()
  expect(tick.proposals.a.target):is_near(3 * GiB, 4)
  expect(tick.proposals.b.target):is_near(3 * GiB, 4)
end)

test("nobody prefers less than 200 MiB, or more than its maximum", function()
  local tick = proportional:tick {
    host = host(1 * GiB),
    domains = {
      domain("tiny", 300 * MiB, 10 * MiB, { maximum = 1 * GiB }),
      domain("huge", 2 * GiB, 1900 * MiB, { maximum = 2 * GiB }),
    },
  }
  -- 3348 MiB for preferences of 200 MiB and 2 GiB, of which the second is full.
  expect(tick.proposals.tiny.target):equals(1 * GiB)
  expect(tick.proposals.huge):is_nil()
end)

test("in scarcity who has more than it prefers goes down to that first", function()
  local tick = proportional:tick {
    host = host(0),
    domains = {
      domain("donor", 3 * GiB, 2 * GiB),
      domain("short", 2 * GiB, 2000 * MiB),
      domain("poor", 1 * GiB, 1000 * MiB),
    },
  }
  expect(tick.proposals.donor.target):is_near(1.3 * 2 * GiB, 4)
  expect(tick.proposals.short.target):is_more_than(2 * GiB)
  expect(tick.proposals.short.why):matches("*too little*")
end)

test("in scarcity those who are short share the rest by preference", function()
  local tick = proportional:tick {
    host = host(300 * MiB),
    domains = { domain("a", 2 * GiB, 2 * GiB), domain("b", 1 * GiB, 1 * GiB) },
  }
  expect(tick.proposals.a.target):is_near((3 * GiB + 300 * MiB) * 2 // 3, 4)
  expect(tick.proposals.b.target):is_near((3 * GiB + 300 * MiB) // 3, 4)
end)

test("where the host owes more than those who have enough can give, everyone still gets a target", function()
  local tick = proportional:tick {
    -- At its floor: under it, the engine itself would take what is missing.
    host = { total = 8 * GiB, free = 200 * MiB },
    domains = {
      domain("donor", 3 * GiB, 2 * GiB, { rss = 2400 * MiB }),
      domain("short", 300 * MiB, 290 * MiB),
    },
  }
  expect(tick.grantable):equals(0)
  expect(tick.proposals.donor.target):is_near(1.3 * 2 * GiB, 4)
end)

test("memory that was given but is not used yet counts as taken", function()
  local tick = proportional:tick {
    host = host(2 * GiB),
    domains = { domain("a", 4 * GiB, 1 * GiB, { rss = 2 * GiB }), domain("b", 4 * GiB, 1 * GiB) },
  }
  expect(tick.grantable):equals(0)
  expect(tick.proposals):is_empty()
end)

test("a domain that does not move is left out", function()
  local worlds = {
    {
      host = host(100 * MiB),
      domains = { domain("stuck", 4 * GiB, 1 * GiB, { follows = false }), domain("short", 1 * GiB, 1000 * MiB) },
    },
    {},
    { domains = { { name = "short", unused = 20 * MiB } } },
  }
  local ticks = proportional:run(worlds)
  expect(ticks[1].proposals.stuck.target):is_less_than(4 * GiB)
  expect(ticks[3].proposals.stuck):is_nil()
end)

test("moves that are small in sum are not made", function()
  local tick = proportional:tick {
    host = host(100 * MiB),
    domains = { domain("a", 2 * GiB, 1 * GiB), domain("b", 2 * GiB, 1 * GiB) },
  }
  expect(tick.proposals):is_empty()
end)

test("a domain under its preference gets what is worth it to one", function()
  local tick = proportional:tick {
    host = host(20 * MiB),
    domains = { domain("short", 1 * GiB, 1 * GiB) },
  }
  expect(tick.proposals.short.target):is_near(1 * GiB + 20 * MiB, 4)
  tick = proportional:tick {
    host = host(10 * MiB),
    domains = { domain("short", 1 * GiB, 1 * GiB) },
  }
  expect(tick.proposals):is_empty()
end)

test("what the host owes is nobody's to share", function()
  local tick = proportional:tick {
    host = host(0),
    domains = { domain("a", 4 * GiB, 1 * GiB, { rss = 3 * GiB }), domain("b", 4 * GiB, 1 * GiB) },
  }
  expect(tick.proposals.a.target):is_near(3.5 * GiB, 4)
  expect(tick.proposals.b.target):is_near(3.5 * GiB, 4)
end)
