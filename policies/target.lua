-- Target: keep every domain's headroom at one target, in steps: two up, one down.
--
-- A domain with less headroom than `headroom` gets two steps, one with more gives one step back. Before
-- anything is given, the host must have twice the target for every domain; while it has not, nothing
-- is given, and taking back goes on.
--
-- Source: the fixed-step variant of the classic threshold algorithm, as it is taught.

return {
  api = 1,
  summary = "Keep every domain's headroom at a target, two steps up and one step down",
  params = {
    headroom = { default = "150000KiB", doc = "headroom that every domain should have" },
    step = { default = "50000KiB", doc = "one step" },
  },

  tick = function(ctx)
    local target, step = ctx.params.headroom, ctx.params.step
    local reserve = 2 * target * #ctx.domains
    local may_give = ctx.host.headroom >= reserve

    for _, d in ipairs(ctx.domains) do
      if d.headroom < target then
        local amount = math.min(2 * step, d.maximum - d.actual)
        if not may_give then
          d:hold("the host keeps its reserve")
        elseif amount > 0 then
          d:grow(amount, "under its target")
        end
      elseif d.headroom > target then
        d:shrink(step, "over its target")
      end
    end
  end,
}
