-- Tests of proportional.lua, clause by clause.

local proportional = policy("proportional.lua")

-- What the guard would grant is what is free over its floor.
local function host(grantable) return { total = 64 * GiB, free = grantable + 200 * MiB } end

local function domain(name, actual, used, more)
  local d = { name = name, actual = actual, unused = actual - used, maximum = 32 * GiB }
  for key, value in pairs(more or {}) do d[key] = value end
  return d
end

test("all memory is shared in proportion to each domain's preference", function()
  local tick = proportional:tick {
    host = host(2 * GiB),
    domains = { domain("small", 2 * GiB, 1 * GiB), domain("large", 4 * GiB, 3 * GiB) },
  }
  expect(tick.proposals.small.target):is_near(2 * GiB, 4)
  expect(tick.proposals.large.target):is_near(6 * GiB, 4)
end)

test("memory over one domain's maximum is shared equally among the others", function()
  local tick = proportional:tick {
    host = host(2048 * MiB),
    domains = {
      domain("full", 1024 * MiB, 512 * MiB, { maximum = 1024 * MiB }),
      domain("small", 1024 * MiB, 512 * MiB),
      domain("large", 3072 * MiB, 1536 * MiB),
    },
  }
  -- A fifth of 7168 MiB is 1433.6: 409.6 of it pass the maximum, and go in two halves.
  expect(tick.proposals.full):is_nil()
  expect(tick.proposals.small.target):is_near(1638.4 * MiB, 4)
  expect(tick.proposals.large.target):is_near(4505.6 * MiB, 4)
end)

test("memory that then exceeds a second maximum is shared again", function()
  local tick = proportional:tick {
    host = host(2048 * MiB),
    domains = {
      domain("full", 1024 * MiB, 512 * MiB, { maximum = 1024 * MiB }),
      domain("small", 1024 * MiB, 512 * MiB, { maximum = 1536 * MiB }),
      domain("large", 3072 * MiB, 1536 * MiB),
    },
  }
  expect(tick.proposals.small.target):equals(1536 * MiB)
  expect(tick.proposals.large.target):is_near(4608 * MiB, 4)
end)

test("no domain prefers less than 200 MiB, or more than its maximum", function()
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

test("in scarcity a domain over its preference gives the rest to the others in the same tick", function()
  local tick = proportional:tick {
    host = host(0),
    domains = {
      domain("donor", 3000 * MiB, 2000 * MiB),
      domain("short", 2000 * MiB, 2000 * MiB),
      domain("poor", 1000 * MiB, 1000 * MiB),
    },
  }
  -- 400 MiB over 1.3 times 2000, shared as 2600 to 1300.
  expect(tick.proposals.donor.target):equals(2600 * MiB)
  expect(tick.proposals.short.target):is_near(2000 * MiB + 400 * MiB * 2 / 3, 4)
  expect(tick.proposals.poor.target):is_near(1000 * MiB + 400 * MiB / 3, 4)
  expect(tick.proposals.short.why):matches("*too little*")
end)

test("in scarcity the short domains share the rest on top of what they have", function()
  local tick = proportional:tick {
    host = host(300 * MiB),
    domains = { domain("a", 2000 * MiB, 1600 * MiB), domain("b", 1000 * MiB, 1000 * MiB) },
  }
  -- They prefer 2080 and 1300 MiB.
  expect(tick.proposals.a.target):is_near(2000 * MiB + 300 * MiB * 2080 / 3380, 4)
  expect(tick.proposals.b.target):is_near(1000 * MiB + 300 * MiB * 1300 / 3380, 4)
end)

test("scarcity takes nothing from a domain that has less than it prefers", function()
  local tick = proportional:tick {
    host = host(0),
    domains = { domain("less", 2048 * MiB, 1598 * MiB), domain("full", 1024 * MiB, 1024 * MiB) },
  }
  expect(tick.proposals):is_empty()
end)

test("in scarcity a domain that has exactly its preference keeps it, and gets no more", function()
  local tick = proportional:tick {
    host = host(100 * MiB),
    domains = { domain("just", 1300 * MiB, 1000 * MiB), domain("short", 1000 * MiB, 1000 * MiB) },
  }
  expect(tick.proposals.just):is_nil()
  expect(tick.proposals.short.target):is_near(1100 * MiB, 4)
end)

test("in scarcity no domain gives less than 10 MiB", function()
  local function given(gift)
    return proportional:tick {
      host = host(20 * MiB),
      domains = { domain("donor", 1300 * MiB + gift, 1000 * MiB), domain("short", 1000 * MiB, 1000 * MiB) },
    }.proposals
  end
  expect(given(10 * MiB - 4).donor):is_nil()
  expect(given(10 * MiB).donor.target):equals(1300 * MiB)
  expect(given(10 * MiB).short.target):is_near(1030 * MiB, 4)
end)

test("where the shortfall is more than the others can give, short domains keep what they have", function()
  local tick = proportional:tick {
    -- At its floor: below it, the engine itself would take what is missing.
    host = { total = 8 * GiB, free = 200 * MiB },
    domains = {
      domain("donor", 3 * GiB, 2 * GiB, { rss = 2400 * MiB }),
      domain("short", 300 * MiB, 290 * MiB),
    },
  }
  expect(tick.grantable):equals(0)
  expect(tick.proposals.donor.target):is_near(1.3 * 2 * GiB, 4)
  expect(tick.proposals.short):is_nil()
end)

test("page cache that a guest can drop is not used", function()
  local function shared(usable)
    return proportional:tick {
      host = host(2 * GiB),
      domains = { domain("files", 2 * GiB, 2 * GiB, { usable = usable }), domain("plain", 2 * GiB, 1 * GiB) },
    }.proposals
  end
  expect(shared(1 * GiB).files.target):equals(3 * GiB)
  expect(shared(512 * MiB).files.target):is_near(6 * GiB * 3 / 5, 4)
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

test("a domain that does not move comes back once it has less than it prefers", function()
  local worlds = {
    {
      host = host(100 * MiB),
      domains = { domain("stuck", 4 * GiB, 1 * GiB, { follows = false }), domain("short", 1 * GiB, 1000 * MiB) },
    },
    {},
    {
      host = host(500 * MiB),
      domains = { { name = "stuck", unused = 100 * MiB, follows = true }, { name = "short", unused = 300 * MiB } },
    },
  }
  expect(proportional:run(worlds)[3].proposals.stuck.target):is_more_than(4 * GiB)
end)

test("moves that are small in sum are not made", function()
  local function shared(spare)
    return proportional:tick {
      host = host(spare),
      domains = { domain("a", 2048 * MiB, 1 * GiB), domain("b", 2048 * MiB, 1 * GiB) },
    }.proposals
  end
  -- What the host has to spare counts: 75 MiB, and as much in two moves.
  expect(shared(75 * MiB)):is_empty()
  expect(shared(76 * MiB).a.target):equals(2048 * MiB + 38 * MiB)
  expect(shared(100 * MiB).a.target):equals(2098 * MiB)
end)

test("a host that lacks more than 15 MiB always gets memory", function()
  local function paid(shortfall)
    return proportional:tick {
      host = host(0),
      domains = {
        domain("a", 2048 * MiB, 1 * GiB, { rss = 2048 * MiB - shortfall }),
        domain("b", 2048 * MiB, 1 * GiB),
      },
    }.proposals
  end
  -- The engine itself asks for a sixteenth of the shortfall that a policy leaves.
  expect(paid(15 * MiB).a.why):matches("*more is committed*")
  expect(paid(16 * MiB).a.target):equals(2040 * MiB)
  expect(paid(16 * MiB).b.target):equals(2040 * MiB)
  expect(paid(100 * MiB).a.target):equals(1998 * MiB)
end)

test("memory that a guest swaps out counts as used, and fades", function()
  local ticks = proportional:run {
    { host = host(2 * GiB), domains = { domain("swaps", 2 * GiB, 1 * GiB), domain("calm", 2 * GiB, 1 * GiB) } },
    { domains = { { name = "swaps", swap_out = 100 * MiB } } },
    { seconds = 300, domains = { { name = "swaps", swap_out = 0 } } },
  }
  -- 200 MiB in two seconds.
  expect(ticks[1].proposals.swaps.target):equals(3 * GiB)
  expect(ticks[2].proposals.swaps.target):is_near(6144 * MiB * 1224 / 2248, 4)
  expect(ticks[3].proposals.swaps.target):is_near(6144 * MiB * 1124 / 2148, 4)
end)

test("a domain under its preference grows if it gains more than min_gain", function()
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

test("the host's shortfall is not shared", function()
  local tick = proportional:tick {
    host = host(0),
    domains = { domain("a", 4 * GiB, 1 * GiB, { rss = 3 * GiB }), domain("b", 4 * GiB, 1 * GiB) },
  }
  expect(tick.proposals.a.target):is_near(3.5 * GiB, 4)
  expect(tick.proposals.b.target):is_near(3.5 * GiB, 4)
end)
