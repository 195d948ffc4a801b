-- Tests of forecast.lua, clause by clause.

local forecast = policy("forecast.lua")

local function host(grantable) return { total = 64 * GiB, free = grantable + 200 * MiB } end

local function guest(name, actual, used, more)
  local d = { name = name, actual = actual, unused = actual - used }
  for key, value in pairs(more or {}) do d[key] = value end
  return d
end

-- The forecast for a guest of 8 GiB that has used this much, { SECONDS, USED } a tick. The host has
-- memory in the last tick only; the policy then gives the guest 8 GiB more than the forecast.
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
  expect(forecast_after({}, { { 1, 6 * GiB }, { 60, 2 * GiB } })):equals(4 * GiB)
  expect(forecast_after({}, { { 1, 6 * GiB }, { 60, 2 * GiB }, { 60, 2 * GiB } })):equals(3 * GiB)
  expect(forecast_after({ half_life = 20 }, { { 1, 6 * GiB }, { 20, 2 * GiB } })):equals(4 * GiB)
end)

test("the average is over time: uneven ticks end where one long tick does", function()
  local once = forecast_after({}, { { 1, 6 * GiB }, { 60, 2 * GiB } })
  local uneven = forecast_after({}, {
    { 1, 6 * GiB }, { 0.25, 2 * GiB }, { 40, 2 * GiB }, { 0.75, 2 * GiB }, { 19, 2 * GiB },
  })
  expect(uneven):is_near(once, 1)
end)

test("the forecast of a guest that uses more is what it uses, at once", function()
  expect(forecast_after({}, { { 1, 2 * GiB }, { 0.25, 6 * GiB } })):equals(6 * GiB)
end)

test("a short rise raises the average by little", function()
  -- Two seconds of 60 at 6 GiB.
  local after = forecast_after({}, { { 1, 2 * GiB }, { 2, 6 * GiB }, { 1, 2 * GiB } })
  expect(after):is_between(2 * GiB, 2 * GiB + 100 * MiB)
end)

test("the average of a skipped guest stays known, and moves by the time that has passed", function()
  local ticks = policy("forecast.lua", { busy = 0.75 }):run {
    { host = host(0), domains = { guest("web", 8 * GiB, 7 * GiB) } },
    { seconds = 60, domains = { { name = "web", state = "paused" } } },
    { seconds = 60, host = host(32 * GiB), domains = { { name = "web", state = "running", unused = 2 * GiB } } },
  }
  -- 7 GiB, and 6 GiB two minutes later: a quarter of the difference is left.
  expect(ticks[3].proposals.web.target):is_near(6.25 * GiB / 0.75, 1)
end)

test("a domain that is forecast to use over four fifths of its size grows until it uses just that", function()
  local tick = forecast:tick { host = host(8 * GiB), domains = { guest("web", 4000 * MiB, 3600 * MiB) } }
  expect(tick.proposals.web.target):equals(4500 * MiB)
  expect(tick.proposals.web.why):equals("forecast to need it")
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

test("what the host lacks comes from the domains with a surplus, each the same part of it", function()
  local tick = forecast:tick {
    host = host(100 * MiB),
    domains = {
      guest("web", 4000 * MiB, 3600 * MiB), -- lacks 500 MiB
      guest("more", 4000 * MiB, 2000 * MiB), -- 1500 MiB over what it wants
      guest("less", 2000 * MiB, 1200 * MiB), -- 500 MiB over what it wants
    },
  }
  expect(tick.proposals.web.target):equals(4500 * MiB)
  expect(tick.proposals.more.target):is_near(4000 * MiB - 300 * MiB, 1)
  expect(tick.proposals.less.target):is_near(2000 * MiB - 100 * MiB, 1)
  expect(tick.proposals.less.why):equals("others are forecast to need it")
end)

test("a domain that was busy a moment ago keeps its memory for a while", function()
  local ticks = forecast:run {
    { host = host(0), domains = { guest("web", 4000 * MiB, 3200 * MiB), guest("pause", 4000 * MiB, 3200 * MiB) } },
    { seconds = 1, domains = { { name = "web", unused = 750 * MiB }, { name = "pause", unused = 3000 * MiB } } },
    { seconds = 60 },
  }
  expect(4000 * MiB - ticks[2].proposals.pause.target):is_less_than(70 * MiB)
  expect(4000 * MiB - ticks[3].proposals.pause.target):is_more_than(60 * MiB)
end)

test("with too little memory forecasts come first, by weight", function()
  local ticks = forecast:run {
    {
      host = host(0),
      domains = { guest("gold", 3000 * MiB, 2900 * MiB, { weight = 2 }), guest("lead", 3000 * MiB, 2900 * MiB) },
    },
    {
      seconds = 1, host = host(300 * MiB),
      domains = { guest("gold", 1000 * MiB, 950 * MiB), guest("lead", 1000 * MiB, 950 * MiB) },
    },
  }
  -- 2300 MiB are there, and some 2880 MiB are forecast for each.
  expect(ticks[2].proposals.gold.target):is_near(2300 * MiB * 2 // 3, 1)
  expect(ticks[2].proposals.lead.target):is_near(2300 * MiB // 3, 1)
  expect(ticks[2].proposals.gold.why):equals("its part of too little")
end)

test("with too little memory a domain counts with its maximum, if more is forecast", function()
  local ticks = forecast:run {
    { host = host(0), domains = { guest("capped", 3000 * MiB, 2900 * MiB), guest("web", 1000 * MiB, 950 * MiB) } },
    { seconds = 1, domains = { guest("capped", 1000 * MiB, 950 * MiB, { maximum = 1000 * MiB }) } },
  }
  -- Of 2000 MiB `capped` gets 1000 MiB, though 2900 MiB are forecast.
  expect(ticks[2].proposals):is_empty()
end)

test("with too little memory margins share what the forecasts leave", function()
  local tick = forecast:tick {
    host = host(0),
    domains = {
      guest("gold", 1100 * MiB, 1000 * MiB, { weight = 3 }), guest("lead", 1100 * MiB, 1000 * MiB),
    },
  }
  expect(tick.proposals.gold.target):is_near(1150 * MiB, 1)
  expect(tick.proposals.lead.target):is_near(1050 * MiB, 1)
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
  expect(tick.proposals.small.why):equals("forecast to need it") -- not the engine, on its own
  expect(tick.proposals.full.target):equals(1100 * MiB)
end)

test("a domain that still grows counts with the size that it was promised", function()
  local ticks = forecast:run {
    { host = host(2 * GiB), domains = { guest("slow", 4000 * MiB, 3600 * MiB) } },
    { domains = { { name = "slow", actual = 4100 * MiB, unused = 500 * MiB } } },
  }
  expect(ticks[1].decisions.slow.target):equals(4500 * MiB)
  expect(ticks[2].proposals):is_empty()
end)

test("the host's shortfall comes from the domains with a surplus, before any domain grows", function()
  local tick = forecast:tick {
    host = host(0),
    domains = { guest("web", 4000 * MiB, 3600 * MiB), guest("idle", 4000 * MiB, 1000 * MiB, { rss = 3700 * MiB }) },
  }
  expect(4000 * MiB - tick.proposals.idle.target):is_near(800 * MiB, 1)
  expect(tick.decisions.web.target):is_near(4500 * MiB, 1)
end)

test("a small change is left alone, unless the domain is near its forecast", function()
  local ticks = forecast:run {
    { host = host(8 * GiB), domains = { guest("web", 4000 * MiB, 3210 * MiB) } }, -- wants 12.5 MiB more
    { domains = { guest("web", 4000 * MiB, 3216 * MiB) } }, -- 20 MiB
  }
  expect(ticks[1].proposals):is_empty()
  expect(ticks[2].proposals.web.target):equals(4020 * MiB)
  local near = policy("forecast.lua", { min_move = "500MiB" }):tick {
    host = host(8 * GiB), domains = { guest("web", 400 * MiB, 360 * MiB) },
  }
  expect(near.proposals.web.target):equals(460 * MiB)
end)

test("parameters without a meaning are refused", function()
  local never = policy("forecast.lua", { half_life = 0 })
  expect_error(never:tick { domains = { guest("web", 1 * GiB, 500 * MiB) } }, "*half_life is over 0*")
  for _, busy in ipairs { 0, 1.5 } do
    local wrong = policy("forecast.lua", { busy = busy })
    expect_error(wrong:tick { domains = { guest("web", 1 * GiB, 500 * MiB) } }, "*busy is over 0, and at most 1*")
  end
end)
