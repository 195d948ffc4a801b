-- Band: keep every domain's headroom within a band, by fixed steps: small ones down, large ones up.
--
-- A domain under `low` grows by `up`, one over `high` shrinks by `down`; within the band nothing moves.
-- No domain is shrunk below `least`, whatever headroom it has: kernels and their services need
-- that to start again.
--
-- Source: the hysteresis variant of the classic threshold algorithm, as it is taught.

return {
  api = 1,
  summary = "Keep headroom between two bounds by fixed steps, never below a safe minimum",
  params = {
    low = { default = "100MiB", doc = "a domain with less headroom grows" },
    high = { default = "200MiB", doc = "a domain with more headroom shrinks" },
    up = { default = "100MiB", doc = "how much it grows in one tick" },
    down = { default = "50MiB", doc = "how much it shrinks in one tick" },
    least = { default = "192MiB", doc = "no domain is shrunk below this size" },
  },

  tick = function(ctx)
    local p = ctx.params
    for _, d in ipairs(ctx.domains) do
      if d.headroom < p.low then
        local target = math.min(d.actual + p.up, d.maximum)
        if target > d.actual then d:set(target, "under its band") end
      elseif d.headroom > p.high then
        local target = math.max(d.actual - p.down, p.least, d.minimum)
        if target < d.actual then d:set(target, "over its band") end
      end
    end
  end,
}
