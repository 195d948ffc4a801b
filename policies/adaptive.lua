-- Adaptive: all memory is in use, and moves to the domains that need it.
-- A domain needs what its guest uses, less droppable page cache, and what it has swapped out.
-- Memory goes out in four layers:
--   1 need: whole or not at all, by priority, then by what is missing for the weight, least first
--   2 cushion: 100 MiB and six seconds of a steady rise, scaled down alike where memory runs out
--   3 peak: what lifts every domain to its recent peak, if memory suffices for all of them
--   4 share: the rest by weight * (sum of squared jumps of need, fading) ^ (1/3). If jump sizes
--     follow a power law with exponent 2, this split minimises the jumps that exceed their share.
-- While a domain is short, domains of equal or lower rank (priority, weight) get layer 1 only.
-- Domains leave room for the forecast rises of higher ranks. Needs and cushions move at once,
-- peaks and shares with a half-life of a minute. A domain gives only what others ask for.
--
-- Example: three domains share 8192 MiB. The need of `web` once jumped by 859 MiB: its factor is
-- (512^2 + 859^2) ^ (1/3) = 100. Every domain starts with a jump of 512 MiB, a factor of 64.
--   MiB     need  cushion  peak  share  target
--   batch    500      100     0   1022    1622
--   db      2000      100     0   1022    3122
--   web     1000      100   751   1597    3448
--
-- Source: memcoord's own. Domains keep memory until others need it as in Waldspurger (ESX, 2002).

local max, min, floor, ceil = math.max, math.min, math.floor, math.ceil

local FIRST_JUMP = 512 -- MiB that a new domain counts as having jumped by
local SWAP_HALF_LIFE = 300 -- seconds until half of the swapped memory counts as unused
local IDLE = 64 * MiB -- memory that no domain holds is shared out above this
local READS_FILES = 100 * MiB -- a guest keeps more page cache than this where it counts as used
local RESERVE = 0.15 -- part of the host's memory that stays free of such page cache
local SUMS = { "actual", "grantable", "swap_in", "swap_out" } -- changes that usable memory does not show

local function outranks(a, b)
  return a.priority > b.priority or a.priority == b.priority and a.weight > b.weight
end

-- What each domain needs and may need, in the order of service; `known` keeps what it learns.
local function learn(domains, known, ctx)
  local p, limits, elapsed, guests = ctx.params, ctx.limits, ctx.state.elapsed, {}
  local fade = 0.5 ^ (elapsed / (p.jump_half_life * 3600))
  for i, d in ipairs(domains) do
    local past = ctx.state.domains[d.uuid] or { swapped = 0, jumps = FIRST_JUMP ^ 2, rate = 0 }
    local kept = d.swap_in > 0 and 1 or 0.5 ^ (elapsed / SWAP_HALF_LIFE)
    local swapped = max(0, past.swapped * kept + (d.swap_out - d.swap_in) * ctx.seconds)
    local need = min(d.actual - d.usable + (swapped >= 1 and ceil(swapped) + MiB or 0), d.maximum)
    local used = need - d.offline
    local jump = max(0, used - (past.used or used))
    local rate = elapsed > 0 and jump / elapsed or 0
    local rising = min(rate, past.rate) -- a rise goes on, a jump is over when it is observed
    local now = {
      used = used, swapped = swapped, rate = rate, risen = rising > 0 and past.risen + jump or 0,
      jumps = past.jumps * fade + (jump / MiB) ^ 2,
      peak = max(used, ceil(used + ((past.peak or used) - used) * fade)),
    }
    known[d.uuid], need = now, max(need, min(d.minimum, d.maximum))
    local cache = d.usable - d.headroom > READS_FILES and d.usable - d.headroom or 0
    local gives = max(0, min(d.headroom - limits.domain_floor, d.usable - limits.usable_floor))
    if d.reclaimable == 0 then gives = 0 end -- it does not follow, or has just started
    local missing = max(0, need - d.actual)
    guests[i] = {
      d = d, actual = d.actual, priority = d.priority, weight = d.weight, need = need,
      missing = missing, turn = missing / d.weight, cache = cache,
      base = max(need, d.actual - gives - cache), ceiling = cache == 0 and d.maximum or 0,
      cushioned = min(need + p.cushion + floor(rising * p.lead), d.maximum),
      peak = now.peak + d.offline, factor = d.weight * max(1, now.jumps) ^ (1 / 3),
      forecast = max(0, min(need + now.risen * p.rise_forecast, d.maximum) - d.actual),
    }
  end
  table.sort(guests, outranks)
  local rises, above = 0, 0
  for i, g in ipairs(guests) do
    if i > 1 and outranks(guests[i - 1], g) then above = rises end
    g.leaves, rises = above, rises + g.forecast
  end
  table.sort(guests, function(a, b)
    return a.priority > b.priority or a.priority == b.priority and a.turn < b.turn
  end)
  return guests
end

-- The size that each domain should have.
local function allocate(guests, available, total)
  local plan, spare, left_out = { reserve = 0 }, available, nil
  local cushions, peaks, rooms, weights = 0, 0, {}, {}
  for _, g in ipairs(guests) do
    spare = spare + max(0, g.actual - g.base - g.cache)
    if g.cache > 0 then plan.reserve = floor(RESERVE * total) end
  end
  for i, g in ipairs(guests) do -- needs
    local served = g.missing == 0 or g.missing <= spare - g.leaves
    plan[i] = { guest = g, served = served, target = served and g.base or g.actual }
    if served then spare = spare - g.missing end
    if not served and not (left_out and outranks(left_out, g)) then left_out = g end
  end
  for _, a in ipairs(plan) do -- cushions and peaks
    local covered = a.served and (not left_out or outranks(a.guest, left_out))
    a.safe = covered and max(a.target, a.guest.cushioned) or a.target
    a.peak = max(0, min(a.guest.peak, a.guest.ceiling) - a.safe)
    cushions, peaks = cushions + a.safe - a.target, peaks + a.peak
  end
  local part = max(0, min(1, spare / max(cushions, 1)))
  spare = left_out and 0 or spare - cushions - plan.reserve
  local lift = peaks <= spare and 1 or 0
  for i, a in ipairs(plan) do -- shares
    a.target = a.target + floor((a.safe - a.target) * part) + a.peak * lift
    rooms[i], weights[i] = a.guest.ceiling - a.target, a.guest.factor
  end
  local shares = fair_share(spare - peaks * lift, rooms, weights)
  for i, a in ipairs(plan) do a.target = a.target + shares[i] end
  return plan
end

-- How far each domain goes towards its target in this tick.
local function pace(plan, available, ctx)
  local p, idle, moves = ctx.params, available - plan.reserve, {}
  local lacking, surplus, urgent = 0, 0, false
  for i, a in ipairs(plan) do
    local g = a.guest
    local low = g.actual - g.need < p.low * (a.target + g.cache - g.need)
    local lack = (low or idle > IDLE) and max(0, a.target - g.actual) or 0
    local over = max(0, min(g.actual - a.target - g.cache, g.d.reclaimable))
    local why = g.missing > 0 and "is short of memory" or "its share of what is spare"
    moves[i] = { d = g.d, lack = lack, over = over, why = why }
    lacking, surplus, urgent = lacking + lack, surplus + over, urgent or lack > 0 and g.missing > 0
  end
  local supply, at_once = max(0, available + surplus), 0
  for i, m in ipairs(moves) do
    m.now = max(0, min(m.lack, supply - plan[i].guest.leaves, plan[i].safe - m.d.actual))
    supply, at_once, lacking = supply - m.now, at_once + m.now, lacking - m.now
  end
  local first = ctx.state.figures and 0 or max(0, idle - at_once) -- all that is idle at the start
  local part = 1 - 0.5 ^ (ctx.seconds / p.share_half_life)
  local later = min(lacking, supply, first + (lacking - first) * part)
  local taken = max(0, at_once + later - available, min(-idle, surplus))
  if not urgent and at_once + later + taken < p.min_move then return { net = 0 } end
  moves.net = at_once + later - min(taken, surplus) -- what the host gives
  local given = min(1, taken / max(surplus, 1))
  for _, m in ipairs(moves) do
    m.change = m.now + (m.lack - m.now) * later / max(lacking, 1) - m.over * given
    m.why = m.over == 0 and m.why or at_once + later > 0 and "others need it" or "the host is short"
  end
  return moves
end

local function propose(moves)
  for _, m in ipairs(moves) do
    if math.abs(m.change) >= 1 then m.d:set(m.d.actual + floor(m.change), m.why) end
  end
end

return {
  api = 1,
  summary = "Share all memory, most where needs jump farthest, and rescue short domains",
  params = {
    cushion = { default = "100MiB", doc = "memory above its need that a domain gets first" },
    jump_half_life = { default = 24.0, doc = "hours after which a jump counts half" },
    lead = { default = 6.0, doc = "seconds of a steady rise that a cushion covers besides" },
    low = { default = 0.5, doc = "a domain grows when less than this part of its share is left" },
    rise_forecast = { default = 0.7, doc = "further rise of a need to expect, as a part of its rise so far" },
    share_half_life = { default = 60.0, doc = "seconds until half of a share has moved" },
    min_move = { default = "16MiB", doc = "less than this moves only where a domain is short" },
  },

  tick = function(ctx)
    local state, host, known, groups, figures = ctx.state, ctx.host, {}, {}, { ctx.host.grantable }
    state.elapsed, state.domains = (state.elapsed or 0) + ctx.seconds, state.domains or {}
    -- While the figures stay those of a tick that had nothing to move, there is nothing to move.
    for i, name in ipairs(SUMS) do figures[i + 1] = ctx.domains:sum(name) end
    for _, d in ipairs(ctx.domains) do figures[#figures + 1] = d.usable end
    local same = state.at_rest and #figures == #state.figures
    for i, figure in ipairs(figures) do same = same and figure == state.figures[i] end
    if same then return end

    -- Domains bound to the same NUMA nodes share their memory; pairs() has "unbound" last.
    for _, d in ipairs(ctx.domains) do
      local key = #host.cells > 1 and #d.nodes > 0 and table.concat(d.nodes, ",") or "unbound"
      groups[key] = groups[key] or {}
      table.insert(groups[key], d)
    end
    local left, at_rest = host.grantable - host.shortfall, true
    for key, domains in pairs(groups) do
      local bound = key ~= "unbound"
      local available = bound and domains[1].grantable or left
      local total = host.total * (bound and #domains[1].nodes / #host.cells or 1)
      local moves = pace(allocate(learn(domains, known, ctx), available, total), available, ctx)
      propose(moves)
      left, at_rest = left - moves.net, at_rest and #moves == 0
    end
    for _, d in ipairs(ctx.skipped) do known[d.uuid] = state.domains[d.uuid] end
    state.domains, state.figures, state.at_rest, state.elapsed = known, figures, at_rest, 0
  end,
}
