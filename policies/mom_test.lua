-- What mom.lua promises, clause by clause.

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

test("nobody grows past its maximum", function()
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

test("under pressure a guest that already keeps less is left as it is", function()
  local tick = mom:tick { host = host(10 * GiB), domains = domain(500 * MiB) }
  expect(tick.proposals):is_empty()
end)

test("when it is critical a guest is asked for more than it has free", function()
  local tick = mom:tick { host = host(1 * GiB), domains = domain(200 * MiB) }
  expect(tick.proposals.web.target):is_less_than(10 * GiB - 200 * MiB)
  expect(tick.decisions.web.target):is_at_least(10 * GiB - 100 * MiB)
end)

test("changes under a quarter of a percent are not made", function()
  local tick = mom:tick { host = host(10 * GiB), domains = domain(1 * GiB + 20 * MiB) }
  expect(tick.proposals):is_empty()
  tick = mom:tick { host = host(10 * GiB), domains = domain(1 * GiB + 30 * MiB) }
  expect(tick.proposals.web.target):is_less_than(10 * GiB)
end)

test("the host's free memory is averaged over ten ticks", function()
  -- One bad look does not start a panic: on average more than a fifth is free.
  local worlds = {}
  for i = 1, 10 do worlds[i] = { host = host(50 * GiB), domains = domain(5 * GiB, { maximum = 10 * GiB }) } end
  worlds[10].host = host(1 * GiB)
  expect(mom:run(worlds)[10].proposals):is_empty()
  for i = 11, 20 do worlds[i] = { host = host(1 * GiB) } end
  expect(mom:run(worlds)[20].proposals.web.target):is_less_than(10 * GiB)
end)

test("a minimum is kept to", function()
  local tick = mom:tick { host = host(10 * GiB), domains = domain(9 * GiB, { minimum = 10 * GiB }) }
  expect(tick.proposals):is_empty()
end)

test("a budget counts as the host", function()
  local world = { host = host(50 * GiB), domains = domain(9 * GiB), limits = { host_memory = 11 * GiB } }
  expect(mom:tick(world).proposals.web.why):matches("*pressure*")
end)
