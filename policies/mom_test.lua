-- Tests of mom.lua, clause by clause.

local mom = policy("mom.lua")

-- A host of 100 GiB, so that its free memory reads as a percentage.
local function host(free) return { total = 100 * GiB, free = free } end

local function domain(unused, more)
  local d = { name = "web", actual = 10 * GiB, maximum = 20 * GiB, unused = unused }
  for key, value in pairs(more or {}) do d[key] = value end
  return { d }
end

test("without pressure a guest grows by a step", function()
  local tick = mom:tick { host = host(50 * GiB), domains = domain(5 * GiB) }
  expect(tick.proposals.web.target):equals(math.floor(10 * GiB * 1.05))
end)

test("without pressure a guest that uses more grows to that and a fifth of its size", function()
  local tick = mom:tick { host = host(50 * GiB), domains = domain(1 * GiB) }
  expect(tick.proposals.web.target):equals(9 * GiB + 2 * GiB)
end)

test("no guest grows past its maximum", function()
  local tick = mom:tick { host = host(50 * GiB), domains = domain(1 * GiB, { maximum = 10 * GiB + 200 * MiB }) }
  expect(tick.proposals.web.target):equals(10 * GiB + 200 * MiB)
  tick = mom:tick { host = host(50 * GiB), domains = domain(1 * GiB, { maximum = 10 * GiB }) }
  expect(tick.proposals):is_empty()
end)

test("under pressure a guest shrinks, by at most a twentieth", function()
  local tick = mom:tick { host = host(10 * GiB), domains = domain(9 * GiB) }
  expect(tick.proposals.web.target):equals(math.floor(10 * GiB * 0.95))
end)

test("under pressure a guest keeps a share that falls with the host's own", function()
  -- Half of the pressure threshold is left, so half of the fifth: 1 GiB free.
  local tick = mom:tick { host = host(10 * GiB), domains = domain(1200 * MiB) }
  expect(tick.proposals.web.target):is_near(10 * GiB - 176 * MiB, 4)
end)

test("under pressure a guest that already keeps less stays as it is", function()
  local tick = mom:tick { host = host(10 * GiB), domains = domain(500 * MiB) }
  expect(tick.proposals):is_empty()
end)

test("when it is critical a guest is asked for more than it has free", function()
  local tick = mom:tick { host = host(1 * GiB), domains = domain(200 * MiB) }
  expect(tick.proposals.web.target):is_less_than(10 * GiB - 200 * MiB)
  expect(tick.decisions.web.target):is_at_least(10 * GiB - 100 * MiB)
end)

test("a guest under its minimum grows to it", function()
  local tick = mom:tick {
    host = host(50 * GiB),
    domains = domain(512 * MiB, { actual = 1024 * MiB, minimum = 2048 * MiB }),
  }
  expect(tick.proposals.web.target):equals(2048 * MiB)
  -- The engine asks for the minimum only where the policy asks for less.
  expect(tick.proposals.web.why):matches("*to spare*")
end)

test("at the critical share a guest is asked for all that it has free", function()
  local tick = mom:tick { host = host(5 * GiB), domains = domain(400 * MiB) }
  expect(tick.proposals.web.target):equals(10 * GiB - 400 * MiB)
end)

test("a guest keeps free a share of its present size, not of the average", function()
  -- The first tick shrinks it to 9.5 GiB, of which it uses 8.4 and is to keep a tenth.
  local ticks = mom:run {
    { host = host(10 * GiB), domains = domain(10 * GiB - 8602 * MiB) },
    { host = host(10 * GiB) },
  }
  expect(ticks[2].decisions.web.actual):equals(9728 * MiB)
  expect(ticks[2].proposals.web.target):is_near(8602 * MiB + 9728 * MiB / 10, 4)
end)

test("guests are averaged over the same ticks as the host", function()
  local ticks = mom:run {
    { host = host(10 * GiB), domains = domain(100 * MiB) },
    { host = host(10 * GiB), domains = { { name = "web", unused = 2560 * MiB } } },
  }
  -- 10140 and 7680 MiB are used, 8910 on average, and a tenth is kept free.
  expect(ticks[1].proposals):is_empty()
  expect(ticks[2].proposals.web.target):is_near(8910 * MiB + 1 * GiB, 4)
end)

test("page cache of the host counts as free as far as the kernel can drop it", function()
  local files = { total = 100 * GiB, free = 1 * GiB, cached = 49 * GiB, available = 50 * GiB }
  expect(mom:tick { host = files, domains = domain(5 * GiB) }.proposals.web.why):matches("*to spare*")
  -- MoM would count these 49 GiB as free too.
  local tmpfs = { total = 100 * GiB, free = 1 * GiB, cached = 49 * GiB, available = 1 * GiB }
  expect(mom:tick { host = tmpfs, domains = domain(5 * GiB) }.proposals.web.why):matches("*pressure*")
  local tick = mom:tick { host = files, domains = domain(5 * GiB), limits = { headroom = "unused" } }
  expect(tick.proposals.web.why):matches("*pressure*")
end)

test("memory that a guest was given and has not touched is not free", function()
  local tick = mom:tick { host = host(22 * GiB), domains = domain(5 * GiB, { rss = 5 * GiB }) }
  expect(tick.proposals.web.why):matches("*pressure*")
end)

test("changes up to a quarter of a percent are not made", function()
  local size = { actual = 4000 * MiB, maximum = 4010 * MiB }
  expect(mom:tick { host = host(50 * GiB), domains = domain(1 * GiB, size) }.proposals):is_empty()
  size.maximum = 4011 * MiB
  local grown = mom:tick { host = host(50 * GiB), domains = domain(1 * GiB, size) }
  expect(grown.proposals.web.target):equals(4011 * MiB)
  local tick = mom:tick { host = host(10 * GiB), domains = domain(1 * GiB + 20 * MiB) }
  expect(tick.proposals):is_empty()
  tick = mom:tick { host = host(10 * GiB), domains = domain(1 * GiB + 30 * MiB) }
  expect(tick.proposals.web.target):is_less_than(10 * GiB)
end)

test("the host's free memory is averaged over ten ticks", function()
  -- One sample under the threshold changes nothing: on average more than a fifth is free.
  local worlds = {}
  for i = 1, 10 do worlds[i] = { host = host(50 * GiB), domains = domain(5 * GiB, { maximum = 10 * GiB }) } end
  worlds[10].host = host(1 * GiB)
  expect(mom:run(worlds)[10].proposals):is_empty()
  for i = 11, 20 do worlds[i] = { host = host(1 * GiB) } end
  expect(mom:run(worlds)[20].proposals.web.target):is_less_than(10 * GiB)
end)

test("a guest keeps its minimum", function()
  local tick = mom:tick { host = host(10 * GiB), domains = domain(9 * GiB, { minimum = 10 * GiB }) }
  expect(tick.proposals):is_empty()
end)

test("a budget counts as the host", function()
  local world = { host = host(50 * GiB), domains = domain(9 * GiB), limits = { host_memory = 11 * GiB } }
  expect(mom:tick(world).proposals.web.why):matches("*pressure*")
end)
