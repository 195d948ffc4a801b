-- Band: keep every domain's headroom between two bounds, by large steps up and small steps down.
--
-- A domain with less headroom than `low` grows by `up`, a domain with more than `high` shrinks by
-- `down`. Within the band nothing moves. The band is wider than a step down, so a domain that shrinks
-- into it stays there, and no balloon moves back and forth.
--
-- No domain shrinks below `safe_minimum`, even if it has more headroom: an idle kernel and its services
-- need about that much when they become active again. A step stops there.
--
-- A step up comes at any tick, once the one before has arrived. Steps down are a second apart at least.
--
-- Source: a classic threshold algorithm with hysteresis.

-- The headroom that a domain will have when its balloon has arrived.
local function coming(d) return d.headroom + math.max(d.in_flight, 0) end

return {
  api = 1,
  summary = "Keep headroom between two bounds by fixed steps, never below a safe minimum",
  params = {
    low = { default = "100MiB", doc = "a domain with less headroom grows" },
    high = { default = "200MiB", doc = "a domain with more headroom shrinks" },
    up = { default = "100MiB", doc = "by how much a domain grows in a tick" },
    down = { default = "50MiB", doc = "by how much a domain shrinks in a tick" },
    safe_minimum = { default = "192MiB", doc = "no domain is shrunk below this size" },
  },

  tick = function(ctx)
    local p = ctx.params
    assert(p.low <= p.high, "low is over high")
    local due = ctx.every(1)
    for _, d in ipairs(ctx.domains) do
      local least = math.max(p.safe_minimum, d.minimum)
      if coming(d) < p.low and d.actual < d.maximum then
        d:grow(p.up, "under its band")
      elseif due and d.headroom > p.high and d.actual > least then
        d:set(math.max(d.actual - p.down, least), "over its band")
      end
    end
  end,
}
