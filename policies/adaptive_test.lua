-- Tests of adaptive.lua: one test for each property.

local adaptive = policy("adaptive.lua")

local function host(grantable) return { total = 64 * GiB, free = grantable + 200 * MiB } end

-- A domain whose guest uses `used`, and reports the rest of `actual` as unused and usable.
local function domain(name, actual, used, more)
  local d = { name = name, actual = actual, maximum = 8 * GiB, unused = actual - used, usable = actual - used }
  for key, value in pairs(more or {}) do d[key] = value end
  return d
end

test("all domains share memory that no domain holds", function()
  local tick = adaptive:tick {
    host = host(2 * GiB),
    domains = { domain("a", 2 * GiB, 1948 * MiB), domain("b", 2 * GiB, 1948 * MiB) },
  }
  expect(tick.decisions.a.target):is_near(3 * GiB, 2)
  expect(tick.decisions.b.target):is_near(3 * GiB, 2)
end)

test("a domain gets at most its maximum, and the others get the rest of its share", function()
  local tick = adaptive:tick {
    host = host(2 * GiB),
    domains = { domain("small", 2 * GiB, 1948 * MiB, { maximum = 2560 * MiB }), domain("b", 2 * GiB, 1948 * MiB) },
  }
  expect(tick.proposals.small.target):equals(2560 * MiB)
  expect(tick.decisions.b.target):is_near(3584 * MiB, 2)
end)

-- The example of the policy's header: `web` jumps by 859 MiB and comes back, then the host has memory.
test("needs, cushions, peaks and shares come out as the header says", function()
  local ticks = adaptive:run {
    { seconds = 2, host = host(0), domains = {
      domain("batch", 700 * MiB, 500 * MiB),
      domain("db", 2200 * MiB, 2000 * MiB),
      domain("web", 2000 * MiB, 1000 * MiB),
    } },
    { seconds = 2, domains = { { name = "web", unused = 141 * MiB, usable = 141 * MiB } } },
    { seconds = 2, domains = { { name = "web", unused = 1000 * MiB, usable = 1000 * MiB } } },
    { seconds = 1200, host = host((8192 - 4900) * MiB) },
  }
  local expected = { batch = 1622, db = 3122, web = 3448 }
  for name, size in pairs(expected) do
    expect(ticks[4].decisions[name].target / MiB):is_near(size, 0.5)
  end
end)

test("shares of spare memory go by weight", function()
  local tick = adaptive:tick {
    host = host(3 * GiB),
    domains = { domain("gold", 1124 * MiB, 1 * GiB, { weight = 2 }), domain("lead", 1124 * MiB, 1 * GiB) },
  }
  local gold, lead = tick.decisions.gold.target - 1124 * MiB, tick.decisions.lead.target - 1124 * MiB
  expect(gold / lead):is_near(2, 0.1)
end)

test("a domain whose need has jumped gets a larger share than a steady one", function()
  local ticks = adaptive:run {
    {
      host = host(0),
      domains = { domain("restless", 4 * GiB, 1 * GiB), domain("steady", 4 * GiB, 1 * GiB) },
    },
    { domains = { { name = "restless", unused = 500 * MiB, usable = 500 * MiB } } },
    {},
    {},
    { domains = { { name = "restless", unused = 3 * GiB, usable = 3 * GiB } } },
    { host = host(1 * GiB) },
  }
  local last = ticks[#ticks].decisions
  local restless = last.restless and last.restless.target or 4 * GiB
  local steady = last.steady and last.steady.target or 4 * GiB
  expect(restless):is_more_than(steady)
end)

test("nothing moves where all domains have enough and no memory is idle", function()
  local tick = adaptive:tick {
    host = host(0),
    domains = { domain("a", 4 * GiB, 1 * GiB), domain("b", 3 * GiB, 1 * GiB) },
  }
  expect(tick.proposals):equals {}
end)

test("a domain that runs low gets memory from the others, which give only what it asks for", function()
  local tick = adaptive:tick {
    host = host(0),
    domains = {
      domain("low", 1034 * MiB, 1 * GiB),
      domain("rich", 6 * GiB, 1 * GiB),
      domain("richer", 7 * GiB, 1 * GiB),
    },
  }
  expect(tick.decisions.low.target):is_at_least(1088 * MiB)
  local given = 13 * GiB - tick.decisions.rich.target - tick.decisions.richer.target
  expect(given):is_near(tick.decisions.low.target - 1034 * MiB, 4)
end)

test("a cushion comes at once, a share bit by bit", function()
  local tick = adaptive:tick {
    host = host(0),
    domains = { domain("low", 1034 * MiB, 1 * GiB), domain("rich", 7 * GiB, 1 * GiB) },
  }
  local gained = tick.decisions.low.target - 1034 * MiB
  expect(gained):is_at_least(54 * MiB)
  expect(gained):is_less_than(300 * MiB)
end)

test("memory that a guest has swapped out counts as needed, and comes back whole", function()
  local short = { name = "short", unused = 0, usable = 0, swap_out = 250 * MiB }
  local ticks = adaptive:run {
    { seconds = 2, host = host(0), domains = { domain("short", 1 * GiB, 1 * GiB), domain("rich", 7 * GiB, 1 * GiB) } },
    { seconds = 2, domains = { short } },
  }
  local decision = ticks[2].decisions.short
  expect(decision.target - decision.actual):is_at_least(500 * MiB)
  expect(decision.why):equals("is short of memory")
end)

test("a guest that frees its memory frees as much of what it has swapped out, and gives both", function()
  local ticks = adaptive:run {
    { seconds = 2, host = host(0), domains = { domain("done", 2 * GiB, 2 * GiB), domain("short", 1 * GiB, 1 * GiB) } },
    { seconds = 2, domains = { { name = "done", unused = 0, usable = 0, swap_out = 500 * MiB } } },
    { seconds = 2, domains = {
      { name = "done", unused = 1800 * MiB, usable = 1800 * MiB, swap_out = 0 },
      { name = "short", unused = 0, usable = 0, swap_out = 600 * MiB },
    } },
  }
  expect(ticks[3].decisions.done.target):is_less_than(1200 * MiB)
end)

test("a guest that swapped both ways until it freed its memory gives it all the same", function()
  local ticks = adaptive:run {
    { seconds = 2, host = host(0), domains = { domain("done", 2 * GiB, 2 * GiB), domain("short", 1 * GiB, 1 * GiB) } },
    { seconds = 2, domains = { { name = "done", unused = 0, usable = 0, swap_out = 500 * MiB } } },
    { seconds = 2, domains = {
      { name = "done", unused = 1800 * MiB, usable = 1800 * MiB, swap_in = 300 * MiB, swap_out = 300 * MiB },
      { name = "short", unused = 0, usable = 0, swap_out = 600 * MiB },
    } },
  }
  expect(ticks[3].decisions.done.target):is_less_than(1200 * MiB)
end)

test("a guest full of page cache gives memory, since it does not need the cache", function()
  for _, limits in ipairs { {}, { headroom = "usable" } } do
    local tick = adaptive:tick {
      host = host(0),
      limits = limits,
      domains = {
        domain("files", 6 * GiB, 1 * GiB, { unused = 50 * MiB }),
        domain("low", 1034 * MiB, 1 * GiB),
      },
    }
    expect(tick.decisions.files.target):is_less_than(6 * GiB)
    expect(tick.decisions.low.target):is_more_than(1034 * MiB)
  end
end)

test("a rescue does not count on memory that the guard leaves a large guest for its watermarks", function()
  local function ticks(usable)
    return adaptive:run {
      {
        seconds = 2,
        host = host(0),
        domains = {
          domain("large", 8 * GiB, 7 * GiB, { unused = 600 * MiB, usable = usable }),
          domain("short", 1 * GiB, 1 * GiB),
        },
      },
      { seconds = 2, domains = { { name = "short", swap_out = 70 * MiB } } },
    }
  end
  -- The guest misses 70 MiB/s over two seconds. The guard lets 200 MiB less 32 go, or 150 MiB less 32.
  local served, left_out = ticks(200 * MiB), ticks(150 * MiB)
  expect(served[2].decisions.short.target):is_more_than(1 * GiB)
  expect(left_out[2].proposals.short):is_nil()
end)

test("with --headroom unused, a guest that fills with page cache leaves the host its reserve bit by bit", function()
  local ticks = adaptive:run {
    { seconds = 2, host = host(0), limits = { headroom = "unused" }, domains = {
      domain("files", 6 * GiB, 1 * GiB, { unused = 3 * GiB }),
      domain("b", 4 * GiB, 3800 * MiB),
    } },
    { seconds = 2 },
  }
  expect(ticks[2].decisions.files.target):is_less_than(6 * GiB)
end)

test("with --headroom unused, a guest does not grow for its page cache", function()
  local tick = adaptive:tick {
    host = host(8 * GiB),
    limits = { headroom = "unused" },
    domains = { domain("files", 2 * GiB, 1 * GiB, { unused = 10 * MiB }) },
  }
  expect(tick.proposals.files):is_nil()
end)

-- Two guests that use all they have swap out 600 and 500 MiB; the host has 700, or `spare`.
local function crunch(priority, spare)
  local ticks = adaptive:run {
    {
      seconds = 1,
      host = host(0),
      domains = {
        domain("large", 4 * GiB, 4 * GiB, { priority = priority }),
        domain("small", 1 * GiB, 1 * GiB),
      },
    },
    {
      seconds = 1,
      host = host(spare or 700 * MiB),
      domains = { { name = "large", swap_out = 600 * MiB }, { name = "small", swap_out = 500 * MiB } },
    },
  }
  return ticks[2]
end

test("where memory does not suffice for all, the domain that misses least is served first, and whole", function()
  local tick = crunch(0)
  expect(tick.decisions.small.target):is_at_least(1524 * MiB)
  expect(tick.proposals.large):is_nil()
end)

test("a domain of higher priority comes before one that misses less", function()
  local tick = crunch(1)
  expect(tick.decisions.large.target):is_at_least(4696 * MiB)
  expect(tick.proposals.small):is_nil()
end)

test("while a domain is short of no more than twice what is spare, its equals get no cushion", function()
  local tick = crunch(0, 900 * MiB)
  expect(tick.decisions.small.target):is_less_than(1530 * MiB)
end)

test("a domain that is short of more than that does not starve its equals", function()
  expect(crunch(0).decisions.small.target):is_at_least(1600 * MiB)
end)

-- The need of one domain rises by 600 MiB in `rises` ticks; then another swaps out 150 MiB, and the host has 300.
local function beside_a_rise(weight, rises)
  local ticks = { { seconds = 2, host = host(0), domains = {
    domain("rising", 1700 * MiB, 1000 * MiB, { weight = weight }),
    domain("short", 1 * GiB, 1 * GiB),
  } } }
  for i = 1, rises do
    local left = 700 * MiB - 600 * MiB * i // rises
    ticks[i + 1] = { seconds = 2, domains = { { name = "rising", unused = left, usable = left } } }
  end
  ticks[rises + 1].host = host(300 * MiB)
  ticks[rises + 1].domains[2] = { name = "short", swap_out = 75 * MiB }
  local run = adaptive:run(ticks)
  return run[rises + 1]
end

test("domains of lower weight leave room for the forecast rise of a domain", function()
  expect(beside_a_rise(2, 3).proposals.short):is_nil()
end)

test("domains of a little less weight leave a little room, and those of the same weight none", function()
  expect(beside_a_rise(1.2, 3).decisions.short.why):equals("is short of memory")
  expect(beside_a_rise(1, 3).decisions.short.target):is_at_least(1174 * MiB)
end)

test("a rise that has gone on for long is not expected to go on for as long again", function()
  expect(beside_a_rise(2, 30).decisions.short.why):equals("is short of memory")
end)

test("memory that comes free after the first tick is shared bit by bit", function()
  local ticks = adaptive:run {
    { seconds = 2, host = host(0), domains = { domain("a", 2 * GiB, 1 * GiB), domain("b", 2 * GiB, 1 * GiB) } },
    { seconds = 2, host = host(2 * GiB) },
  }
  local gained = ticks[2].decisions.a.target - 2 * GiB
  expect(gained):is_more_than(10 * MiB)
  expect(gained):is_less_than(100 * MiB)
end)

test("a guest keeps room for what it has to fetch from its swap", function()
  local ticks = adaptive:run {
    {
      seconds = 1,
      host = host(2 * GiB),
      domains = { domain("fetches", 2 * GiB, 2 * GiB), domain("low", 1034 * MiB, 1 * GiB) },
    },
    { seconds = 1, domains = { { name = "fetches", swap_out = 1 * GiB } } },
    -- After the rescue, much of its memory is free as long as its pages are still in swap.
    {
      seconds = 1,
      host = host(0),
      domains = {
        { name = "fetches", actual = 3584 * MiB, unused = 1536 * MiB, usable = 1536 * MiB, swap_out = 0 },
        { name = "low", actual = 1034 * MiB, unused = 0, usable = 0, swap_out = 400 * MiB },
      },
    },
  }
  expect(ticks[3].decisions.fetches.target):is_at_least(3064 * MiB) -- 3 GiB, less what fades
end)

test("a minimum counts as needed", function()
  local tick = adaptive:tick {
    host = host(0),
    domains = {
      domain("reserved", 2 * GiB, 200 * MiB, { minimum = 2 * GiB }),
      domain("low", 1034 * MiB, 1 * GiB),
    },
  }
  expect(tick.proposals.reserved):is_nil()
end)

test("domains with memory to spare give it back to a host that has committed too much", function()
  local tick = adaptive:tick {
    host = { total = 64 * GiB, free = 0 },
    domains = { domain("a", 4 * GiB, 1 * GiB), domain("b", 2 * GiB, 1950 * MiB) },
  }
  expect(tick.decisions.a.target):is_less_than(4 * GiB)
end)

test("memory that is plugged in but not online counts neither as need nor as a jump", function()
  local list = { { host = host(0), domains = {
    domain("plugged", 3 * GiB, 2 * GiB, { available = 3 * GiB - 60 * MiB }),
    domain("other", 3 * GiB, 2 * GiB),
  } } }
  for i = 2, 5 do list[i] = {} end
  -- Four GiB more are plugged in and stay offline; then the host has memory to give.
  list[6] = { domains = { { name = "plugged", actual = 7 * GiB, maximum = 12 * GiB } } }
  list[7] = { host = host(2 * GiB) }
  for i = 8, 200 do list[i] = {} end
  local after = adaptive:run(list)[200].after
  expect(after.plugged.actual - 7 * GiB):is_at_most(1.25 * (after.other.actual - 3 * GiB))
end)

test("a rescue counts on memory above the floors in force", function()
  -- `short` has swapped out 400 MiB. `giver` can give 500 MiB down to the built-in floor, but only 200
  -- MiB down to a floor of 400 MiB: no rescue is possible, and the policy asks for nothing.
  local function rescue(limits)
    local ticks = adaptive:run {
      {
        limits = limits,
        host = { total = 8 * GiB, free = 200 * MiB },
        domains = {
          { name = "giver", actual = 2 * GiB, unused = 600 * MiB },
          { name = "short", actual = 1 * GiB, unused = 150 * MiB, maximum = 1 * GiB + 400 * MiB },
        },
      },
      { domains = { { name = "short", unused = 0, swap_out = 200 * MiB } } },
    }
    return ticks[2].proposals.short
  end
  expect(rescue(nil).why):equals("is short of memory")
  expect(rescue { domain_floor = 400 * MiB }):is_nil()
end)

test("domains that are bound to a NUMA node get its memory from each other, not from other nodes", function()
  local tick = adaptive:tick {
    host = { total = 16 * GiB, free = 6 * GiB,
             cells = { { total = 8 * GiB, free = 100 * MiB }, { total = 8 * GiB, free = 6044 * MiB } } },
    domains = {
      { name = "short", actual = 512 * MiB, unused = 20 * MiB, swap_out = 4000, nodes = { 0 } },
      { name = "rich", actual = 4 * GiB, unused = 3 * GiB, nodes = { 0 } },
      { name = "elsewhere", actual = 4 * GiB, unused = 3 * GiB, nodes = { 1 } },
    },
  }
  expect(tick.proposals.rich.target):equals(4 * GiB - 80 * MiB)
  expect(tick.decisions.short.target):equals(592 * MiB)
  expect(tick.decisions.short.rules):is_empty()
end)

test("a grow in flight is not replaced by a smaller one", function()
  local ticks = adaptive:run {
    { seconds = 1, host = host(6 * GiB), domains = {
      domain("big", 2 * GiB, 1 * GiB, { maximum = 16 * GiB, follows = false }),
      domain("noise", 512 * MiB, 400 * MiB, { maximum = 512 * MiB }),
    } },
    { seconds = 1, domains = { { name = "noise", unused = 100 * MiB, usable = 100 * MiB } } },
  }
  expect(ticks[1].decisions.big.target):is_more_than(4 * GiB)
  local later = ticks[2].proposals.big
  expect(later == nil or later.target >= ticks[1].decisions.big.target):is_true()
end)

test("a share that is too small for one tick adds up and comes", function()
  local list = { { seconds = 1, host = host(0), domains = {
    domain("job", 900 * MiB, 300 * MiB, { maximum = 2 * GiB }), domain("other", 1400 * MiB, 300 * MiB),
  } } }
  for i = 2, 60 do list[i] = { seconds = 1, host = i == 2 and host(1 * GiB) or nil } end
  local after = adaptive:run(list)[60].after
  expect(after.job.actual):is_more_than(1000 * MiB)
end)

test("the host keeps what the last guests had that started", function()
  local function grown(late)
    local list = { { seconds = 1, host = host(0), domains = { domain("old", 2 * GiB, 1948 * MiB) } } }
    list[2] = { seconds = 1, host = host(1 * GiB), domains = late and { domain("new", 1 * GiB, 924 * MiB) } or nil }
    for i = 3, 30 do list[i] = { seconds = 1 } end
    return adaptive:run(list)[30].after.old.actual - 2 * GiB
  end
  expect(grown(false)):is_more_than(200 * MiB)
  expect(grown(true)):is_less_than(100 * MiB)
end)

-- A guest of 1 GiB with `left`, whose process holds `rss`, and a moment later `rss_after`; then its workload is gone,
-- and the host has 2 GiB.
local function after_a_fall(rss, left, rss_after)
  local ticks = adaptive:run {
    { seconds = 1, host = host(0), domains = {
      domain("dies", 1 * GiB, 1 * GiB - left, { rss = rss }), domain("other", 4 * GiB, 3900 * MiB),
    } },
    { seconds = 1, host = host(2 * GiB), domains = {
      { name = "dies", unused = 900 * MiB, usable = 900 * MiB, rss = rss_after or rss },
    } },
  }
  return ticks[2].proposals.dies
end

test("a guest whose OOM killer has ended a workload gets half as much again as it had, at once", function()
  expect(after_a_fall(1 * GiB, 50 * MiB).target):is_at_least(1536 * MiB)
end)

test("a guest was killed if its process came to hold all its memory as its use fell", function()
  expect(after_a_fall(600 * MiB, 500 * MiB, 1000 * MiB).target):is_at_least(1.5 * 1005 * MiB)
end)

test("a guest was killed if its process took what was left as its use fell", function()
  expect(after_a_fall(850 * MiB, 240 * MiB, 1010 * MiB).target):is_at_least(1.45 * GiB)
  expect(after_a_fall(950 * MiB, 240 * MiB, 1010 * MiB).target):is_less_than(1100 * MiB)
end)

test("a guest that had enough left was not killed, whatever its process has held for long", function()
  for _, rss in ipairs { 600 * MiB, 1 * GiB } do
    local proposal = after_a_fall(rss, 500 * MiB)
    expect(proposal == nil or proposal.target < 1400 * MiB):is_true()
  end
end)

test("a guest that was nearly full for a while and goes on with a part of its work was not killed", function()
  local function after_work(least)
    local list = { { seconds = 1, host = host(0), domains = {
      domain("works", 1 * GiB, least), domain("other", 4 * GiB, 3900 * MiB),
    } } }
    for i = 2, 6 do
      list[i] = { seconds = 1, domains = { { name = "works", unused = 100 * MiB, usable = 100 * MiB } } }
    end
    list[7] = { seconds = 1, host = host(2 * GiB), domains = {
      { name = "works", unused = 800 * MiB, usable = 800 * MiB },
    } }
    return adaptive:run(list)[7].proposals.works
  end
  local ended = after_work(100 * MiB)
  expect(ended == nil or ended.target < 1400 * MiB):is_true()
  expect(after_work(224 * MiB).target):is_at_least(1536 * MiB) -- nothing is left of it: it may have been killed
end)

-- A guest of 1 GiB with 50 MiB left is given more and more, of which its balloon has taken `steps` so far; then its
-- workload is gone.
local function killed_as_it_grows(steps)
  local list = { { seconds = 1, host = host(100 * MiB), domains = {
    domain("dies", 1 * GiB, 974 * MiB), domain("other", 4 * GiB, 3900 * MiB),
  } } }
  local size = 1 * GiB
  for _, step in ipairs(steps) do
    size = size + step
    list[#list + 1] = { seconds = 1, domains = {
      { name = "dies", actual = size, unused = 50 * MiB, usable = 50 * MiB },
    } }
  end
  list[#list + 1] = { seconds = 1, host = host(4 * GiB), domains = {
    { name = "dies", actual = size, unused = size - 100 * MiB, usable = size - 100 * MiB },
  } }
  local proposal = adaptive:run(list)[#list].proposals.dies
  return proposal and proposal.target or 0, size
end

test("a guest that is killed while its balloon grows asks for more as well", function()
  for _, steps in ipairs { {}, { 0, 0 }, { 50 * MiB, 50 * MiB } } do
    local target, size = killed_as_it_grows(steps)
    expect(target):is_at_least(1.5 * size)
  end
end)

test("use that a balloon only seems to add before the guest reports is no kill as it falls", function()
  local list = { { seconds = 1, host = host(3 * GiB), domains = {
    domain("grows", 1 * GiB, 900 * MiB), domain("other", 4 * GiB, 3900 * MiB),
  } } }
  for i, left in ipairs { 124 * MiB, 2172 * MiB } do
    list[i + 1] = { seconds = 1, domains = { { name = "grows", actual = 3 * GiB, unused = left, usable = left } } }
  end
  local proposal = adaptive:run(list)[3].proposals.grows
  expect(proposal == nil or proposal.target < 4 * GiB):is_true()
end)

-- A guest of 3 GiB swaps out `swapped` in a second, and has `unused` after it, of it `cache` as page cache.
local function after_swapping(swapped, unused, cache)
  return adaptive:run {
    { seconds = 1, host = host(4 * GiB), domains = {
      domain("swaps", 3 * GiB, 100 * MiB), domain("other", 4 * GiB, 3900 * MiB),
    } },
    { seconds = 1, domains = {
      { name = "swaps", unused = unused, usable = unused + cache, swap_out = swapped / KiB },
    } },
  }[2].proposals.swaps
end

test("a guest that has gone to swap and has half of its memory free was killed, though its use did not fall", function()
  expect(after_swapping(1 * GiB, 2900 * MiB, 0).target):is_at_least(4.5 * GiB)
  local reads_files = after_swapping(1 * GiB, 200 * MiB, 2700 * MiB)
  expect(reads_files == nil or reads_files.target < 4.5 * GiB):is_true()
end)

test("what has gone to swap is not missed where as much is free", function()
  local list = { { seconds = 1, host = host(0), domains = {
    domain("loops", 3 * GiB, 100 * MiB), domain("other", 4 * GiB, 3900 * MiB),
  } } }
  for i = 2, 8 do list[i] = { seconds = 1, domains = { { name = "loops", swap_out = GiB / KiB } } } end
  list[9] = { seconds = 1, host = host(1 * GiB), domains = {
    { name = "loops", unused = 0, usable = 0, swap_in = 1000, swap_out = 1000 },
  } }
  expect(adaptive:run(list)[9].proposals.loops.target):is_at_least(4 * GiB)
end)

-- Linux keeps freed pages in lists of its processors, up to a watermark, where they count as used.
test("use that seems to rise as a balloon gives memory is no rise", function()
  local function largest_target(usable)
    local list = { { seconds = 1, host = host(0), domains = {
      domain("grows", 500 * MiB, 300 * MiB), domain("other", 4 * GiB, 2 * GiB),
    } } }
    for i = 1, 4 do
      list[i + 1] = { seconds = 1, domains = {
        { name = "grows", actual = (500 + 15 * i) * MiB, available = (500 + 15 * i) * MiB,
          unused = usable(i), usable = usable(i) },
      } }
    end
    local most = 0
    for _, tick in ipairs(adaptive:run(list)) do
      local proposal = tick.proposals.grows
      if proposal and proposal.target > most then most = proposal.target end
    end
    return most
  end
  -- First, no more is left for all that was given; then, what is left falls by as much as was given.
  expect(largest_target(function() return 200 * MiB end)):is_less_than(600 * MiB)
  expect(largest_target(function(i) return (200 - 15 * i) * MiB end)):is_more_than(620 * MiB)
end)

test("a use that rises by more than the lists hold is a rise, however much the balloon gives", function()
  local list = { { seconds = 1, host = host(0), domains = {
    domain("grows", 500 * MiB, 300 * MiB), domain("other", 8 * GiB, 2 * GiB),
  } } }
  for i = 1, 4 do
    local size = (500 + 100 * i) * MiB
    list[i + 1] = { seconds = 1, domains = {
      { name = "grows", actual = size, available = size, unused = 200 * MiB, usable = 200 * MiB },
    } }
  end
  local last = adaptive:run(list)[5]
  expect(last.proposals.grows.target):is_at_least((700 + 100 + 12 * 100) * MiB)
end)

test("a domain on a node lends to one that may use that node and others", function()
  local tick = adaptive:tick {
    host = { total = 16 * GiB, free = 200 * MiB, cells = {
      { total = 8 * GiB, free = 100 * MiB }, { total = 8 * GiB, free = 100 * MiB },
    } },
    domains = { domain("any", 4 * GiB, 4040 * MiB), domain("idle", 6 * GiB, 1 * GiB, { nodes = { 0 } }) },
  }
  expect(tick.proposals.idle.target):is_less_than(6 * GiB - 40 * MiB)
  expect(tick.proposals.idle.target):is_at_least(5 * GiB)
end)

test("the reserve for page cache goes to a guest that is short", function()
  local tick = adaptive:tick {
    host = host(1 * GiB),
    limits = { headroom = "unused" },
    domains = {
      domain("files", 6 * GiB, 1 * GiB, { unused = 200 * MiB }),
      domain("job", 1 * GiB, 1000 * MiB),
    },
  }
  expect(tick.decisions.job.target):is_at_least(1090 * MiB)
end)

test("a rise that would use up all spare memory within a minute is met before half of the share is used", function()
  local list = { { seconds = 1, host = host(0), domains = {
    domain("rises", 1700 * MiB, 1 * GiB), domain("rich", 3 * GiB, 2 * GiB),
  } } }
  for i = 2, 5 do
    local left = (676 - 40 * (i - 1)) * MiB
    list[i] = { seconds = 1, domains = { { name = "rises", unused = left, usable = left } } }
  end
  local run = adaptive:run(list)
  expect(run[5].after.rises.actual):is_more_than(1700 * MiB)
end)

-- How much `a` has gained, or lost, as a guest starts with 6 GiB and the host has `free` left of 5 GiB.
local function beside_a_start(free)
  local ticks = adaptive:run {
    { seconds = 1, host = { total = 16 * GiB, free = 5 * GiB }, domains = {
      domain("a", 4 * GiB, 3 * GiB), domain("b", 4 * GiB, 3 * GiB),
    } },
    { seconds = 1, host = { total = 16 * GiB, free = free }, domains = {
      domain("new", 6 * GiB, 100 * MiB, { rss = 200 * MiB }),
    } },
  }
  return (ticks[2].decisions.a and ticks[2].decisions.a.target or 4 * GiB) - 4 * GiB
end

test("a jump that may fill the guest as it goes on asks for an early tick", function()
  local function again_after(jump)
    return adaptive:run {
      { seconds = 10, host = host(0), domains = { domain("jumps", 4 * GiB, 1 * GiB) } },
      { seconds = 10, domains = { { name = "jumps", unused = 3 * GiB - jump, usable = 3 * GiB - jump } } },
    }[2].again
  end
  expect(again_after(1200 * MiB)):equals(1)
  expect(again_after(900 * MiB)):equals(nil)
end)

test("a start is paid back at the pace at which the host's memory falls", function()
  expect(beside_a_start(5 * GiB)):is_more_than(beside_a_start(2 * GiB))
end)
