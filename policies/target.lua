-- Target: keep every domain's headroom near one target, by two steps up and one step down.
--
-- A domain under the target gets two steps of memory, a domain above it gives one step back. Before a
-- tick gives anything, the host must have twice the target for every domain. While it has less, domains
-- only give, until the host has its reserve again. The policy checks the reserve as the tick starts, so
-- that what a tick takes counts from the next tick on.
--
-- Domains grow faster than they shrink, because a starved domain has to catch up after it has waited.
-- This also protects a domain whose need goes up and down. Two steps up come at any tick, once those
-- before have arrived; steps down are a second apart at least.
--
-- Source: a classic threshold algorithm, with a set point in place of two thresholds.

-- The headroom that a domain will have when its balloon has arrived.
local function coming(d) return d.headroom + math.max(d.in_flight, 0) end

return {
  api = 1,
  summary = "Keep every domain's headroom at a target, two steps up and one step down",
  params = {
    target = { default = "150000KiB", doc = "headroom that every domain should have" },
    step = { default = "50000KiB", doc = "one step" },
  },

  tick = function(ctx)
    local p, due = ctx.params, ctx.every(1)
    -- A domain that only waits for its next report needs its part of the reserve. An excluded domain,
    -- for which no rule stands, does not.
    local domains = #ctx.domains
    for _, d in ipairs(ctx.skipped) do
      if d.rule ~= "" then domains = domains + 1 end
    end
    local may_give = ctx.host.headroom >= 2 * p.target * domains

    for _, d in ipairs(ctx.domains) do
      if due and d.headroom > p.target and d.actual > d.minimum then
        d:shrink(p.step, "above its target")
      elseif coming(d) < p.target and d.actual < d.maximum then
        if may_give then
          d:grow(2 * p.step, "under its target")
        else
          d:hold("under its target, but the host keeps its reserve")
        end
      end
    end
  end,
}
