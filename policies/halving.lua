-- Halving: when one domain starves while another wastes memory, halve the wasteful one and give the
-- same amount to the starved one.
--
-- A domain is starved when its headroom is under `starved_below`, and wasteful when it is over
-- `wasteful_above`. Each tick looks at the most starved and the most wasteful domain:
--
--   starved and wasteful     halve the wasteful one; the starved one grows by what that one gives
--   starved, none wasteful   the host gives the starved one `wasteful_above` more
--   wasteful, none starved   the wasteful one returns `wasteful_above` to the host
--   neither                  nothing
--
-- The wasteful one gives half of what it has, or as much of that as the guard lets it give in one
-- tick (`releasable`); the starved one grows by the same amount. A domain that cannot give counts as
-- not wasteful (it is down to its minimum, has just started, or has not followed its last shrink),
-- one that has its maximum as not starved. So the host feeds the starved one where nobody can.
--
-- Source: a classic threshold algorithm, the one that most courses on memory coordination begin with.

local function can_grow(d) return d.actual < d.maximum end
local function can_give(d) return d.releasable > 0 end

-- The domain with the least headroom (or the most) among those that are able to. Nearly always that
-- is the very first one, which the engine finds faster than a loop does.
local function pick(domains, which, is_able)
  local first = domains[which](domains, "headroom")
  if not first or is_able(first) then return first end
  local sign, best = which == "least" and 1 or -1, nil
  for _, d in ipairs(domains) do
    if is_able(d) and (not best or sign * d.headroom < sign * best.headroom) then best = d end
  end
  return best
end

return {
  api = 1,
  summary = "Halve the most wasteful domain to feed the most starved one",
  params = {
    starved_below = { default = "150MiB", doc = "a domain with less headroom is starved" },
    wasteful_above = { default = "300MiB", doc = "a domain with more headroom wastes memory" },
    halve = {
      default = "memory",
      choices = { "memory", "headroom" },
      doc = "what is halved of the wasteful domain: all of its memory, or only its headroom",
    },
  },

  tick = function(ctx)
    local p = ctx.params
    assert(p.starved_below <= p.wasteful_above, "starved_below is over wasteful_above")
    local starved = pick(ctx.domains, "least", can_grow)
    local wasteful = pick(ctx.domains, "most", can_give)
    if starved and starved.headroom >= p.starved_below then starved = nil end
    if wasteful and wasteful.headroom <= p.wasteful_above then wasteful = nil end

    if starved and wasteful then
      local half = (p.halve == "memory" and wasteful.actual or wasteful.headroom) // 2
      wasteful:shrink(half, "halved to feed " .. starved.name)
      starved:grow(math.min(half, wasteful.releasable), "fed by " .. wasteful.name)
    elseif starved then
      starved:grow(p.wasteful_above, "fed by the host")
    elseif wasteful then
      wasteful:shrink(p.wasteful_above, "returned to the host")
    end
  end,
}
