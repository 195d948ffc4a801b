-- Gradual: claim a little from everyone who has plenty, and give a falling domain twice what it lacks.
--
-- A domain with more than twice `threshold` of headroom has a tenth of it claimed. A domain under the
-- threshold whose headroom is falling requires twice the difference. When the host has all that is
-- required, everyone gets theirs. When it has not, that is a crunch: a tenth is claimed from every
-- domain with headroom to spare, twice the threshold or not, and what the host then has is given out
-- in near-equal shares.
--
-- "The host then has" is measured, not assumed: the engine applies the claims first, looks at the
-- host again, and gives no more than is really there, fairly. A domain that still lacks memory at
-- its next tick asks again, falling or not.
--
-- Source: the gradual variant of the classic threshold algorithm, as it is taught.

-- What is required beyond the share of one that wants less goes to the others.
local function near_equal_shares(total, needy)
  table.sort(needy, function(a, b) return a.amount < b.amount end)
  for i, need in ipairs(needy) do
    need.share = math.min(need.amount, total // (#needy - i + 1))
    total = total - need.share
  end
end

return {
  api = 1,
  summary = "Claim a tenth from the wasteful; give falling domains twice what they lack",
  params = {
    threshold = { default = "150MiB", doc = "headroom that a domain should have" },
    claim = { default = 0.1, doc = "share of its headroom claimed from a domain in one tick" },
  },

  tick = function(ctx)
    local threshold, share = ctx.params.threshold, ctx.params.claim
    local last, now = ctx.state.headroom or {}, {}
    local waiting, still_waiting = ctx.state.waiting or {}, {}

    local needy, required = {}, 0
    for _, d in ipairs(ctx.domains) do
      now[d.uuid] = d.headroom
      local falling = last[d.uuid] == nil or d.headroom < last[d.uuid] or waiting[d.uuid]
      if d.headroom < threshold and falling then
        local amount = math.min(2 * (threshold - d.headroom), d.maximum - d.actual)
        if amount > 0 then
          needy[#needy + 1] = { domain = d, amount = amount }
          required = required + amount
        end
      end
    end

    local crunch = required > ctx.host.grantable
    local claimed = 0
    for _, d in ipairs(ctx.domains) do
      if d.headroom > 2 * threshold or (crunch and d.headroom > threshold) then
        local amount = math.floor(d.headroom * share)
        d:shrink(amount, crunch and "claimed in a crunch" or "a tenth of its headroom claimed")
        claimed = claimed + amount
      end
    end

    near_equal_shares(crunch and ctx.host.grantable + claimed or required, needy)
    for _, need in ipairs(needy) do
      local d = need.domain
      if need.share > 0 then
        d:grow(need.share, crunch and "a near-equal share" or "twice what it lacked")
      end
      if need.share < need.amount then still_waiting[d.uuid] = true end
    end
    ctx.state.headroom, ctx.state.waiting = now, still_waiting
  end,
}
