-- Percent band: keep a guest's usable memory between two shares of its size.
--
-- A domain with less than `low` of its size usable grows, a domain with more than `high` shrinks: to
-- the size at which its present use of memory puts it in the middle of the band. The policy treats each
-- domain by itself; the guard makes sure that the host has the memory.
--
-- Source: a script that many hosts run from cron, in one form or another.
-- Different here: those scripts run once a minute or less often, set the balloon at once and consider
-- no other domain. The guard keeps every domain above its floor on the way.

return {
  api = 1,
  summary = "Keep usable memory between two shares of a domain's size (the script from cron)",
  params = {
    low = { default = 0.25, doc = "a domain with a smaller share usable grows" },
    high = { default = 0.35, doc = "a domain with a larger share usable shrinks" },
  },

  tick = function(ctx)
    local p = ctx.params
    assert(p.low <= p.high and p.high < 1, "low and high are shares under 1, low the smaller")
    for _, d in ipairs(ctx.domains) do
      local share = d.usable / d.actual
      if share < p.low or share > p.high then
        local used = d.actual - d.usable
        local wanted = math.floor(used / (1 - (p.low + p.high) / 2))
        local target = math.min(math.max(wanted, d.minimum), d.maximum)
        if target ~= d.actual then
          d:set(target, share < p.low and "under its band" or "over its band")
        end
      end
    end
  end,
}
