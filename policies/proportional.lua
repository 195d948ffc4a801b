-- Proportional: share all memory in proportion to what each domain prefers to have.
--
-- A domain prefers `margin` times what it uses, at least `min_preference`, at most its maximum. While
-- there is enough for all preferences, all memory is shared in proportion to them; what would pass one
-- domain's maximum goes to the others in equal parts. In scarcity a domain that has more than it
-- prefers gives the rest, and the domains that have less share it in proportion to their preference, on
-- top of what they have. Scarcity takes nothing from a domain that has less than it prefers. A domain
-- that has not followed a shrink takes no part until it needs more.
--
-- A tick moves memory only if the moves, plus the host's distance from its floor, add up to more than
-- `min_move`, or if a domain under its preference gains more than `min_gain`, or if the host lacks more
-- than `min_gain`.
--
-- Source: qmemman, the memory manager of Qubes OS.
-- Different here:
-- - What domains give in scarcity goes to the others in the same tick, as far as they really free it.
--   qmemman hands it over in its next round, which follows at once; the next tick may be seconds away.
-- - Domains get all memory. qmemman leaves a thousandth of each target unassigned against rounding; the
--   guard makes sure that grows fit.
-- - The host's own memory takes no part; qmemman moves dom0 as well. A domain's minimum counts as
--   its least preference; Qubes OS has none.
-- - What a domain uses excludes the page cache that the guest can drop, and includes what the guest has
--   swapped out, which fades: memcoord cannot see the swap space itself.
-- - In scarcity a domain that has just what it prefers gets no more; in qmemman it does.

-- Divides all memory in proportion; the excess over a maximum goes to the others in equal parts.
local function in_proportion(total, preferred, domains)
  local left, rooms = total, {}
  for i, one in ipairs(domains) do
    one.target = math.min(math.floor(total * one.preferred / preferred), one.maximum)
    left, rooms[i] = left - one.target, one.maximum - one.target
  end
  for i, part in ipairs(fair_share(left, rooms)) do
    domains[i].target = domains[i].target + part
  end
end

-- Domains give their memory above their preference; it is added to the memory of the others.
local function in_scarcity(spare, domains, p)
  local short, preferred = {}, 0
  for _, one in ipairs(domains) do
    local gift = one.actual - one.preferred
    if gift >= p.min_gift then
      one.target, spare = one.preferred, spare + gift
    elseif gift < 0 then
      short[#short + 1], preferred = one, preferred + one.preferred
    end
  end
  -- `spare` is negative if the host lacks more than all gifts.
  for _, one in ipairs(short) do
    one.target = math.min(one.actual + math.max(spare, 0) * one.preferred / preferred, one.maximum)
  end
end

local function are_large_enough(spare, domains, p)
  if spare < -p.min_gain then return true end
  local moved = math.abs(spare)
  for _, one in ipairs(domains) do
    local change = one.target - one.actual
    if one.actual < one.preferred and change > p.min_gain then return true end
    moved = moved + math.abs(change)
  end
  return moved > p.min_move
end

-- What each guest has swapped out and not in again, as far as memcoord has observed it.
local function watch_swap(ctx)
  local old, swapped = ctx.state.swapped or {}, {}
  for _, d in ipairs(ctx.skipped) do swapped[d.uuid] = old[d.uuid] end
  for _, d in ipairs(ctx.domains) do
    local kept = (old[d.uuid] or 0) * 0.5 ^ (ctx.seconds / ctx.params.swap_half_life)
    swapped[d.uuid] = math.max(0, kept + (d.swap_out - d.swap_in) * ctx.seconds)
  end
  ctx.state.swapped = swapped
  return swapped
end

return {
  api = 1,
  summary = "Share all memory in proportion to what each domain prefers (Qubes qmemman)",
  params = {
    margin = { default = 1.3, doc = "a domain prefers this many times the memory that it uses" },
    min_preference = { default = "200MiB", doc = "no domain prefers less" },
    min_gift = { default = "10MiB", doc = "in scarcity no domain gives less than this" },
    min_move = { default = "150MiB", doc = "moves that add up to less than this are not made" },
    min_gain = { default = "15MiB", doc = "unless a short domain gains, or the host lacks, more than this" },
    swap_half_life = { default = 300.0, doc = "seconds after which swapped memory is half forgotten" },
  },

  tick = function(ctx)
    local p, swapped = ctx.params, watch_swap(ctx)
    local domains, preferred = {}, 0
    local spare = ctx.host.grantable - ctx.host.shortfall
    local total = spare
    for _, d in ipairs(ctx.domains) do
      local wish = math.floor(p.margin * (d.actual - d.headroom + swapped[d.uuid]))
      local one = { domain = d, actual = d.actual + math.max(d.in_flight, 0), maximum = d.maximum }
      one.preferred = math.min(math.max(wish, p.min_preference, d.minimum), d.maximum)
      one.target = one.actual
      local stuck = d.in_flight < 0 and d.reclaimable == 0 and d.actual >= one.preferred
      if not stuck then
        domains[#domains + 1] = one
        total, preferred = total + one.actual, preferred + one.preferred
      end
    end

    local scarce = total <= preferred
    if scarce then in_scarcity(spare, domains, p) else in_proportion(total, preferred, domains) end
    if not are_large_enough(spare, domains, p) then return end
    for _, one in ipairs(domains) do
      if one.target ~= one.actual then
        one.domain:set(math.floor(one.target),
          scarce and "its part of too little" or "its part of all memory")
      end
    end
  end,
}
