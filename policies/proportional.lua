-- Proportional: share all memory in proportion to what each domain prefers to have.
--
-- A domain prefers `margin` times what it uses, at least `least`, at most its maximum. While there is
-- enough for everyone's preference, all memory is shared out in proportion to it, what would pass
-- one domain's maximum among the others. In scarcity those who have more than they prefer go down
-- to that first, and the others share what is left in proportion to their preference.
--
-- Memory that was assigned but is not used yet counts as taken, and a domain whose balloon has not
-- arrived where it was told to is left out. Nothing moves for less than `worth_it` in all, unless a
-- domain under its preference would gain more than `worth_it_to_one`.
--
-- Source: qmemman, the memory manager of Qubes OS.
-- Different here: qmemman reacts to every report of a guest and hands memory over in turns, waiting
-- for each donor; here a tick is one step, and the engine gives out what the donors really freed.

-- Splits `total` in proportion to the domains' preference; what one cannot take goes to the rest.
local function in_proportion(total, domains)
  repeat
    local preferred, left, full = 0, {}, false
    for _, one in ipairs(domains) do preferred = preferred + one.preferred end
    local scale = total / preferred
    for _, one in ipairs(domains) do
      if scale * one.preferred >= one.maximum then
        one.target, total, full = one.maximum, total - one.maximum, true
      else
        one.target = math.floor(scale * one.preferred)
        left[#left + 1] = one
      end
    end
    domains = left
  until not full or #domains == 0
end

-- Those who have enough give what they do not prefer to have; the others share the rest.
local function in_scarcity(total, domains)
  local short, preferred = {}, 0
  for _, one in ipairs(domains) do
    if one.actual >= one.preferred then
      one.target, total = one.preferred, total - one.preferred
    else
      short[#short + 1] = one
      preferred = preferred + one.preferred
    end
  end
  -- What the host owes may be more than is left; a target has to be something.
  for _, one in ipairs(short) do one.target = math.max(1, math.floor(total * one.preferred / preferred)) end
end

-- Whether the moves are worth the trouble: many small ones in sum, or one for a domain in need.
local function is_worth_it(domains, p)
  local moved = 0
  for _, one in ipairs(domains) do
    local change = one.target - one.actual
    if one.actual < one.preferred and change > p.worth_it_to_one then return true end
    moved = moved + math.abs(change)
  end
  return moved > p.worth_it
end

return {
  api = 1,
  summary = "Share all memory in proportion to what each domain prefers (Qubes qmemman)",
  params = {
    margin = { default = 1.3, doc = "a domain prefers so many times what it uses" },
    least = { default = "200MiB", doc = "no domain prefers less" },
    worth_it = { default = "150MiB", doc = "moves of less than this in sum are not made" },
    worth_it_to_one = { default = "15MiB", doc = "but for a domain under its preference, of this" },
  },

  tick = function(ctx)
    local p = ctx.params
    local domains, total, preferred = {}, ctx.host.grantable - ctx.host.owed, 0
    for _, d in ipairs(ctx.domains) do
      if d.in_flight == 0 then
        local wish = math.floor(p.margin * (d.actual - d.headroom))
        local one = { domain = d, actual = d.actual, maximum = d.maximum }
        one.preferred = math.min(math.max(wish, p.least, d.minimum), d.maximum)
        domains[#domains + 1] = one
        total = total + one.actual
        preferred = preferred + one.preferred
      end
    end
    if #domains == 0 or total <= 0 then return end

    local scarce = total < preferred
    if scarce then in_scarcity(total, domains) else in_proportion(total, domains) end
    if not is_worth_it(domains, p) then return end
    for _, one in ipairs(domains) do
      if one.target ~= one.actual then
        one.domain:set(one.target, scarce and "its part of too little" or "its part of all memory")
      end
    end
  end,
}
