-- Gradual: claim a little from everyone who has plenty, and give a falling domain twice what it lacks.
--
-- A domain with more than twice `threshold` of headroom has a tenth of it claimed. A domain under the
-- threshold whose headroom is falling requires twice the difference. While the host can serve all
-- that is required, everyone gets theirs. When it cannot, that is a crunch: a tenth is claimed from
-- every domain with headroom to spare, over twice the threshold or not, and what the host then has
-- is given in near-equal shares.
--
-- A domain that is seen for the first time counts as falling: it is better served once too often
-- than an interval too late.
--
-- What the host then has is measured, not assumed: the engine applies a tick's claims first, takes
-- the host's statistics again, and gives out what is really there. A domain that is left short asks
-- again at its next report, falling or not, so that it is served as the claims of the ticks between
-- come in.
--
-- Source: a classic threshold algorithm, from the same school as halving.lua; the shares are
-- max-min fair: nobody gets more than it asked for, and what one leaves goes to the others.

return {
  api = 1,
  summary = "Claim a tenth from the wasteful; give falling domains twice what they lack",
  params = {
    threshold = { default = "150MiB", doc = "headroom that a domain should have" },
    claim = { default = 0.1, doc = "share of a domain's headroom that one tick claims" },
  },

  tick = function(ctx)
    local threshold, claim = ctx.params.threshold, ctx.params.claim
    -- What headroom each domain had when it was last seen. One that is new counts as falling.
    local seen, now = ctx.state.seen or {}, {}

    local needs, amounts, required = {}, {}, 0
    for _, d in ipairs(ctx.domains) do
      local headroom, last = d.headroom, seen[d.uuid]
      now[d.uuid] = headroom
      local falling = not last or headroom < last
      if headroom < threshold and falling and d.actual < d.maximum then
        local amount = math.min(2 * (threshold - headroom), d.maximum - d.actual)
        needs[#needs + 1], amounts[#amounts + 1] = d, amount
        required = required + amount
      end
    end

    local available = ctx.host.grantable - ctx.host.owed
    local crunch = required > 0 and required > available
    local claimed = 0
    for _, d in ipairs(ctx.domains) do
      local headroom = d.headroom
      local plenty = headroom > 2 * threshold
      if (plenty or crunch and headroom > threshold) and d.actual > d.minimum then
        -- What lifts one domain over the threshold must not push another under it.
        local amount = math.min(math.floor(claim * headroom), headroom - threshold)
        d:shrink(amount, plenty and "claimed from plenty" or "claimed in a crunch")
        claimed = claimed + amount
      end
    end

    local shares = fair_share(crunch and available + claimed or required, amounts)
    for i, d in ipairs(needs) do
      if shares[i] > 0 then
        d:grow(shares[i], crunch and "a near-equal share" or "twice what it lacks")
      else
        d:hold("nobody has anything to give")
      end
      -- A domain that is left short counts as falling when it is seen next.
      if shares[i] < amounts[i] then now[d.uuid] = math.huge end
    end

    -- Domains that wait for a report after a move are out of sight, not out of mind.
    for _, d in ipairs(ctx.silent) do now[d.uuid] = seen[d.uuid] end
    ctx.state.seen = now
  end,
}
