-- Tests of percent_band.lua, clause by clause.

local band = policy("percent_band.lua")

local function domain(percent_usable, more)
  local d = { name = "web", actual = 1000 * MiB, unused = 10 * percent_usable * MiB }
  for key, value in pairs(more or {}) do d[key] = value end
  return { domains = { d } }
end

test("a domain under the band grows to the middle of it", function()
  local tick = band:tick(domain(16))
  expect(tick.proposals.web.target):is_near(1200 * MiB, 1)
end)

test("a domain over the band shrinks to the middle of it", function()
  local tick = band:tick(domain(44))
  expect(tick.proposals.web.target):is_near(800 * MiB, 1)
end)

test("nothing moves within the band, its ends included", function()
  for _, percent in ipairs { 25, 30, 35 } do
    expect(band:tick(domain(percent)).proposals):is_empty()
  end
end)

test("usable memory counts, page cache included", function()
  local tick = band:tick(domain(5, { usable = 300 * MiB }))
  expect(tick.proposals):is_empty()
end)

test("a domain comes to rest in the band", function()
  local ticks = band:run { domain(60), {}, {}, {}, {}, {} }
  expect(ticks[6].proposals):is_empty()
  local after = ticks[6].after.web
  expect(after.unused / after.actual):is_between(0.25, 0.35)
end)

test("a domain stays between its minimum and its maximum", function()
  expect(band:tick(domain(5, { maximum = 1050 * MiB })).proposals.web.target):equals(1050 * MiB)
  expect(band:tick(domain(5, { maximum = 1000 * MiB })).proposals):is_empty()
  expect(band:tick(domain(60, { minimum = 900 * MiB })).proposals.web.target):equals(900 * MiB)
end)

test("the band is given by parameters, which have to make sense", function()
  local wide = policy("percent_band.lua", { low = 0.1, high = 0.5 })
  expect(wide:tick(domain(16)).proposals):is_empty()
  local confused = policy("percent_band.lua", { low = 0.5, high = 0.1 })
  expect_error(confused:tick(domain(16)), "*low the smaller*")
end)
