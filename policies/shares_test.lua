-- Tests of shares.lua, clause by clause.

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

test("memory above the minimums is divided by shares", function()
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

test("a guest with its fair part does not grow", function()
  local tick = shares:tick {
    host = host(79 * GiB),
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

test("a guest with just a quarter of its minimum free is needy", function()
  local function grown(unused)
    return shares:tick {
      host = host(80 * GiB - 100 * MiB),
      domains = { domain("asked", { unused = unused }), domain("other") },
    }.proposals
  end
  expect(grown(512 * MiB).asked.why):matches("*short*")
  expect(grown(512 * MiB).other):is_nil()
  expect(grown(512 * MiB + 4).other.target):equals(4 * GiB + 50 * MiB)
end)

test("a guest under its minimum is needy", function()
  local tick = shares:tick {
    host = host(80 * GiB - 100 * MiB),
    domains = { domain("under", { actual = 2 * GiB - 50 * MiB }), domain("other") },
  }
  expect(tick.proposals.under.target):equals(2 * GiB + 50 * MiB)
  expect(tick.proposals.under.why):matches("*short*")
  expect(tick.proposals.other):is_nil()
end)

test("while a needy guest can grow, the others do not", function()
  local tick = shares:tick {
    host = host(80 * GiB - 500 * MiB),
    domains = { domain("needy", { unused = 300 * MiB }), domain("other") },
  }
  expect(tick.proposals.needy.target):equals(4 * GiB + 100 * MiB)
  expect(tick.proposals.other):is_nil()
end)

test("where no needy guest can grow, all do", function()
  local tick = shares:tick {
    host = host(80 * GiB - 500 * MiB),
    domains = { domain("full", { unused = 300 * MiB, maximum = 4 * GiB }), domain("other") },
  }
  expect(tick.proposals.full):is_nil()
  expect(tick.proposals.other.target):equals(4 * GiB + 100 * MiB)
end)

test("memory that a full guest cannot take is shared among the others at once", function()
  local large_steps = policy("shares.lua", { max_step = 1 * GiB })
  local tick = large_steps:tick {
    host = host(80 * GiB - 500 * MiB),
    domains = {
      domain("full", {
        actual = 2 * GiB, maximum = 2 * GiB, minimum = 1 * GiB, unused = 200 * MiB, labels = { shares = "2000" },
      }),
      domain("needy", { actual = 1024 * MiB, minimum = 512 * MiB, unused = 100 * MiB }),
    },
  }
  expect(tick.proposals.full):is_nil()
  expect(tick.proposals.needy.target):equals(1524 * MiB)
end)

test("memory over a guest's maximum is shared among the others at once", function()
  local large_steps = policy("shares.lua", { max_step = 1 * GiB })
  local tick = large_steps:tick {
    host = host(80 * GiB - 500 * MiB),
    domains = {
      domain("nearly_full", { maximum = 4 * GiB + 20 * MiB, labels = { shares = "5000" } }),
      domain("other", { actual = 3 * GiB }),
    },
  }
  expect(tick.proposals.nearly_full.target):equals(4 * GiB + 20 * MiB)
  expect(tick.proposals.other.target):equals(3 * GiB + 480 * MiB)
end)

test("memory that the needy lack at the goal comes from the others", function()
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

test("over the goal only the others shrink, while one of them can", function()
  local tick = shares:tick {
    host = host(80 * GiB + 500 * MiB),
    domains = { domain("needy", { unused = 300 * MiB }), domain("other") },
  }
  expect(tick.proposals.needy):is_nil()
  expect(tick.proposals.other.target):equals(4 * GiB - 100 * MiB)
end)

test("over the goal the needy shrink where none of the others can", function()
  local tick = shares:tick {
    host = host(80 * GiB + 500 * MiB),
    domains = { domain("needy", { unused = 300 * MiB }), domain("other", { actual = 2 * GiB }) },
  }
  expect(tick.proposals.needy.target):equals(4 * GiB - 100 * MiB)
  expect(tick.proposals.other):is_nil()
end)

test("over the goal the needy get what the others can give beyond that", function()
  local tick = shares:tick {
    host = host(80 * GiB + 40 * MiB),
    domains = { domain("needy", { unused = 300 * MiB }), domain("other") },
  }
  expect(tick.proposals.other.target):equals(4 * GiB - 100 * MiB)
  expect(tick.proposals.needy.target):equals(4 * GiB + 60 * MiB)
end)

test("no more is taken than the goal asks for", function()
  local tick = shares:tick {
    host = host(80 * GiB + 60 * MiB),
    domains = {
      domain("rich", { actual = 6 * GiB }),
      domain("also_rich", { actual = 6 * GiB }),
      domain("poor", { actual = 3 * GiB }),
    },
  }
  expect(tick.proposals.rich.target):equals(6 * GiB - 30 * MiB)
  expect(tick.proposals.also_rich.target):equals(6 * GiB - 30 * MiB)
  expect(tick.proposals.poor):is_nil()
end)

test("memory that a guest was given and has not touched is in use", function()
  local tick = shares:tick { host = host(78 * GiB), domains = { domain("a", { rss = 1 * GiB }) } }
  expect(tick.proposals.a.why):matches("*over its goal*")
end)

test("a guest without a minimum is taken to have 256 MiB", function()
  local function shrunk(actual)
    local own = { name = "own", actual = actual, unused = 100 * MiB }
    return shares:tick { host = host(90 * GiB), domains = { own } }.proposals
  end
  expect(shrunk(300 * MiB).own.target):equals(256 * MiB)
  expect(shrunk(256 * MiB)):is_empty()
end)

test("no guest leaves the range from its minimum to its maximum", function()
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
