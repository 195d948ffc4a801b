-- Tests of buffer.lua, clause by clause.

local buffer = policy("buffer.lua")

local function host(grantable) return { total = 64 * GiB, free = grantable + 200 * MiB } end

local function domain(name, actual, used, more)
  local d = { name = name, actual = actual, unused = actual - used }
  for key, value in pairs(more or {}) do d[key] = value end
  return d
end

test("a domain grows to its demand and a fifth of it", function()
  local tick = buffer:tick { host = host(8 * GiB), domains = { domain("web", 1050 * MiB, 1000 * MiB) } }
  expect(tick.proposals.web.target):equals(1200 * MiB)
end)

test("a surplus stays where it is until others need it", function()
  local tick = buffer:tick {
    host = host(8 * GiB),
    domains = { domain("rich", 4 * GiB, 1 * GiB), domain("web", 1050 * MiB, 1000 * MiB) },
  }
  expect(tick.proposals.rich):is_nil()
end)

test("memory that the host lacks comes from the domains with a surplus, in proportion", function()
  local tick = buffer:tick {
    host = host(0),
    domains = {
      domain("more", 2200 * MiB, 1000 * MiB),
      domain("less", 1700 * MiB, 1000 * MiB),
      domain("web", 1050 * MiB, 1000 * MiB),
    },
  }
  expect(tick.proposals.more.target):is_near(2100 * MiB, 1)
  expect(tick.proposals.less.target):is_near(1650 * MiB, 1)
  expect(tick.decisions.web.target):is_near(1200 * MiB, 2)
end)

test("in scarcity every domain gets its minimum, and the rest goes by weight", function()
  local tick = buffer:tick {
    host = host(300 * MiB),
    domains = {
      domain("gold", 1000 * MiB, 1000 * MiB, { weight = 2, minimum = 1000 * MiB }),
      domain("lead", 1000 * MiB, 1000 * MiB, { minimum = 1000 * MiB }),
    },
  }
  expect(tick.proposals.gold.target):is_near(1200 * MiB, 1)
  expect(tick.proposals.lead.target):is_near(1100 * MiB, 1)
end)

test("no domain gets more than it wants, and the rest goes to the others", function()
  local tick = buffer:tick {
    host = host(250 * MiB),
    domains = {
      domain("gold", 1000 * MiB, 1000 * MiB, { weight = 10, minimum = 1000 * MiB }),
      domain("lead", 1000 * MiB, 1000 * MiB, { minimum = 1000 * MiB }),
    },
  }
  expect(tick.proposals.gold.target):is_near(1200 * MiB, 1)
  expect(tick.proposals.lead.target):is_near(1050 * MiB, 1)
end)

test("minimum and maximum bound what a domain wants", function()
  local tick = buffer:tick {
    host = host(8 * GiB),
    domains = {
      domain("small", 500 * MiB, 100 * MiB, { minimum = 600 * MiB }),
      domain("full", 1000 * MiB, 1000 * MiB, { maximum = 1100 * MiB }),
    },
  }
  expect(tick.proposals.small.target):equals(600 * MiB)
  expect(tick.proposals.full.target):equals(1100 * MiB)
end)

test("the buffer is a parameter", function()
  local large = policy("buffer.lua", { buffer = 0.5 })
  local tick = large:tick { host = host(8 * GiB), domains = { domain("web", 1050 * MiB, 1000 * MiB) } }
  expect(tick.proposals.web.target):equals(1500 * MiB)
end)

test("the host's shortfall comes out of the surplus", function()
  local tick = buffer:tick {
    host = host(0),
    domains = { domain("rich", 2200 * MiB, 1000 * MiB, { rss = 2000 * MiB }), domain("web", 1050 * MiB, 1000 * MiB) },
  }
  expect(tick.proposals.rich.target):is_near(2200 * MiB - 200 * MiB - 150 * MiB, 1)
  expect(tick.decisions.web.target):is_near(1200 * MiB, 1)
end)
