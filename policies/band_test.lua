-- What band.lua promises, clause by clause.

local band = policy("band.lua")

local function domain(name, unused, more)
  local d = { name = name, actual = 1 * GiB, unused = unused }
  for key, value in pairs(more or {}) do d[key] = value end
  return d
end

test("a domain under the band grows by a large step", function()
  local tick = band:tick { domains = { domain("short", 99 * MiB) } }
  expect(tick.proposals.short.target):equals(1 * GiB + 100 * MiB)
end)

test("a domain over the band shrinks by a small step", function()
  local tick = band:tick { domains = { domain("rich", 201 * MiB) } }
  expect(tick.proposals.rich.target):equals(1 * GiB - 50 * MiB)
end)

test("nothing moves within the band, its ends included", function()
  local tick = band:tick {
    domains = { domain("low", 100 * MiB), domain("middle", 150 * MiB), domain("high", 200 * MiB) },
  }
  expect(tick.proposals):is_empty()
end)

test("a domain comes to rest in the band and stays there", function()
  local worlds = { { domains = { domain("rich", 600 * MiB) } } }
  for i = 2, 12 do worlds[i] = {} end
  local ticks = band:run(worlds)
  expect(ticks[12].proposals):is_empty()
  expect(ticks[12].after.rich.unused):is_between(100 * MiB, 200 * MiB)
end)

test("no domain is shrunk below the safe minimum", function()
  local tick = band:tick {
    domains = {
      domain("near", 201 * MiB, { actual = 220 * MiB }),
      domain("there", 201 * MiB, { actual = 192 * MiB + 10 * MiB, minimum = 202 * MiB }),
    },
  }
  expect(tick.proposals.near.target):equals(192 * MiB)
  expect(tick.proposals.there):is_nil()
end)

test("a domain at its maximum is not asked to grow", function()
  local tick = band:tick { domains = { domain("full", 10 * MiB, { maximum = 1 * GiB }) } }
  expect(tick.proposals):is_empty()
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
