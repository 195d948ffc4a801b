-- Adaptive: all memory is in use, and moves to the domains that need it.
-- A domain needs what its guest uses, less droppable page cache, and what it has swapped out.
-- Memory goes out in five layers:
--   1 need: whole or not at all, by priority, then by what is missing for the weight, least first
--   2 cushion: 100 MiB and twelve seconds of a steady rise, scaled down alike where memory runs out
--   3 ask: half as much again as a guest had when its OOM killer ended a workload, and again, twice
--     at most, while the workload does not come back
--   4 peak: what lifts every domain to its recent peak, if memory suffices for all of them
--   5 share: the rest by weight * (sum of squared jumps of need, fading) ^ (1/3). If jump sizes
--     follow a power law with exponent 2, this split minimises the jumps that exceed their share.
-- The host keeps what guests had that started lately, and 1 - `advance` of the shares' memory.
-- Domains that are bound to the same NUMA nodes share these. Where they lack memory, others on one of the nodes lend.
-- Domains leave room for the forecast rises of higher priorities, and of larger weights in part:
-- half, with half of the weight. Needs, cushions and asks move at once. Peaks and shares move with
-- a half-life of a minute, or in a quarter of the time in which the present rises use up all spare
-- memory. A domain gives only what others ask for.
--
-- Example: three domains share 8192 MiB. The need of `web` once jumped by 859 MiB: its factor is
-- (512^2 + 859^2) ^ (1/3) = 100. Every domain starts with a jump of 512 MiB, a factor of 64.
--   MiB     need  cushion  peak  share  target
--   batch    500      100     0   1022    1622
--   db      2000      100     0   1022    3122
--   web     1000      100   751   1597    3448
--
-- Source: memcoord's own. Domains keep memory until others need it as in Waldspurger (ESX, 2002).

local max, min, floor, ceil, huge = math.max, math.min, math.floor, math.ceil, math.huge

local FIRST_JUMP = 512 -- MiB that a new domain counts as having jumped by
local SWAP_HALF_LIFE = 300 -- seconds until half of the swapped memory counts as unused
local FREED = 0.1 -- use that falls by a larger part without swapping was freed, and as large a part of the swap with it
local ASK_HALF_LIFE = 600 -- seconds until half of an ask that was not met is forgotten
local ASK_TRIED = 20 -- seconds with what it asked for in which a killed workload comes back
local ASK_RAISES = 2 -- times; then the fall of use was no kill, or more memory does not help
local STARTS_HALF_LIFE = 120 -- seconds until half of what a new domain had is no longer kept
local FALL_HALF_LIFE = 5 -- seconds until half of a fall of the host's memory is forgotten
local KERNEL = 128 * MiB -- what a guest uses without a workload
local FULL = 200 * MiB -- a guest with less than this left may have been full a moment later
local LISTS = 64 * MiB -- a kernel keeps up to this much of what its balloon gives in lists that count as used
local RISES_FOR = 18 -- seconds of a rise to leave room for, at most
local WAITED_FOR = 2 -- others leave their cushions to a domain that is short of at most this many times what is spare
local IDLE = 64 * MiB -- memory that no domain holds is shared out above this
local READS_FILES = 100 * MiB -- a guest keeps more page cache than this where it counts as used
local RESERVE = 0.15 -- part of the host's memory that stays free of such page cache
local SUMS = { "actual", "grantable", "swap_in", "swap_out" } -- changes that usable memory does not show

local function outranks(a, b)
  return a.priority > b.priority or a.priority == b.priority and a.weight > b.weight
end

-- Half of what workloads used is gone at once, more than a balloon only seemed to add, and the guest was full, or its
-- process has taken much of what was left meanwhile: its OOM killer has ended a workload, or a workload that needed
-- nearly all memory has ended. A workload has ended by itself if the use was not rising, and stays above the least so
-- far. A workload that went to swap since the last tick has been killed as well, if half of the guest's memory is free.
local function was_killed(d, past, used, swapped_out)
  if d.usable < d.actual / 2 then return false end
  if d.unused >= d.actual / 2 and swapped_out >= FULL then return true end
  local had = past.used - past.grown
  local fell = had - used
  return fell >= 100 * MiB and fell >= (had - KERNEL) / 2
    and (past.left < FULL and (past.rate >= MiB or used <= 1.1 * past.least)
      or d.rss >= 0.9 * d.actual and d.rss - past.rss >= max(100 * MiB, past.left / 2))
end

-- The parts of what is remembered that are left after `elapsed` seconds.
local function fades_after(elapsed, params)
  return {
    jumps = 0.5 ^ (elapsed / (params.jump_half_life * 3600)),
    swapped = 0.5 ^ (elapsed / SWAP_HALF_LIFE),
    ask = 0.5 ^ (elapsed / ASK_HALF_LIFE),
  }
end

-- Follows an ask: it fades, and ends where it is met or was tried in vain.
local function follow_ask(known, d, used, elapsed, fade)
  known.ask = known.ask * fade
  if d.actual >= 0.97 * min(known.ask, d.maximum) then known.tried = known.tried + elapsed end
  if known.ask < used then known.ask = 0 end
  if known.tried > ASK_TRIED then -- it has not come back: it may be killed as it starts
    local again = used < known.had / 2 and known.ask < d.maximum and known.raised < ASK_RAISES
    known.ask, known.tried, known.raised = again and 1.5 * known.ask or 0, 0, known.raised + 1
  end
end

-- Updates what is known of a domain: its use, jumps, rises and peak, and what it asked for in vain.
local function learn(known, d, tick)
  local usable, offline, elapsed, fades = d.usable, d.offline, tick.elapsed, tick.fades
  local used = d.actual - usable - offline
  local past = known.used and known or { used = used }
  local swap_in, swap_out = d.swap_in, d.swap_out
  local swapped_out, given = (swap_out - swap_in) * tick.seconds, d.actual - (past.actual or d.actual)
  if swap_out > 0 or known.swapped > 0 then
    local kept = swap_in > 0 and 1 or fades.swapped
    local free = swapped_out > 0 and min(swapped_out, max(0, usable - FULL)) or 0 -- as much is not missed
    known.swapped = max(0, known.swapped * kept + (swapped_out - free))
    local fell = past.used - used
    if fell > FREED * past.used and fell > 2 * swapped_out then known.swapped = known.swapped * used / past.used end
  end
  if known.ask > 0 then follow_ask(known, d, used, elapsed, fades.ask) end
  if past.left and was_killed(d, past, used, swapped_out) then
    known.ask, known.tried, known.raised, known.had = max(known.ask, 1.5 * d.actual), 0, 0, past.used
  end
  known.age = known.age + elapsed -- since its use last changed: reports come more rarely than ticks
  local jump = used > past.used and used - past.used or 0
  if used ~= past.used then
    local rise = jump
    if jump == 0 then known.listed = max(0, known.listed - (past.used - used)) end
    if rise > 0 and given > 0 and usable >= LISTS then -- the lists may have got it, unless a rise goes on
      local listed = max(0, min(given, LISTS - known.listed, jump - known.rising * known.age))
      rise, known.listed = jump - listed, known.listed + listed
    end
    local rate = rise / max(known.age, 1)
    known.rising = min(rate, known.rate) -- a rise goes on, a jump is over when it is observed
    known.risen = known.rising > 0 and known.risen + jump or 0
    known.rose = known.rising > 0 and known.rose + known.age or 0
    known.rate, known.between, known.age = rate, known.age, 0
  elseif known.age > 2 * known.between then
    known.rate, known.rising, known.risen, known.rose = 0, 0, 0, 0
  end
  tick.hurry = tick.hurry or jump > 0 and jump >= usable / 2
  known.jumps = known.jumps * fades.jumps + (jump / MiB) ^ 2
  local peak = known.peak or used
  known.peak = peak > used and ceil(used + (peak - used) * fades.jumps) or used
  known.least = min(used, known.least or used)
  -- Without a new report all that the balloon gave meanwhile counts as used.
  known.grown = (usable == past.left and known.grown or 0) + max(0, given)
  known.used, known.left, known.offline, known.rss, known.actual = used, usable, offline, d.rss, d.actual
end

-- What a domain has with the moves under way, what it needs, may need, and gives.
local function guest_of(d, known, tick)
  local reclaimable, flight = d.reclaimable, d.in_flight
  if flight < 0 and reclaimable == 0 then flight = 0 end -- it does not follow
  local releases = flight < 0 and -flight or 0
  local usable, headroom, most, offline = known.left, d.headroom, d.maximum, known.offline
  local used = known.used + offline
  local size = used + usable + flight
  local swapped = known.swapped >= 1 and ceil(known.swapped) + MiB or 0
  local need = min(max(used + swapped, d.minimum), most)
  local cache = usable - headroom > READS_FILES and usable - headroom or 0
  local gives = 0
  if reclaimable > 0 then -- it follows, and has not just started
    gives = max(0, min(headroom - tick.domain_floor, usable - tick.usable_floor) - releases)
  end
  local base = max(min(need, size), size - gives - cache)
  local missing, weight, rising, risen = need > size and need - size or 0, d.weight, known.rising, known.risen
  local goes_on = min(tick.rise_forecast, RISES_FOR / max(known.rose, 1)) -- as a part of the rise so far
  return {
    d = d, size = size, flight = flight, most = most, need = need, missing = missing, cache = cache,
    priority = d.priority, weight = weight, turn = missing / weight, served = true, covered = true, leaves = 0,
    base = base, releases = releases, spares = max(0, size - base - cache) + releases,
    ceiling = cache == 0 and most or 0,
    over = flight <= 0 and reclaimable + flight or 0,
    cushioned = min(need + tick.cushion + (rising > 0 and floor(rising * tick.lead) or 0), most),
    ask = known.ask > 0 and min(ceil(known.ask), most) or 0, peak = known.peak + offline,
    factor = weight * max(1, known.jumps) ^ (1 / 3), rising = rising,
    jump = 2 * MiB * known.jumps ^ 0.5,
    forecast = risen > 0 and max(0, min(need + risen * goes_on, most) - size) or missing,
  }
end

-- Decides which needs are served, and what each domain leaves to the rises of higher ranks. Returns the rest of
-- `spare`, and the highest domain that is short and could be served soon.
local function serve(guests, spare)
  table.sort(guests, outranks)
  local priority, above, rises, per_weight, waits = nil, 0, 0, 0, nil
  for _, g in ipairs(guests) do
    if g.priority ~= priority then priority, above, rises, per_weight = g.priority, above + rises, 0, 0 end
    g.leaves = above + max(0, floor(rises - g.weight * per_weight))
    rises, per_weight = rises + g.forecast, per_weight + g.forecast / g.weight
  end
  table.sort(guests, function(a, b)
    return a.priority > b.priority or a.priority == b.priority and a.turn < b.turn
  end)
  for _, g in ipairs(guests) do
    g.served = g.missing == 0 or g.missing <= spare - g.leaves
    if g.served then spare = spare - g.missing end
    if not g.served and g.missing <= WAITED_FOR * spare and not (waits and outranks(waits, g)) then waits = g end
  end
  for _, g in ipairs(guests) do g.covered = g.served and (not waits or outranks(g, waits)) end
  return spare, waits
end

-- Lifts killed guests to what they asked for, least first. Returns the rest of `spare`.
local function answer_asks(guests, spare)
  local asking = {}
  for _, g in ipairs(guests) do
    if g.served and g.ask > g.safe then asking[#asking + 1] = g end
  end
  table.sort(asking, function(a, b) return a.ask - a.safe < b.ask - b.safe end)
  for _, g in ipairs(asking) do
    local more = max(0, min(g.ask - g.safe, spare))
    g.safe, spare = g.safe + more, spare - more
  end
  return spare
end

-- Sets the size that each domain should have. Returns what the host keeps of its idle memory, what it must have,
-- and for how many seconds the spare memory lasts at the present rises.
local function allocate(guests, available, reserve, starts, advance)
  local spare, rising, unequal, asks, readers = available, 0, false, false, false
  local first = guests[1]
  for _, g in ipairs(guests) do
    spare = spare + g.spares
    rising = rising + g.rising
    unequal = unequal or g.missing > 0 or g.weight ~= first.weight or g.priority ~= first.priority
    asks, readers = asks or g.ask > 0, readers or g.cache > 0
  end
  local lasts, waits = rising > 0 and max(0, spare) / rising or huge, nil
  if unequal then spare, waits = serve(guests, spare) end
  local cushions, peaks, jumps, rooms, weights = 0, 0, 0, {}, {}
  for _, g in ipairs(guests) do
    g.target = g.served and max(g.need, g.base) or g.base
    g.safe = g.covered and max(g.target, g.cushioned) or g.target
    cushions = cushions + g.safe - g.target
  end
  if cushions > max(0, spare) then
    local part = max(0, spare) / cushions
    for _, g in ipairs(guests) do g.safe = g.target + floor((g.safe - g.target) * part) end
  end
  spare = waits and 0 or max(0, spare - cushions)
  if asks and spare > 0 then spare = answer_asks(guests, spare) end
  spare = max(0, spare - starts)
  for i, g in ipairs(guests) do
    local below = min(g.peak, g.ceiling) - g.safe
    g.up = g.served and below > 0 and below or 0
    peaks, jumps = peaks + g.up, jumps + g.jump
    rooms[i], weights[i] = g.served and g.ceiling - g.safe or 0, g.factor
  end
  local lift = peaks <= spare and 1 or 0
  if lift == 1 and peaks > 0 then
    for i, g in ipairs(guests) do rooms[i] = rooms[i] - g.up end
    spare = spare - peaks
  end
  local withheld = floor(max(0, spare - jumps) * (1 - advance))
  local shares = fair_share(spare - withheld, rooms, weights)
  for i, g in ipairs(guests) do g.target = g.safe + g.up * lift + shares[i] end
  return starts + withheld, readers and reserve or 0, lasts
end

local function share_a_node(a, b)
  if #a == 0 or #b == 0 then return true end -- not bound
  for _, node in ipairs(a) do
    for _, other in ipairs(b) do
      if node == other then return true end
    end
  end
  return false
end

-- Sets what each group of domains lends to groups that share a node with it: what these lack for needs, cushions and
-- asks, at most what it has beyond its own.
local function lend(groups)
  for _, one in pairs(groups) do
    one.lacks, one.spares, one.releases = -max(0, one.available), 0, 0
    for _, g in ipairs(one.guests) do
      local safe = max(g.cushioned, g.ask)
      one.lacks = one.lacks + max(0, safe - g.size) - g.spares
      one.spares = one.spares + max(0, g.size - max(safe, g.base + g.cache))
      one.releases = one.releases + g.releases
    end
  end
  for _, one in pairs(groups) do
    local others, spares, lacks = {}, 0, one.lacks
    for _, other in pairs(groups) do
      if lacks > 0 and other ~= one and share_a_node(one.nodes, other.nodes) then
        others[#others + 1], spares, lacks = other, spares + other.spares, lacks - other.releases
      end
    end
    local part = spares > 0 and min(1, max(0, lacks) / spares) or 0
    for _, other in ipairs(others) do other.lends = min(other.spares, other.lends + floor(other.spares * part)) end
  end
end

-- How far each domain goes towards its target in this tick. Returns what the host gives; or nil where nothing
-- moves, and whether something waits to be moved.
local function pace(guests, available, keep, reserve, lasts, lends, ctx)
  local p, state, idle = ctx.params, ctx.state, available - keep
  local half_life, low_part, half_cushion = p.share_half_life, p.low, p.cushion / 2
  local lacking, surplus, short, urgent, leaves = 0, 0, lends > 0, false, 0
  for _, g in ipairs(guests) do
    local size, target, need = g.size, g.target, g.need
    local left = size - need
    local low = lasts < half_life or left < low_part * (target + g.cache - need)
    -- What a balloon does not take yet is not promised more, except what it needs.
    local lack = max(0, ((low or idle > IDLE) and g.flight <= 0 and target or g.safe) - size)
    local over = g.over > 0 and max(0, min(size - target - g.cache, g.over)) or 0
    g.lack, g.over = lack, over
    lacking, surplus = lacking + lack, surplus + over
    if g.leaves > leaves then leaves = g.leaves end
    short = short or lack > 0 and size < g.safe or left < half_cushion and left < g.most - need
    urgent = urgent or lack > 0 and g.missing > 0
  end
  local supply, at_once = max(0, available + surplus), 0
  for _, g in ipairs(guests) do
    g.now = g.lack > 0 and max(0, min(g.lack, supply - g.leaves, g.safe - g.size)) or 0
    supply, at_once, lacking = supply - g.now, at_once + g.now, lacking - g.now
  end
  local first = state.begun and 0 or max(0, idle - at_once) -- all that is idle at the start
  local part = 1 - 0.5 ^ (state.waited / min(p.share_half_life, max(1, lasts / 4)))
  local later = min(lacking, max(0, supply - leaves), first + (lacking - first) * part)
  local owed = max(0, min(max(reserve - available, lends), surplus))
  if not short then -- the host has time until its memory runs out
    local left = max(0, ctx.host.headroom - ctx.limits.host_floor) / max(1, state.falling)
    owed = owed * (1 - 0.5 ^ (state.waited / min(p.share_half_life, max(0.5, left / 8))))
  end
  local taken = min(surplus, max(0, at_once + later - max(0, available), later - max(0, idle - at_once), owed))
  if not urgent and at_once + later + taken < p.min_move then
    return nil, min(lacking, supply) + max(0, min(reserve - available, surplus)) >= p.min_move
  end
  for _, g in ipairs(guests) do
    g.change = g.now + (g.lack - g.now) * later / max(lacking, 1) - g.over * taken / max(surplus, 1)
    g.why = g.over > 0 and (at_once + later > 0 and "others need it" or "the host is short")
      or g.missing > 0 and "is short of memory" or "its share of what is spare"
  end
  return at_once + later - taken
end

-- The figures that move memory. While they stay those of a tick that had nothing to move, there is nothing to move.
local function figures_of(ctx)
  local figures = { ctx.host.grantable }
  for i, name in ipairs(SUMS) do figures[i + 1] = ctx.domains:sum(name) end
  for _, d in ipairs(ctx.domains) do figures[#figures + 1] = d.usable end
  return figures
end

local function equal(figures, others)
  if #figures ~= #others then return false end
  for i = 1, #figures do
    if figures[i] ~= others[i] then return false end
  end
  return true
end

local function propose(guests)
  for _, g in ipairs(guests) do
    if g.change >= 1 or g.change <= -1 then g.d:set(g.size + floor(g.change), g.why) end
  end
end

return {
  api = 1,
  summary = "Share all memory, most where needs jump farthest, and rescue short domains",
  params = {
    cushion = { default = "100MiB", doc = "memory above its need that a domain gets first" },
    jump_half_life = { default = 24.0, doc = "hours after which a jump counts half" },
    lead = { default = 12.0, doc = "seconds of a steady rise that a cushion covers besides" },
    low = { default = 0.75, doc = "a domain grows when less than this part of its share is left" },
    rise_forecast = { default = 0.7, doc = "rise to expect, as a part of a need's rise so far, for 18 s at most" },
    share_half_life = { default = 60.0, doc = "seconds until half of a share has moved" },
    advance = { default = 0.75, doc = "part of what is spare, beyond all jumps so far, that is handed out in advance" },
    min_move = { default = "16MiB", doc = "less than this moves only where a domain is short" },
  },

  tick = function(ctx)
    local p = ctx.params
    assert(p.advance >= 0 and p.advance <= 1, "advance is from 0 to 1")
    assert(p.share_half_life > 0 and p.jump_half_life > 0, "half-lives are over 0")
    local state, host, groups = ctx.state, ctx.host, {}
    local elapsed = (state.elapsed or 0) + ctx.seconds
    state.elapsed, state.waited = elapsed, (state.waited or 0) + ctx.seconds
    local figures = state.figures and figures_of(ctx)
    if figures and equal(figures, state.figures) then return end

    local falling = elapsed > 0 and state.headroom and (state.headroom - host.headroom) / elapsed or 0
    state.falling = max(0, falling, (state.falling or 0) * 0.5 ^ (elapsed / FALL_HALF_LIFE))
    state.headroom, state.starts = host.headroom, (state.starts or 0) * 0.5 ^ (elapsed / STARTS_HALF_LIFE)
    local before, now = state.domains or {}, {}
    local function known_of(d)
      local uuid = d.uuid
      local known = before[uuid]
      if not known and state.begun then state.starts = state.starts + d.actual end
      now[uuid] = known or {
        jumps = FIRST_JUMP ^ 2, swapped = 0, ask = 0, tried = 0, raised = 0, had = 0, rate = 0, rising = 0,
        risen = 0, rose = 0, age = 0, between = 0, listed = 0,
      }
      return now[uuid]
    end
    for _, d in ipairs(ctx.skipped) do known_of(d) end
    local limits = ctx.limits
    local tick = { -- what all domains have in common
      elapsed = elapsed, seconds = ctx.seconds, fades = fades_after(elapsed, p), cushion = p.cushion,
      lead = p.lead, rise_forecast = p.rise_forecast, domain_floor = limits.domain_floor,
      usable_floor = limits.usable_floor,
    }
    local asks, bindable = false, #host.cells > 1 -- an ask is tried over time
    local left = host.grantable - host.shortfall
    -- Domains bound to the same NUMA nodes share their memory; pairs() has "unbound" last.
    for _, d in ipairs(ctx.domains) do
      local key = bindable and #d.nodes > 0 and table.concat(d.nodes, ",") or "unbound"
      local known = known_of(d)
      learn(known, d, tick)
      asks = asks or known.ask > 0
      local bound = key ~= "unbound"
      local group = groups[key] or {
        guests = {}, lends = 0, bound = bound, nodes = bound and d.nodes or {},
        available = bound and d.grantable or left,
      }
      groups[key], group.guests[#group.guests + 1] = group, guest_of(d, known, tick)
    end
    if tick.hurry then ctx.again(1) end -- as large a rise may go on and fill the guest
    if bindable then lend(groups) end
    local at_rest, moved = not asks, false
    for _, group in pairs(groups) do
      local guests, bound, lends = group.guests, group.bound, group.lends
      local available = (bound and group.available or left) - lends
      local reserve = floor(RESERVE * host.total * (bound and #group.nodes / #host.cells or 1))
      local keep, must, lasts = allocate(guests, available, reserve, bound and 0 or state.starts, p.advance)
      local given, waits = pace(guests, available, keep, must, lasts, lends, ctx)
      if given then propose(guests) end
      moved = moved or given ~= nil
      left, at_rest = left - (given or 0), at_rest and not given and not waits and lends == 0
    end
    if moved or not state.begun then state.waited = 0 end
    state.figures = at_rest and (figures or figures_of(ctx)) or nil
    state.domains, state.elapsed, state.begun = now, 0, true
  end,
}
