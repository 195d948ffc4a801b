-- The host of docs/pictures/live-page.png: an office's servers, with a queue that outgrows its maximum.
local domains = {}

local function add(name, maximum, initial, demand, more)
  local domain = { name = name, maximum = maximum, initial = initial, demand = demand }
  for key, value in pairs(more or {}) do
    domain[key] = value
  end
  domains[#domains + 1] = domain
end

local function steady(size)
  return { { 0, size } }
end

local function day(phase)
  return { generator = "diurnal", low = 600 * MiB, high = 2400 * MiB, period = 240, phase = phase, step = 5 }
end

local function bursts(period)
  return { generator = "bursts", low = 400 * MiB, high = 5 * GiB, period = period, width = 35 }
end

local function walk(low, high)
  return { generator = "walk", low = low, high = high, step = 15 }
end

local paused = { { kind = "paused", from = 20, to = 86400 } }
local outgrown = { { 0, 600 * MiB }, { 240, 1900 * MiB }, { 300, 2100 * MiB } }

add("backup", 2 * GiB, 2 * GiB, steady(300 * MiB), { faults = paused })
add("cache", 4 * GiB, 2 * GiB, walk(1 * GiB, 3 * GiB))
add("ci-1", 6 * GiB, 2 * GiB, bursts(90), { swap = 4 * GiB })
add("ci-2", 6 * GiB, 2 * GiB, bursts(110), { swap = 4 * GiB })
add("db-primary", 8 * GiB, 5 * GiB, walk(3 * GiB, 5 * GiB), { priority = 1, weight = 2, cache = steady(900 * MiB) })
add("db-replica", 8 * GiB, 4 * GiB, walk(2 * GiB, 3 * GiB), { cache = steady(700 * MiB) })
add("mail", 2 * GiB, 2 * GiB, steady(700 * MiB), { cache = steady(250 * MiB) })
add("monitoring", 1 * GiB, 1 * GiB, steady(350 * MiB), { cache = steady(120 * MiB) })
add("queue", 2 * GiB, 1 * GiB, outgrown, { swap = 1 * GiB })
add("web-1", 4 * GiB, 2 * GiB, day(0), { cache = steady(300 * MiB) })
add("web-2", 4 * GiB, 2 * GiB, day(60), { cache = steady(300 * MiB) })
add("windows", 4 * GiB, 3 * GiB, steady(2 * GiB), { driver = false })

return {
  summary = "the servers of an office",
  host = { total = 32 * GiB, base = 1200 * MiB, swap = 8 * GiB },
  duration = 86400,
  domains = domains,
}
