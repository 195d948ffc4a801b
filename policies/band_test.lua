-- Tests of band.lua: the published clauses one by one, then what memcoord adds to them.

local band = policy("band.lua")

local function domain(name, unused, more)
  local d = { name = name, actual = 1 * GiB, unused = unused }
  for key, value in pairs(more or {}) do d[key] = value end
  return d
end

-- Under the low threshold a fixed step up, over the high one a fixed step down.

test("a domain 1 KiB under 100 MiB unused grows by a fixed step of 100 MiB", function()
  local tick = band:tick { domains = { domain("short", 100 * MiB - 1), domain("out", 0) } }
  expect(tick.decisions.short.target):equals(1 * GiB + 100 * MiB)
  expect(tick.decisions.out.target):equals(1 * GiB + 100 * MiB)
end)

test("a domain 1 KiB over 200 MiB unused shrinks by a fixed step of 50 MiB", function()
  local tick = band:tick { domains = { domain("over", 200 * MiB + 1), domain("rich", 900 * MiB) } }
  expect(tick.decisions.over.target):equals(1 * GiB - 50 * MiB)
  expect(tick.decisions.rich.target):equals(1 * GiB - 50 * MiB)
end)

test("within the band, its ends included, nothing moves", function()
  local tick = band:tick {
    domains = { domain("low", 100 * MiB), domain("middle", 150 * MiB), domain("high", 200 * MiB) },
  }
  expect(tick.proposals):is_empty()
  expect(band:tick({ domains = {} }).proposals):is_empty()
end)

test("a domain comes to rest in the band and stays there", function()
  local worlds = { { domains = { domain("rich", 600 * MiB) } } }
  for i = 2, 12 do worlds[i] = {} end
  local ticks = band:run(worlds)
  expect(ticks[12].proposals):is_empty()
  expect(ticks[12].after.rich.unused):is_between(100 * MiB, 200 * MiB)
end)

-- Only if what is left is over a safe minimum.

test("a step down stops at the safe minimum", function()
  local tick = band:tick {
    domains = {
      domain("above", 201 * MiB, { actual = 242 * MiB + 1 }),
      domain("near", 201 * MiB, { actual = 220 * MiB }),
      domain("nearest", 192 * MiB + 1, { actual = 192 * MiB + 1 }),
    },
  }
  expect(tick.proposals.above.target):equals(192 * MiB + 1)
  expect(tick.decisions.near.target):equals(192 * MiB)
  expect(tick.proposals.nearest):is_nil() -- in its band
end)

test("a domain at or under the safe minimum does not shrink", function()
  local wide = policy("band.lua", { high = "150MiB" })
  local tick = wide:tick {
    domains = {
      domain("at", 160 * MiB, { actual = 192 * MiB }),
      domain("under", 160 * MiB, { actual = 180 * MiB }),
    },
  }
  expect(tick.proposals):is_empty()
end)

-- Minimum and maximum of each VM hold, and so does the host's capacity.

test("a step down stops at the domain's minimum, and a domain at it does not shrink", function()
  local tick = band:tick {
    domains = {
      domain("near", 300 * MiB, { minimum = 1 * GiB - 20 * MiB }),
      domain("there", 300 * MiB, { minimum = 1 * GiB }),
    },
  }
  expect(tick.decisions.near.target):equals(1 * GiB - 20 * MiB)
  expect(tick.decisions.near.rules):is_empty()
  expect(tick.proposals.there):is_nil()
end)

test("no domain grows past its maximum, and a domain at it does not grow", function()
  local tick = band:tick {
    domains = {
      domain("near", 10 * MiB, { maximum = 1 * GiB + 30 * MiB }),
      domain("full", 10 * MiB, { maximum = 1 * GiB }),
    },
  }
  expect(tick.decisions.near.target):equals(1 * GiB + 30 * MiB)
  expect(tick.decisions.near.rules):equals { "maximum" }
  expect(tick.proposals.full):is_nil()
end)

test("the steps together take no more than the host has over its floor", function()
  local tick = band:tick {
    host = { total = 4 * GiB, free = 200 * MiB + 120 * MiB },
    domains = { domain("a", 10 * MiB), domain("b", 10 * MiB) },
  }
  expect(tick.decisions.a.target):equals(1 * GiB + 60 * MiB)
  expect(tick.decisions.b.target):equals(1 * GiB + 60 * MiB)
  expect(tick.decisions.a.rules):equals { "share_out" }
  tick = band:tick { host = { total = 4 * GiB, free = 200 * MiB }, domains = { domain("a", 10 * MiB) } }
  expect(tick.decisions.a.target):equals(1 * GiB)
  expect(tick.decisions.a.rules):equals { "host_floor" }
end)

-- Each action is printed.

test("each move says its reason", function()
  local tick = band:tick { domains = { domain("short", 10 * MiB), domain("rich", 300 * MiB) } }
  expect(tick.decisions.short.why):equals("under its band")
  expect(tick.decisions.rich.why):equals("over its band")
end)

-- Beyond the published clauses.

test("the guard lets a shrink take at most half of the headroom, and end at 100 MiB of it", function()
  local eager = policy("band.lua", { high = "120MiB", down = "100MiB" })
  local tick = eager:tick { domains = { domain("rich", 190 * MiB), domain("close", 121 * MiB) } }
  expect(tick.decisions.rich.target):equals(1 * GiB - 90 * MiB)
  expect(tick.decisions.close.target):equals(1 * GiB - 21 * MiB)
  expect(tick.decisions.close.rules):contains("domain_floor")
end)

test("a low bound over the high one is refused", function()
  local crossed = policy("band.lua", { low = 200 * MiB + 1 })
  expect_error(crossed:tick { domains = { domain("web", 150 * MiB) } }, "*low is over high*")
  local point = policy("band.lua", { low = "200MiB" })
  expect(point:tick({ domains = { domain("web", 200 * MiB) } }).proposals):is_empty()
end)

test("skipped domains neither grow nor shrink", function()
  local tick = band:tick {
    domains = { domain("mute", 0, { silent = true }), domain("mute too", 900 * MiB, { silent = true }) },
  }
  expect(tick.proposals):is_empty()
  expect(tick.skipped.mute.rule):equals("fresh_stats")
end)

test("a starved domain is out of danger within two intervals", function()
  local ticks = band:run { { domains = { domain("short", 10 * MiB) } }, {} }
  expect(ticks[2].after.short.unused):is_at_least(100 * MiB)
end)

test("the band, its steps and the safe minimum are parameters", function()
  local wide = policy("band.lua", {
    low = "50MiB", high = "500MiB", up = "200MiB", down = "20MiB", safe_minimum = "900MiB",
  })
  local tick = wide:tick {
    domains = {
      domain("short", 40 * MiB),
      domain("middle", 400 * MiB),
      domain("rich", 600 * MiB),
      domain("least", 600 * MiB, { actual = 910 * MiB }),
    },
  }
  expect(tick.proposals.short.target):equals(1 * GiB + 200 * MiB)
  expect(tick.proposals.middle):is_nil()
  expect(tick.proposals.rich.target):equals(1 * GiB - 20 * MiB)
  expect(tick.proposals.least.target):equals(900 * MiB)
end)
