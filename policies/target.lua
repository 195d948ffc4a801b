-- Target: keep every domain's headroom near one target, in fixed steps: two up, one down.
--
-- A domain under the target gets two steps of memory, one above it gives one step back. Before
-- anything is given, the host must have twice the target for every domain; while it has not,
-- nothing is given, and taking back goes on. So memory leaves a full host's guests until there is a
-- reserve again. The reserve is checked on what the host has as the tick starts: what this tick takes
-- back counts from the next one on.
--
-- Growing faster than shrinking makes up for what a starving guest loses while it waits, and keeps
-- one whose need goes up and down from being caught short.
--
-- Source: a classic threshold algorithm, with a set point in place of two thresholds.

return {
  api = 1,
  summary = "Keep every domain's headroom at a target, two steps up and one step down",
  params = {
    target = { default = "150000KiB", doc = "headroom that every domain should have" },
    step = { default = "50000KiB", doc = "one step" },
  },

  tick = function(ctx)
    local p = ctx.params
    -- Those that only wait for their next report will want their part of the reserve too; excluded
    -- domains, which no rule holds, will not.
    local domains = #ctx.domains
    for _, d in ipairs(ctx.silent) do
      if d.rule ~= "" then domains = domains + 1 end
    end
    local may_give = ctx.host.headroom >= 2 * p.target * domains

    for _, d in ipairs(ctx.domains) do
      if d.headroom > p.target and d.actual > d.minimum then
        d:shrink(p.step, "above its target")
      elseif d.headroom < p.target and d.actual < d.maximum then
        if may_give then
          d:grow(2 * p.step, "under its target")
        else
          d:hold("under its target, but the host keeps its reserve")
        end
      end
    end
  end,
}
