-- Gradual: take a little from every domain with plenty, and give a falling domain twice what it lacks.
--
-- A tick claims a tenth of the headroom of a domain that has more than twice `threshold`. A domain
-- under the threshold whose headroom is falling requires twice the difference. While the host can
-- serve all that is required, every domain gets its part. When it cannot, that is a crunch: the tick
-- claims a tenth from every domain with more headroom than the threshold, and gives what the host then
-- has in near-equal shares.
--
-- A new domain counts as falling: serving it once too often costs less than serving it an interval too
-- late.
--
-- The engine applies a tick's claims first, samples the host again and then grants the memory that the
-- host has. A domain that is left short asks again at its next report, falling or not, so that it gets
-- the claims of the following ticks.
--
-- Claims are a second apart at least, however often ticks come. What is on its way to a domain counts as
-- its headroom.
--
-- Source: a classic threshold algorithm, similar to halving.lua. The shares are max-min fair: no domain
-- gets more than it requires, and the rest goes to the others.

return {
  api = 1,
  summary = "Claim a tenth from the wasteful; give falling domains twice what they lack",
  params = {
    threshold = { default = "150MiB", doc = "headroom that a domain should have" },
    claim = { default = 0.1, doc = "part of a domain's headroom that one tick claims" },
  },

  tick = function(ctx)
    local threshold, claim, due = ctx.params.threshold, ctx.params.claim, ctx.every(1)
    -- Each domain's headroom at the policy's last tick with it.
    local before, now = ctx.state.headroom or {}, {}

    local needs, amounts, required = {}, {}, 0
    for _, d in ipairs(ctx.domains) do
      local coming = math.max(d.in_flight, 0)
      local headroom, last = d.headroom + coming, before[d.uuid]
      now[d.uuid] = headroom
      local falling = not last or headroom < last
      local room = d.maximum - d.actual - coming
      if headroom < threshold and falling and room > 0 then
        local amount = math.min(2 * (threshold - headroom), room)
        needs[#needs + 1], amounts[#amounts + 1] = d, amount
        required = required + amount
      end
    end

    local available = ctx.host.grantable - ctx.host.shortfall
    local crunch = required > 0 and required > available
    local claimed = 0
    for _, d in ipairs(ctx.domains) do
      local headroom = d.headroom
      local plenty = headroom > 2 * threshold
      if due and (plenty or crunch and headroom > threshold) and d.actual > d.minimum then
        -- A claim leaves its domain the threshold.
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
        d:hold("no memory is available")
      end
      -- A domain that is left short counts as falling in its next tick.
      if shares[i] < amounts[i] then now[d.uuid] = math.huge end
    end

    -- A domain that waits for a report after a move is not new when it returns.
    for _, d in ipairs(ctx.skipped) do now[d.uuid] = before[d.uuid] end
    ctx.state.headroom = now
  end,
}
