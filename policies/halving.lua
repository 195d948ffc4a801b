-- Halving: when one domain starves while another wastes memory, halve the wasteful one and give the
-- same amount to the starved one.
--
-- A domain with less headroom than `starved_below` is starved, one with more than `wasteful_above` is
-- wasteful. Each tick considers the most starved and the most wasteful domain:
--
--   starved and wasteful     the wasteful domain is halved, and the starved one grows by that amount
--   starved, none wasteful   the starved domain gets `wasteful_above` from the host
--   wasteful, none starved   the wasteful domain returns `wasteful_above` to the host
--   neither                  nothing
--
-- The wasteful domain gives half of its memory, or less if the guard allows less in one tick
-- (`reclaimable`). A domain that can give nothing does not count as wasteful: it is at its minimum, has
-- just started, or has not followed its last shrink. A domain at its maximum does not count as starved.
-- If no domain can give, the starved domain gets memory from the host.
--
-- A starved domain is fed at any tick, once what it was fed before has arrived. Where none is starved,
-- memory returns to the host in steps that are a second apart at least.
--
-- Source: a classic threshold algorithm, the one that most courses on memory coordination begin with.

local function can_grow(d) return d.actual < d.maximum end
local function can_give(d) return d.reclaimable > 0 end

-- In nearly every tick the first candidate can grow or give; then these functions make no list.

local function most_starved(domains)
  local starved = domains:min_by("headroom")
  if not starved or can_grow(starved) then return starved end
  return domains:filter(can_grow):min_by("headroom")
end

local function most_wasteful(domains)
  local wasteful = domains:max_by("headroom")
  if not wasteful or can_give(wasteful) then return wasteful end
  return domains:filter(can_give):max_by("headroom")
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
      doc = "the part of the wasteful domain that is halved: all of its memory, or its headroom",
    },
  },

  tick = function(ctx)
    local p = ctx.params
    assert(p.starved_below <= p.wasteful_above, "starved_below is over wasteful_above")
    local due = ctx.every(1)
    local starved = most_starved(ctx.domains)
    local wasteful = most_wasteful(ctx.domains)
    local fed = starved and starved.headroom + math.max(starved.in_flight, 0) >= p.starved_below
    if fed then starved = nil end
    if wasteful and wasteful.headroom <= p.wasteful_above then wasteful = nil end

    if starved and wasteful then
      local half = (p.halve == "memory" and wasteful.actual or wasteful.headroom) // 2
      wasteful:shrink(half, "halved to feed " .. starved.name)
      starved:grow(math.min(half, wasteful.reclaimable), "fed by " .. wasteful.name)
    elseif starved then
      starved:grow(p.wasteful_above, "fed by the host")
    elseif wasteful and due then
      wasteful:shrink(p.wasteful_above, "returned to the host")
    end
  end,
}
