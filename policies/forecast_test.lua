-- Tests of forecast.lua, clause by clause.

local forecast = policy("forecast.lua")

local function host(grantable) return { total = 64 * GiB, free = grantable + 200 * MiB } end

local function guest(name, actual, used, more)
  local d = { name = name, actual = actual, unused = actual - used }
  for key, value in pairs(more or {}) do d[key] = value end
  return d
end

-- The forecast for a guest of 8 GiB that has used this much, { SECONDS, USED } a tick. The host has
-- memory in the last tick only, and the policy then gives the guest 8 GiB more than the forecast.
local function forecast_after(params, uses)
  params.spare = 8 * GiB
  local worlds = {}
  for i, use in ipairs(uses) do
    worlds[i] = {
      seconds = use[1], host = host(i == #uses and 32 * GiB or 0), domains = { guest("web", 8 * GiB, use[2]) },
    }
  end
  local ticks = policy("forecast.lua", params):run(worlds)
  return ticks[#ticks].proposals.web.target - 8 * GiB
end

test("a steady guest, and a new one, is forecast to use what it uses", function()
  expect(forecast_after({}, { { 1, 6 * GiB } })):equals(6 * GiB)
  expect(forecast_after({}, { { 1, 6 * GiB }, { 5, 6 * GiB } })):equals(6 * GiB)
end)

test("the forecast of a guest that uses less is the average, half of the way down after a half-life", function()
  expect(forecast_after({}, { { 1, 6 * GiB }, { 10, 2 * GiB } })):equals(4 * GiB)
  expect(forecast_after({}, { { 1, 6 * GiB }, { 10, 2 * GiB }, { 10, 2 * GiB } })):equals(3 * GiB)
  expect(forecast_after({ half_life = 20 }, { { 1, 6 * GiB }, { 20, 2 * GiB } })):equals(4 * GiB)
end)

test("the average is over time: uneven ticks end where one long tick does", function()
  local once = forecast_after({}, { { 1, 6 * GiB }, { 10, 2 * GiB } })
  local uneven = forecast_after({}, {
    { 1, 6 * GiB }, { 0.25, 2 * GiB }, { 4, 2 * GiB }, { 0.75, 2 * GiB }, { 5, 2 * GiB },
  })
  expect(uneven):is_near(once, 1)
end)

test("the forecast of a guest that uses more leads by as much as the average lags", function()
  -- After a half-life the average is at 4 GiB, 2 GiB behind.
  expect(forecast_after({}, { { 1, 2 * GiB }, { 10, 6 * GiB } })):equals(8 * GiB)
  expect(forecast_after({ lead = 0.5 }, { { 1, 2 * GiB }, { 10, 6 * GiB } })):equals(7 * GiB)
  expect(forecast_after({ lead = 0.0 }, { { 1, 2 * GiB }, { 10, 6 * GiB } })):equals(6 * GiB)
end)

test("the average of a skipped guest stays as it is", function()
  local ticks = forecast:run {
    { host = host(0), domains = { guest("web", 8 * GiB, 7 * GiB) } },
    { seconds = 10, domains = { { name = "web", state = "paused" } } },
    { seconds = 10, host = host(32 * GiB), domains = { { name = "web", state = "running", unused = 5 * GiB } } },
  }
  -- The average is 5 GiB, so that a fifth of 8 GiB is free: nothing moves. Without it 3 GiB are forecast.
  expect(ticks[3].proposals):is_empty()
end)

test("a domain that is forecast to use over four fifths of its size grows until it uses just that", function()
  local tick = forecast:tick { host = host(8 * GiB), domains = { guest("web", 4000 * MiB, 3600 * MiB) } }
  expect(tick.proposals.web.target):equals(4500 * MiB)
end)

test("a small domain gets at least 100 MiB above its forecast", function()
  local tick = forecast:tick { host = host(8 * GiB), domains = { guest("web", 300 * MiB, 240 * MiB) } }
  expect(tick.proposals.web.target):equals(340 * MiB)
end)

test("the host gives first", function()
  local tick = forecast:tick {
    host = host(8 * GiB), domains = { guest("web", 4000 * MiB, 3600 * MiB), guest("idle", 4000 * MiB, 1000 * MiB) },
  }
  expect(tick.proposals.idle):is_nil()
end)

test("what the host lacks comes from the domains that can give, each the same part of what it can", function()
  local tick = forecast:tick {
    host = host(100 * MiB),
    domains = {
      guest("web", 4000 * MiB, 3600 * MiB),
      guest("more", 4000 * MiB, 2000 * MiB), -- gives down to 2500 MiB, but no more than half of its headroom
      guest("less", 2000 * MiB, 1200 * MiB), -- gives down to 1500 MiB, but no more than 400 MiB
    },
  }
  expect(tick.proposals.web.target):equals(4500 * MiB)
  expect(4000 * MiB - tick.proposals.more.target):is_near(400 * MiB * 1000 // 1400, 1)
  expect(2000 * MiB - tick.proposals.less.target):is_near(400 * MiB * 400 // 1400, 1)
end)

test("a domain that is neither short nor idle is left alone", function()
  local tick = forecast:tick {
    host = host(0), domains = { guest("web", 4000 * MiB, 3600 * MiB), guest("calm", 4000 * MiB, 3000 * MiB) },
  }
  expect(tick.proposals):is_empty()
end)

test("a domain that was busy a moment ago does not give", function()
  local ticks = forecast:run {
    { host = host(0), domains = { guest("web", 4000 * MiB, 3000 * MiB), guest("pause", 4000 * MiB, 3000 * MiB) } },
    { seconds = 1, domains = { { name = "web", unused = 100 * MiB }, { name = "pause", unused = 3000 * MiB } } },
    { seconds = 10 },
  }
  expect(ticks[2].proposals.pause):is_nil()
  expect(ticks[3].proposals.pause.target):is_less_than(4000 * MiB)
end)

test("short domains share by weight what there is", function()
  local tick = forecast:tick {
    host = host(300 * MiB),
    domains = { guest("gold", 4000 * MiB, 3900 * MiB, { weight = 2 }), guest("lead", 4000 * MiB, 3900 * MiB) },
  }
  expect(tick.proposals.gold.target):is_near(4200 * MiB, 1)
  expect(tick.proposals.lead.target):is_near(4100 * MiB, 1)
end)

test("minimum and maximum bound what a domain wants", function()
  local tick = forecast:tick {
    host = host(8 * GiB),
    domains = {
      guest("small", 500 * MiB, 100 * MiB, { minimum = 600 * MiB }),
      guest("full", 1000 * MiB, 1000 * MiB, { maximum = 1100 * MiB }),
    },
  }
  expect(tick.proposals.small.target):equals(600 * MiB)
  expect(tick.proposals.full.target):equals(1100 * MiB)
end)

test("the host's shortfall comes from the domains that can give, before any domain grows", function()
  local tick = forecast:tick {
    host = host(0),
    domains = { guest("web", 4000 * MiB, 3600 * MiB), guest("idle", 4000 * MiB, 1000 * MiB, { rss = 3700 * MiB }) },
  }
  expect(4000 * MiB - tick.proposals.idle.target):is_near(800 * MiB, 1)
  expect(tick.decisions.web.target):is_near(4500 * MiB, 1)
end)

test("bounds in the wrong order are refused", function()
  local crossed = policy("forecast.lua", { idle = 0.9, busy = 0.8 })
  expect_error(crossed:tick { domains = { guest("web", 1 * GiB, 500 * MiB) } }, "*idle is at most busy*")
end)
