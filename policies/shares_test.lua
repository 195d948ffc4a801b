-- What shares.lua promises, clause by clause.

local shares = policy("shares.lua")

-- The goal is 80 GiB in use.
local function host(used) return { total = 100 * GiB, free = 100 * GiB - used } end

local function domain(name, more)
  local d = { name = name, actual = 4 * GiB, minimum = 2 * GiB, maximum = 8 * GiB, unused = 1 * GiB }
  for key, value in pairs(more or {}) do d[key] = value end
  return d
end

test("under the goal guests grow, by at most 100 MiB", function()
  local tick = shares:tick { host = host(70 * GiB), domains = { domain("a") } }
  expect(tick.proposals.a.target):equals(4 * GiB + 100 * MiB)
end)

test("over the goal guests shrink, by at most 100 MiB", function()
  local tick = shares:tick { host = host(90 * GiB), domains = { domain("a") } }
  expect(tick.proposals.a.target):equals(4 * GiB - 100 * MiB)
end)

test("within 10 MiB of the goal nothing happens", function()
  local tick = shares:tick { host = host(80 * GiB - 9 * MiB), domains = { domain("a") } }
  expect(tick.proposals):is_empty()
end)

test("no more is moved than the goal asks for", function()
  local tick = shares:tick { host = host(80 * GiB - 40 * MiB), domains = { domain("a"), domain("b") } }
  expect(tick.proposals.a.target):is_near(4 * GiB + 20 * MiB, 4)
  expect(tick.proposals.b.target):is_near(4 * GiB + 20 * MiB, 4)
end)

test("what is above the minimums is spread by shares", function()
  local tick = shares:tick {
    host = host(80 * GiB - 90 * MiB),
    domains = {
      domain("one", { actual = 3 * GiB, unused = 900 * MiB }),
      domain("three", { actual = 5 * GiB, labels = { shares = "3000" } }),
    },
  }
  -- 4 GiB and 90 MiB above the minimums: a quarter of it and three quarters.
  expect(tick.proposals.one.target):is_near(3 * GiB + 22.5 * MiB, 4)
  expect(tick.proposals.three.target):is_near(5 * GiB + 67.5 * MiB, 4)
end)

test("who has its fair part already does not grow", function()
  local tick = shares:tick {
    host = host(70 * GiB),
    domains = { domain("rich", { actual = 7 * GiB, labels = { shares = "100" } }), domain("poor") },
  }
  expect(tick.proposals.rich):is_nil()
  expect(tick.proposals.poor.target):equals(4 * GiB + 100 * MiB)
end)

test("growing begins with guests short of a quarter of their minimum", function()
  local tick = shares:tick {
    host = host(80 * GiB - 100 * MiB),
    domains = { domain("needy", { unused = 300 * MiB }), domain("other") },
  }
  expect(tick.proposals.needy.target):equals(4 * GiB + 100 * MiB)
  expect(tick.proposals.other):is_nil()
end)

test("what the needy lack at the goal comes from the others", function()
  local tick = shares:tick {
    host = host(80 * GiB - 40 * MiB),
    domains = { domain("needy", { unused = 300 * MiB }), domain("other") },
  }
  expect(tick.proposals.needy.target):equals(4 * GiB + 100 * MiB)
  expect(tick.proposals.other.target):equals(4 * GiB - 60 * MiB)
  expect(tick.proposals.other.why):matches("*short*")
end)

test("the needy get no more than the others can give", function()
  local tick = shares:tick {
    host = host(80 * GiB),
    domains = { domain("needy", { unused = 300 * MiB }), domain("other", { actual = 2 * GiB + 30 * MiB }) },
  }
  expect(tick.proposals.needy.target):equals(4 * GiB + 30 * MiB)
  expect(tick.proposals.other.target):equals(2 * GiB)
end)

test("shrinking begins with the others", function()
  local tick = shares:tick {
    host = host(80 * GiB + 150 * MiB),
    domains = { domain("needy", { unused = 300 * MiB, maximum = 4 * GiB }), domain("other") },
  }
  expect(tick.proposals.other.target):equals(4 * GiB - 100 * MiB)
  expect(tick.proposals.needy.target):equals(4 * GiB - 50 * MiB)
end)

test("nobody leaves the range from its minimum to its maximum", function()
  local tick = shares:tick {
    host = host(70 * GiB),
    domains = { domain("top", { actual = 8 * GiB - 10 * MiB }) },
  }
  expect(tick.proposals.top.target):equals(8 * GiB)
  tick = shares:tick { host = host(90 * GiB), domains = { domain("bottom", { actual = 2 * GiB + 10 * MiB }) } }
  expect(tick.proposals.bottom.target):equals(2 * GiB)
end)

test("shares 0 leave a guest out", function()
  local tick = shares:tick { host = host(90 * GiB), domains = { domain("own", { labels = { shares = "0" } }) } }
  expect(tick.proposals):is_empty()
end)

test("weights count as thousands of shares", function()
  local tick = shares:tick {
    host = host(80 * GiB - 80 * MiB),
    domains = { domain("light"), domain("heavy", { actual = 8 * GiB, maximum = 16 * GiB, weight = 3 }) },
  }
  expect(tick.proposals.light.target):is_near(4 * GiB + 20 * MiB, 4)
  expect(tick.proposals.heavy.target):is_near(8 * GiB + 60 * MiB, 4)
end)
