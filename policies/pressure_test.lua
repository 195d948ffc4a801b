-- Tests of pressure.lua, clause by clause.

local pressure = policy("pressure.lua")

-- A host with this much memory for the guests.
local function host(grantable) return { total = 64 * GiB, free = grantable + 200 * MiB } end

-- A guest of this size that uses `used` and holds this much page cache; the rest is idle.
local function guest(name, actual, used, cache, more)
  local d = {
    name = name, actual = actual, unused = actual - used - cache, usable = actual - used, disk_caches = cache,
  }
  for key, value in pairs(more or {}) do d[key] = value end
  return d
end

test("under low pressure the idle memory is shared equally", function()
  local tick = pressure:tick {
    host = host(3 * GiB),
    domains = { guest("a", 1 * GiB, 600 * MiB, 0), guest("b", 1 * GiB, 300 * MiB, 0) },
  }
  -- 5 GiB less 900 MiB in use and two cushions of 100 MiB are idle.
  local idle = (5 * GiB - 1100 * MiB) // 2
  expect(tick.proposals.a.target):equals(700 * MiB + idle)
  expect(tick.proposals.b.target):equals(400 * MiB + idle)
  expect(tick.proposals.a.why):equals("its part under low pressure")
end)

test("under low pressure guests keep their page cache on top", function()
  local tick = pressure:tick {
    host = host(3 * GiB),
    domains = { guest("files", 2 * GiB, 500 * MiB, 1 * GiB), guest("plain", 2 * GiB, 500 * MiB, 0) },
  }
  expect(tick.proposals.files.target - tick.proposals.plain.target):equals(1 * GiB)
end)

test("under low pressure the idle memory goes by weight", function()
  local tick = pressure:tick {
    host = host(3 * GiB),
    domains = { guest("gold", 1 * GiB, 500 * MiB, 0, { weight = 2 }), guest("lead", 1 * GiB, 500 * MiB, 0) },
  }
  local idle = 5 * GiB - 1200 * MiB
  expect(tick.proposals.gold.target):is_near(600 * MiB + idle * 2 // 3, 1)
  expect(tick.proposals.lead.target):is_near(600 * MiB + idle // 3, 1)
end)

test("idle memory that a guest cannot take goes to the others", function()
  local tick = pressure:tick {
    host = host(4 * GiB),
    domains = { guest("full", 1 * GiB, 500 * MiB, 0, { maximum = 1 * GiB }), guest("web", 1 * GiB, 500 * MiB, 0) },
  }
  expect(tick.proposals.full):is_nil()
  expect(tick.proposals.web.target):equals(5 * GiB)
end)

test("under low pressure balloons rest while every guest has four fifths of its idle memory left", function()
  local function world(used)
    return { host = host(0), domains = { guest("a", 2 * GiB, used, 0), guest("b", 2 * GiB, 500 * MiB, 0) } }
  end
  -- 2596 MiB are idle, and `a` has 1148 of its 1298 MiB.
  expect(pressure:tick(world(800 * MiB)).proposals):is_empty()
  -- 1996 MiB are idle, and `a` has 548 of its 998 MiB.
  local tick = pressure:tick(world(1400 * MiB))
  expect(tick.proposals.a.target):equals((1400 + 100 + 998) * MiB)
  expect(tick.proposals.b.target):equals((500 + 100 + 998) * MiB)
  local patient = policy("pressure.lua", { rest = 0.5 })
  expect(patient:tick(world(1400 * MiB)).proposals):is_empty()
end)

test("under low pressure a new guest gets its part at once", function()
  local ticks = pressure:run {
    { host = host(0), domains = { guest("old", 4 * GiB, 1 * GiB, 0) } },
    { domains = { guest("new", 1 * GiB, 500 * MiB, 0) } },
  }
  expect(ticks[1].proposals):is_empty()
  local idle = 5 * GiB - 1 * GiB - 700 * MiB
  expect(ticks[2].proposals.new.target):equals(600 * MiB + idle // 2)
end)

test("under mild pressure all guests keep the same part of their page cache", function()
  -- Used memory takes 1000 MiB, cushions 200 MiB; 1200 MiB are left for 2400 MiB of page cache.
  local tick = pressure:tick {
    host = host(0),
    domains = { guest("much", 1600 * MiB, 500 * MiB, 1100 * MiB), guest("most", 1840 * MiB, 500 * MiB, 1300 * MiB) },
  }
  local part = (3440 - 1200) / 2400
  expect(tick.proposals.much.target):is_near((600 + 1100 * part) * MiB, 4)
  expect(tick.proposals.most.target):is_near((600 + 1300 * part) * MiB, 4)
  expect(tick.proposals.most.why):equals("its part under mild pressure")
end)

test("cushions come before page cache, and are scaled down alike", function()
  -- 160 MiB are left over used memory, for cushions of 200 MiB.
  local tick = pressure:tick {
    host = host(0),
    domains = { guest("files", 660 * MiB, 500 * MiB, 150 * MiB), guest("short", 500 * MiB, 500 * MiB, 0) },
  }
  expect(tick.proposals.files.target):is_near(580 * MiB, 1)
  expect(tick.proposals.short.target):is_near(580 * MiB, 1)
end)

-- Two guests without anything idle; `web` swaps out this much in two seconds, then the given ticks follow.
-- Returns the last tick's proposals.
local function after_swapping(amount, more, ...)
  local web = guest("web", 1000 * MiB, 1000 * MiB, 0, more)
  local ticks = pressure:run {
    { host = host(0), domains = { web, guest("db", 3000 * MiB, 3000 * MiB, 0) } },
    { domains = { { name = "web", swap_out = amount // 2 } } },
    ...,
  }
  return ticks[#ticks].proposals
end

test("under heavy pressure all guests get the same part of what they use, swapped memory included", function()
  -- 5000 MiB are used, 4000 MiB are there.
  local proposals = after_swapping(1000 * MiB)
  expect(proposals.web.target):is_near(1600 * MiB, 2)
  expect(proposals.db.target):is_near(2400 * MiB, 2)
  expect(proposals.db.why):equals("its part under heavy pressure")
end)

test("under heavy pressure a weight raises the part, up to what is used", function()
  expect(after_swapping(1000 * MiB, { weight = 1.2 }).web.target):is_near(4000 * MiB * 2400 // 5400, 2)
  expect(after_swapping(1000 * MiB, { weight = 10 }).web.target):is_near(2000 * MiB, 2)
end)

test("memory that comes back from swap no longer counts", function()
  local back = { { name = "web", swap_out = 0, swap_in = 250 * MiB } }
  local proposals = after_swapping(1000 * MiB, {}, { domains = back })
  expect(proposals.web.target):is_near(4000 * MiB * 1500 // 4500, 4 * MiB)
end)

test("swapped memory is half forgotten after five minutes, in ticks of any length", function()
  local calm = { { name = "web", swap_out = 0 } }
  local once = after_swapping(1000 * MiB, {}, { seconds = 300, domains = calm })
  expect(once.web.target):is_near(4000 * MiB * 1500 // 4500, 2)
  local uneven = pressure:run {
    { host = host(0), domains = { guest("web", 1000 * MiB, 1000 * MiB, 0), guest("db", 3000 * MiB, 3000 * MiB, 0) } },
    { domains = { { name = "web", swap_out = 500 * MiB } } },
    { seconds = 0.25, domains = calm }, { seconds = 200 }, { seconds = 1.75 }, { seconds = 98 },
  }
  expect(uneven[6].proposals.web.target):is_near(once.web.target, 2)
end)

test("what a skipped guest has swapped stays known", function()
  local proposals = after_swapping(1000 * MiB, {},
    { domains = { { name = "web", state = "paused", swap_out = 0 } } })
  expect(proposals.web):is_nil()
  local ticks = pressure:run {
    { host = host(0), domains = { guest("web", 1000 * MiB, 1000 * MiB, 0), guest("db", 3000 * MiB, 3000 * MiB, 0) } },
    { domains = { { name = "web", swap_out = 500 * MiB } } },
    { domains = { { name = "web", state = "paused", swap_out = 0 } } },
    { domains = { { name = "web", state = "running" } } },
  }
  expect(ticks[4].proposals.db.why):equals("its part under heavy pressure")
end)

test("small changes are made only where a guest lacks its cushion", function()
  local function world(spare)
    return {
      host = host(0),
      domains = {
        guest("files", 2000 * MiB, 500 * MiB, 1400 * MiB), guest("web", 600 * MiB + spare, 500 * MiB, 0),
      },
    }
  end
  expect(pressure:tick(world(-10 * MiB)).proposals.web.target):equals(600 * MiB)
  expect(pressure:tick(world(-10 * MiB)).proposals.files):is_nil()
  expect(pressure:tick(world(10 * MiB)).proposals):is_empty()
end)

test("a minimum counts as used, and no guest passes its maximum", function()
  local tick = pressure:tick {
    host = host(0),
    domains = {
      guest("kept", 1000 * MiB, 100 * MiB, 0, { minimum = 1000 * MiB }),
      guest("full", 1000 * MiB, 1000 * MiB, 0, { maximum = 1050 * MiB }),
      guest("files", 2000 * MiB, 500 * MiB, 1500 * MiB),
    },
  }
  expect(tick.proposals.kept.target):equals(1100 * MiB)
  expect(tick.proposals.full.target):equals(1050 * MiB)
end)

test("page cache counts up to the maximum, and so does what a guest has swapped out", function()
  local tick = pressure:tick {
    host = host(2 * GiB),
    domains = {
      guest("files", 1 * GiB, 500 * MiB, 524 * MiB, { maximum = 1 * GiB }), guest("web", 1 * GiB, 900 * MiB, 0),
    },
  }
  expect(tick.proposals.files):is_nil()
  expect(tick.proposals.web.target):equals(3 * GiB)
  expect(after_swapping(1000 * MiB, { maximum = 1000 * MiB })):is_empty()
end)

test("a guest that still grows counts with the size that it was promised", function()
  local ticks = pressure:run {
    {
      host = host(2 * GiB),
      domains = { guest("slow", 1 * GiB, 924 * MiB, 0), guest("web", 1 * GiB, 924 * MiB, 0) },
    },
    { domains = { { name = "slow", actual = 1100 * MiB, unused = 176 * MiB, usable = 176 * MiB } } },
  }
  expect(ticks[1].decisions.slow.target):equals(2 * GiB)
  expect(ticks[2].proposals):is_empty()
end)

test("the host's shortfall comes out of the guests' parts", function()
  local world = {
    host = host(0),
    domains = {
      guest("a", 2000 * MiB, 500 * MiB, 0, { rss = 1600 * MiB }),
      guest("b", 2000 * MiB, 500 * MiB, 0, { rss = 1600 * MiB }),
    },
  }
  local tick = pressure:tick(world)
  expect(tick.proposals.a.target):is_near(1600 * MiB, 4)
  expect(tick.proposals.b.target):is_near(1600 * MiB, 4)
end)

test("a part of idle memory over all of it is refused", function()
  local wrong = policy("pressure.lua", { rest = 1.5 })
  local world = { host = host(0), domains = { guest("a", 1000 * MiB, 500 * MiB, 0) } }
  expect_error(wrong:tick(world), "*rest is from 0 to 1*")
end)
