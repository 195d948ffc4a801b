-- Pressure: how much the guests hold, against what there is, determines how memory is divided.
--
-- A guest holds memory of three kinds: what it uses and cannot drop, with what it has swapped out; a
-- cushion on top; and page cache that it could drop. Their sums put the host under one of three pressures:
--
--   low    all three fit: guests keep them, and the idle rest is shared by weight
--   mild   used memory fits: guests get it, then the same part of each cushion, then of each page cache
--   heavy  used memory does not fit: every guest gets the same part of it, by weight, and swaps
--
-- Under mild and heavy pressure every balloon follows its target in each tick. Under low pressure balloons
-- rest while each guest still has the part `rest` of its idle memory. Changes under `min_move` are made
-- only where a guest has less than its cushion.
--
-- Source: J. Kim, V. Fedorov, P. V. Gratz, A. L. N. Reddy, "Dynamic Memory Pressure Aware Ballooning",
-- MEMSYS 2015: a host works under different pressures, and memory is divided by the present one.
-- Different here:
-- - The original is part of the virtualization stack and reacts by itself to a sudden demand. memcoord
--   has the statistics of an unchanged balloon, and reacts in its next tick.
-- - This file follows the paper's abstract. What it leaves open is memcoord's choice: the bounds of the
--   three pressures, the division under each, the cushion and `rest`.
-- - memcoord cannot see a guest's swap space: it adds up the swap traffic, which fades.

local SWAP_HALF_LIFE = 300 -- seconds until half of the swapped memory counts as unused

-- What each guest has swapped out and not in again, as far as memcoord has observed it.
local function watch_swap(ctx)
  local old, swapped = ctx.state.swapped or {}, {}
  for _, d in ipairs(ctx.skipped) do swapped[d.uuid] = old[d.uuid] end
  for _, d in ipairs(ctx.domains) do
    local kept = (old[d.uuid] or 0) * 0.5 ^ (ctx.seconds / SWAP_HALF_LIFE)
    swapped[d.uuid] = math.max(0, kept + (d.swap_out - d.swap_in) * ctx.seconds)
  end
  ctx.state.swapped = swapped
  return swapped
end

-- What each guest holds, and the sums of all: `total` is what there is to divide.
local function measure(ctx)
  local guests, swapped = {}, watch_swap(ctx)
  local sums = { total = ctx.host.grantable - ctx.host.shortfall, used = 0, cushion = 0, cache = 0 }
  for i, d in ipairs(ctx.domains) do
    local used = math.max(math.floor(d.actual - d.usable + swapped[d.uuid]), d.minimum)
    local g = { domain = d, size = d.actual + math.max(d.in_flight, 0) }
    g.used = math.min(used, d.maximum)
    g.cushion = math.min(ctx.params.cushion, d.maximum - g.used)
    g.cache = math.min(math.max(d.usable - d.unused, 0), d.maximum - g.used - g.cushion)
    g.held = g.used + g.cushion + g.cache
    guests[i], sums.total = g, sums.total + g.size
    for _, kind in ipairs { "used", "cushion", "cache" } do sums[kind] = sums[kind] + g[kind] end
  end
  return guests, sums
end

-- Each of these sets the target of every guest.
local divide = {}

function divide.low(guests, sums)
  local rooms, weights = {}, {}
  for i, g in ipairs(guests) do rooms[i], weights[i] = g.domain.maximum - g.held, g.domain.weight end
  local idle = sums.total - sums.used - sums.cushion - sums.cache
  for i, part in ipairs(fair_share(idle, rooms, weights)) do guests[i].target = guests[i].held + part end
end

function divide.mild(guests, sums)
  local left = sums.total - sums.used
  local cushions = math.min(left / math.max(sums.cushion, 1), 1)
  local caches = math.max(left - sums.cushion, 0) / math.max(sums.cache, 1)
  for _, g in ipairs(guests) do g.target = g.used + math.floor(g.cushion * cushions + g.cache * caches) end
end

function divide.heavy(guests, sums)
  local wants, weights = {}, {}
  for i, g in ipairs(guests) do wants[i], weights[i] = g.used, g.domain.weight * math.max(g.used, 1) end
  for i, part in ipairs(fair_share(sums.total, wants, weights)) do guests[i].target = part end
end

local function may_rest(guests, part)
  for _, g in ipairs(guests) do
    if g.size - g.held < part * (g.target - g.held) then return false end
  end
  return true
end

return {
  api = 1,
  summary = "Divide memory by the pressure on the host: low, mild or heavy (MPA ballooning)",
  params = {
    cushion = { default = "100MiB", doc = "memory that a guest gets above what it uses" },
    rest = { default = 0.8, doc = "under low pressure balloons rest while this part of the idle memory is left" },
    min_move = { default = "16MiB", doc = "smaller changes are made only where a guest lacks its cushion" },
  },

  tick = function(ctx)
    assert(ctx.params.rest >= 0 and ctx.params.rest <= 1, "rest is from 0 to 1")
    local p, guests, sums = ctx.params, measure(ctx)
    local held = sums.used + sums.cushion + sums.cache
    local pressure = sums.used > sums.total and "heavy" or held > sums.total and "mild" or "low"
    divide[pressure](guests, sums)
    if pressure == "low" and ctx.host.shortfall == 0 and may_rest(guests, p.rest) then return end
    for _, g in ipairs(guests) do
      local lacks = g.size < math.min(g.used + g.cushion, g.target)
      if g.target ~= g.size and (lacks or math.abs(g.target - g.size) >= p.min_move) then
        g.domain:set(g.target, "its part under " .. pressure .. " pressure")
      end
    end
  end,
}
