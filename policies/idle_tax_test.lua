-- Tests of idle_tax.lua, clause by clause.

local idle_tax = policy("idle_tax.lua")

local roomy = { total = 64 * GiB, free = 8 * GiB }
-- A host at its floor: what one gets another gives.
local full = { total = 64 * GiB, free = 200 * MiB }

local function domain(name, unused, more)
  local d = { name = name, actual = 4 * GiB, unused = unused }
  for key, value in pairs(more or {}) do d[key] = value end
  return d
end

-- One domain that asks for 200 MiB.
local short = domain("short", 50 * MiB)

local function taken(tick, name)
  local proposal = tick.proposals[name]
  return proposal and 4 * GiB - proposal.target or 0
end

test("a domain with too little headroom asks for twice what it lacks", function()
  local tick = idle_tax:tick { host = roomy, domains = { short, domain("idle", 2 * GiB) } }
  expect(tick.proposals.short.target):equals(4 * GiB + 200 * MiB)
end)

test("nothing is taken while the host has enough, or no domain asks", function()
  local tick = idle_tax:tick { host = roomy, domains = { short, domain("idle", 2 * GiB) } }
  expect(tick.proposals.idle):is_nil()
  tick = idle_tax:tick { host = full, domains = { domain("idle", 2 * GiB) } }
  expect(tick.proposals):is_empty()
end)

test("when the host has too little, the missing memory is taken from other domains", function()
  local tick = idle_tax:tick { host = full, domains = { short, domain("idle", 2 * GiB) } }
  expect(taken(tick, "idle")):is_near(200 * MiB, 4)
  expect(tick.decisions.short.target):is_near(4 * GiB + 200 * MiB, 4)
end)

test("idle memory is taken before memory in use, from equal owners", function()
  local tick = idle_tax:tick {
    host = full,
    domains = { short, domain("idle", 3 * GiB), domain("busy", 500 * MiB) },
  }
  expect(taken(tick, "idle")):is_near(200 * MiB, 4)
  expect(taken(tick, "busy")):equals(0)
end)

test("revoking ends at one price for all domains that gave", function()
  local needs = {}
  for i = 1, 8 do needs[i] = domain("short-" .. i, 25 * MiB) end
  needs[9] = domain("more", 3 * GiB)
  needs[10] = domain("less", 3 * GiB - 400 * MiB)
  local tick = idle_tax:tick { host = full, domains = needs }
  -- 2000 MiB in all; with k = 4 the two end up with the same (P + 3 idle).
  local function cost(name, unused)
    local kept = 4 * GiB - taken(tick, name)
    local active = 4 * GiB - unused
    return active + 4 * (kept - active)
  end
  expect(taken(tick, "more") + taken(tick, "less")):is_near(2000 * MiB, 16)
  expect(cost("more", 3 * GiB)):is_near(cost("less", 3 * GiB - 400 * MiB), 64)
end)

test("of two equal domains the one with fewer shares gives first", function()
  local tick = idle_tax:tick {
    host = full,
    domains = { short, domain("gold", 2 * GiB, { weight = 3 }), domain("lead", 2 * GiB) },
  }
  expect(taken(tick, "gold")):equals(0)
  expect(taken(tick, "lead")):is_near(200 * MiB, 4)
end)

test("without a tax only shares per page count", function()
  local untaxed = policy("idle_tax.lua", { tax = 0 })
  local tick = untaxed:tick {
    host = full,
    domains = { short, domain("busy", 1 * GiB), domain("idle", 2 * GiB) },
  }
  expect(taken(tick, "busy")):is_near(100 * MiB, 4)
  expect(taken(tick, "idle")):is_near(100 * MiB, 4)
end)

test("every domain keeps its minimum and its spare headroom", function()
  local tick = idle_tax:tick {
    host = full,
    domains = {
      short,
      domain("reserved", 3 * GiB, { minimum = 4 * GiB }),
      domain("nearly", 200 * MiB),
    },
  }
  expect(tick.proposals.reserved):is_nil()
  expect(taken(tick, "nearly")):is_near(50 * MiB, 1)
end)

test("a tax of everything is refused", function()
  expect_error(policy("idle_tax.lua", { tax = 1.0 }):tick { domains = { short } }, "*tax is a share*")
end)

test("the host's shortfall is taken along with the memory that domains ask for", function()
  local tick = idle_tax:tick { host = full, domains = { short, domain("idle", 3 * GiB, { rss = 3 * GiB }) } }
  expect(taken(tick, "idle")):is_near(1 * GiB + 200 * MiB, 16)
  expect(tick.decisions.short.target):is_near(4 * GiB + 200 * MiB, 16)
end)
