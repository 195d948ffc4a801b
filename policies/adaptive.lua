-- Adaptive: all memory is in use, and goes to whoever needs it.
--
-- Memory that nobody holds helps nobody: what no domain needs is shared out among all of them, so
-- that a guest whose need jumps finds the memory there, before anybody has had to notice. When a
-- domain runs low, the others hand over what they have to spare.
--
-- What a domain needs: what it uses - page cache that it could drop is not used - and what it has
-- had to swap out, which a guest that is short does not show in any other way.
--
-- How the spare memory is shared: a `cushion` each, larger while a need is rising; then what brings
-- everyone to its recent peak, where there is so much; the rest by how far each one's need has jumped,
-- by the cube root of the sum of its squared jumps, old ones fading. If jumps over x come as often as
-- (s / x)^2, this is the division that the fewest jumps pass: one more MiB would then help as much
-- here as there.
--
-- When there is too little: cushions go first. Then needs are met in the order of priority and of what
-- one misses for its weight, whole or not at all, since half a rescue rescues nobody. As long as
-- somebody goes without, nobody who matters no more than it gets more than it needs: what fills a
-- domain's last 100 MiB cannot be had back. For the same reason a domain whose need is rising has
-- its way `ahead` kept free of what others that matter less want, nearly as far as it has risen.
--
-- Quick to give, slow to take: needs and cushions move at once, shares bit by bit, and nobody gives
-- more than is asked for. A guest whose page cache the guard counts as used (headroom by unused)
-- never gives it back; while such guests have more than a cushion free, they are where the host's
-- `reserve` comes from, before files fill it.
--
-- Domains that are bound to NUMA nodes share the memory of these nodes among themselves, before the
-- others share what is left of the host's.
--
-- Source: memcoord's own; docs/policies.md tells how its defaults were found. That a domain keeps
-- what it has until others need it is Waldspurger's idea (VMware ESX, 2002).

-- A guest with more page cache than this, where the guard counts that as used, reads files.
local READS_FILES = 100 * MiB

-- What the guard lets a domain give in the end: down to its floors, of headroom and of what is usable.
local function can_give(d, limits)
  -- Nothing, where the guard lets go of nothing: the domain does not follow, or has just started.
  if d.releasable == 0 then return 0 end
  return math.max(0, math.min(d.headroom - limits.domain_floor, d.usable - limits.usable_floor))
end

-- What the domain needs. Learns from how that has changed since it was looked at last.
local function learn(d, past, ctx, since)
  local p = ctx.params
  local forgotten = d.swap_in > 0 and 1 or 0.5 ^ (since / p.swap_half_life)
  past.swapped = math.max(0, past.swapped * forgotten + (d.swap_out - d.swap_in) * ctx.seconds)
  local swapped = past.swapped >= 1 and math.ceil(past.swapped) + MiB or 0
  local need = math.min(d.actual - d.usable + swapped, d.maximum)
  -- Memory that is plugged in but not online is part of the balloon's size, and nobody's need.
  local used = need - d.offline
  local jump = math.max(0, used - (past.used or used)) / MiB
  local fade = 0.5 ^ (since / (p.memory * 3600))
  past.jumps = past.jumps * fade + jump * jump
  -- What has risen at two looks in a row goes on rising; a jump is over when it is seen.
  local rate = since > 0 and jump * MiB / since or 0
  past.rising, past.rate = math.min(rate, past.rate or 0), rate
  past.risen = past.rising > 0 and (past.risen or 0) + jump * MiB or 0
  past.used, past.most = used, math.max(used, math.ceil(used + ((past.most or used) - used) * fade))
  past.peak = past.most + d.offline
  return math.max(need, math.min(d.minimum, d.maximum))
end

-- One domain, as the functions below see it.
local function entry(d, past, need, p, limits)
  local cache = d.usable - d.headroom -- what the guard would not let go of
  local reads = cache > READS_FILES
  return {
    d = d,
    need = need,
    can_give = can_give(d, limits),
    peak = past.peak,
    rising = past.rising,
    weight = d.weight * past.jumps ^ (1 / 3),
    reads = reads,
    cache = reads and cache or 0,
    missing = math.max(0, need - d.actual),
    ahead = math.max(0, math.min(need + past.risen * p.ahead, d.maximum) - d.actual),
  }
end

-- Whose rise comes before another's need.
local function matters_more(a, b)
  if a.d.priority ~= b.d.priority then return a.d.priority > b.d.priority end
  return a.d.weight > b.d.weight
end

-- What each domain leaves to those that matter more and are rising.
local function yield(list)
  table.sort(list, matters_more)
  local ahead, passed = 0, 0
  for i, one in ipairs(list) do
    if i > 1 and matters_more(list[i - 1], one) then passed = ahead end
    one.yields, ahead = passed, ahead + one.ahead
  end
end

-- Who comes first where there is too little: by priority, then whoever misses least for its weight.
local function before(a, b)
  if a.d.priority ~= b.d.priority then return a.d.priority > b.d.priority end
  return a.missing / a.d.weight < b.missing / b.d.weight
end

-- Who is to get what it misses, as far as memory reaches; of the others, the one that matters most.
local function choose(list, reach)
  yield(list)
  table.sort(list, before)
  local left_out
  for _, one in ipairs(list) do
    one.served = one.missing <= reach - (one.missing > 0 and one.yields or 0)
    if one.served then
      reach = reach - one.missing
    elseif not left_out or matters_more(one, left_out) then
      left_out = one
    end
  end
  return left_out
end

-- Shares `amount` by weight, nobody over its room; adds to each one's target.
local function share(amount, list)
  table.sort(list, function(a, b) return a.room * b.weight < b.room * a.weight end)
  local weights = 0
  for _, one in ipairs(list) do weights = weights + one.weight end
  for _, one in ipairs(list) do
    local part = math.min(one.room, math.floor(amount * one.weight / weights))
    one.target = one.target + part
    amount, weights = amount - part, weights - one.weight
  end
end

-- Where each domain should be: its need, or what the guard leaves it anyway; its cushion; its share
-- of `spare` less a reserve.
local function aim(list, spare, reserve, left_out, p)
  local cushions, peaks = 0, 0
  for _, one in ipairs(list) do
    local kept = math.max(one.need, one.d.actual - one.can_give - one.cache)
    one.target = one.missing == 0 and kept or one.served and one.need or one.d.actual
    local comes_first = not left_out or matters_more(one, left_out)
    local cushion = comes_first and p.cushion + math.floor(one.rising * p.lead) or 0
    one.safe = math.min(one.need + cushion, one.d.maximum)
    one.cushion = one.served and math.max(0, one.safe - one.target) or 0
    spare, cushions = spare - one.target - one.cache, cushions + one.cushion
  end
  local part = math.max(0, math.min(1, spare / math.max(cushions, 1)))
  for _, one in ipairs(list) do
    one.target = one.target + one.cache + math.floor(one.cushion * part)
    one.room = one.served and not one.reads and one.d.maximum - one.target or 0
    one.rise = math.max(0, math.min(one.peak - one.target, one.room))
    peaks = peaks + one.rise
  end
  spare = left_out and 0 or spare - cushions - reserve
  if peaks <= spare then
    for _, one in ipairs(list) do
      one.target, one.room = one.target + one.rise, one.room - one.rise
    end
    spare = spare - peaks
  end
  if spare > 0 then share(spare, list) end
end

-- Who grows and who can give, and how much in all.
local function sides(list, idle, p)
  local growing, giving, wanted, surplus = {}, {}, 0, 0
  for _, one in ipairs(list) do
    one.gap = one.target - one.d.actual
    if one.reads and one.gap > 0 then one.gap = math.max(0, one.gap - one.cache) end
    local low = one.d.actual - one.need < p.low * (one.target - one.need)
    if one.gap > 0 and (low or idle) then
      growing[#growing + 1] = one
      wanted = wanted + one.gap
    elseif one.gap < 0 then
      giving[#giving + 1] = one
      one.gives = math.min(-one.gap, one.d.releasable)
      surplus = surplus + one.gives
    end
  end
  table.sort(growing, before)
  return growing, giving, wanted, surplus
end

-- Moves memory to those who are low, at most what the others can give. How much of what is available
-- that takes, where anything moves.
local function move(list, available, reserve, ctx)
  local p = ctx.params
  local growing, giving, wanted, surplus = sides(list, available - reserve > p.idle, p)
  local supply, at_once, urgent = math.max(0, available + surplus), 0, false
  for _, one in ipairs(growing) do
    urgent = urgent or one.missing > 0
    one.got = math.min(one.gap, math.max(0, supply - one.yields), math.max(0, one.safe - one.d.actual))
    supply, at_once, wanted = supply - one.got, at_once + one.got, wanted - one.got
  end
  local idle = math.max(0, available - reserve - at_once)
  local pace = 1 - 0.5 ^ (ctx.seconds / p.settle)
  local at_start = ctx.state.seen and 0 or idle
  local rest = math.min(wanted, supply, at_start + (wanted - at_start) * pace)
  local asked = math.max(0, at_once + rest - available, math.min(reserve - available, surplus))
  if not urgent and at_once + rest + asked < p.worth_it then return nil end

  for _, one in ipairs(growing) do
    local amount = one.got + (wanted > 0 and (one.gap - one.got) * rest / wanted or 0)
    local why = one.missing > 0 and "is short of memory" or "its share of what is spare"
    if amount >= 1 then one.d:grow(math.floor(amount), why) end
  end
  for _, one in ipairs(giving) do
    local amount = one.gives * math.min(1, asked / math.max(surplus, 1))
    if amount >= 1 then one.d:shrink(math.ceil(amount), "others need it") end
  end
  return at_once + rest - math.min(asked, surplus)
end

-- The domains by the nodes that they are bound to; those that are bound to none come last.
local function by_nodes(list)
  local groups, known = {}, {}
  for _, one in ipairs(list) do
    local nodes = one.d.nodes
    local key = table.concat(nodes, ",")
    if not known[key] then
      known[key] = { nodes = nodes, list = {} }
      groups[#groups + 1] = known[key]
    end
    local members = known[key].list
    members[#members + 1] = one
  end
  table.sort(groups, function(a, b) return #a.nodes > #b.nodes end)
  return groups
end

-- Shares what is available among some domains, and what they have. As move() returns.
local function share_out(list, available, memory, ctx)
  local total, reach, reads = available, available, false
  for _, one in ipairs(list) do
    local d = one.d
    total, reads = total + d.actual, reads or one.reads
    if one.missing == 0 then reach = reach + math.max(0, math.min(one.can_give, d.actual - one.need)) end
  end
  local reserve = reads and math.floor(ctx.params.reserve * memory) or 0
  aim(list, total, reserve, choose(list, reach), ctx.params)
  return move(list, available, reserve, ctx)
end

-- The memory of some nodes.
local function memory_of(nodes, host)
  local sum = 0
  for _, cell in ipairs(host.cells) do
    for _, id in ipairs(nodes) do sum = sum + (cell.id == id and cell.total or 0) end
  end
  return sum
end

return {
  api = 1,
  summary = "Share all memory, more to whom jumps farther, and rescue whoever is short",
  params = {
    cushion = { default = "100MiB", doc = "what a domain has over its need before others have more" },
    lead = { default = 6.0, doc = "seconds of a steady rise that a cushion covers besides" },
    first_jump = { default = "512MiB", doc = "how far a domain is taken to jump before it has" },
    memory = { default = 24.0, doc = "hours after which a jump counts half" },
    ahead = { default = 0.7, doc = "how much further a domain is taken to rise, of its rise so far" },
    low = { default = 0.5, doc = "a domain is low under this part of its share" },
    settle = { default = 60.0, doc = "seconds in which a domain gets half of what its share lacks" },
    idle = { default = "64MiB", doc = "memory that nobody holds is shared out over this" },
    reserve = { default = 0.15, doc = "part of the host kept free where page cache cannot be taken" },
    worth_it = { default = "16MiB", doc = "less than this is moved only where a domain is short" },
    swap_half_life = { default = 300.0, doc = "seconds after which swapped memory is half forgotten" },
  },

  tick = function(ctx)
    local p, state = ctx.params, ctx.state
    state.since = (state.since or 0) + ctx.seconds
    -- Where nothing has changed since there was nothing to do, there is nothing to do.
    local domains = ctx.domains
    local seen = domains:sum("usable") + 3 * domains:sum("actual") + 7 * ctx.host.grantable
      + 11 * domains:sum("swap_out") + 13 * domains:sum("swap_in") + 17 * domains:sum("grantable")
    if state.settled and seen == state.seen then return end

    local available, old = ctx.host.grantable - ctx.host.owed, state.domains or {}
    local limits, list = ctx.limits, {}
    state.domains = {}
    for _, d in ipairs(domains) do
      local past = old[d.uuid] or { swapped = 0, jumps = (p.first_jump / MiB) ^ 2 }
      state.domains[d.uuid] = past
      list[#list + 1] = entry(d, past, learn(d, past, ctx, state.since), p, limits)
    end
    for _, d in ipairs(ctx.silent) do state.domains[d.uuid] = old[d.uuid] end

    local groups = #ctx.host.cells > 1 and by_nodes(list) or { { nodes = {}, list = list } }
    state.settled = true
    for _, group in ipairs(groups) do
      local bound = #group.nodes > 0
      local taken = share_out(group.list, bound and group.list[1].d.grantable or available,
        bound and memory_of(group.nodes, ctx.host) or ctx.host.total, ctx)
      state.settled = state.settled and not taken
      available = available - (taken or 0)
    end
    state.seen, state.since = seen, 0
  end,
}
