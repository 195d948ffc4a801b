-- Forecast: a weighted average predicts what each guest will use, and balloons follow the prediction.
--
-- Each tick brings the average of what a guest uses nearer to what it uses now; the distance halves in
-- `half_life` seconds. Where use rises, the average lags behind it, and the forecast leads by `lead` times
-- that lag. Where use falls, the forecast is the average, so that the guest keeps its memory for a while.
--
-- A domain wants the memory at which it would use the part `busy` of its size, or `spare` more than its
-- forecast if that is larger. With less than that it is short, and grows to what it wants. A domain that
-- would use less than the part `idle` of its size can give down to what it wants. The domains between
-- are left alone. The host gives first; what it lacks comes from the domains that can give, each the same
-- part of what it can. If that is not enough, the short domains share it by weight.
--
-- Source: Q. Zhang, L. Liu, J. Ren, G. Su, A. Iyengar, "iBalloon: Efficient VM Memory Balancing as a
-- Service", ICWS 2016: prediction by an exponentially weighted moving average, and balancing by it.
-- Different here:
-- - A monitor in each of the paper's guests reads its kernel's figures. memcoord has the balloon's.
-- - The average is over time, for ticks of any length; the original's is over samples.
-- - A plain average is late in every rise: `lead` is added here (0 is the plain average).
-- - The bounds and the division among short domains are chosen here.

local function predict(ctx)
  local old, averages, forecasts = ctx.state.averages or {}, {}, {}
  local kept = 0.5 ^ (ctx.seconds / ctx.params.half_life)
  for _, d in ipairs(ctx.skipped) do averages[d.uuid] = old[d.uuid] end
  for i, d in ipairs(ctx.domains) do
    local used = d.actual - d.headroom
    local average = used + ((old[d.uuid] or used) - used) * kept
    averages[d.uuid] = average
    forecasts[i] = math.ceil(math.max(average, used + ctx.params.lead * (used - average)))
  end
  ctx.state.averages = averages
  return forecasts
end

-- The domains that are short with what they lack, and those that can give with what they can give.
local function classify(ctx, forecasts)
  local p, short, givers = ctx.params, { lack = 0 }, { surplus = 0 }
  for i, d in ipairs(ctx.domains) do
    local wish = math.max(math.ceil(forecasts[i] / p.busy), forecasts[i] + p.spare)
    local wanted = math.min(math.max(wish, d.minimum), d.maximum)
    local size = d.actual + math.max(d.in_flight, 0)
    if size < wanted then
      short[#short + 1] = { domain = d, size = size, lack = wanted - size }
      short.lack = short.lack + wanted - size
    elseif forecasts[i] < p.idle * size then
      local surplus = math.min(size - wanted, d.reclaimable)
      givers[#givers + 1] = { domain = d, surplus = surplus }
      givers.surplus = givers.surplus + surplus
    end
  end
  return short, givers
end

local function take(givers, amount)
  local part = math.min(amount / math.max(givers.surplus, 1), 1)
  for _, g in ipairs(givers) do
    local given = math.ceil(g.surplus * part)
    if given > 0 then g.domain:shrink(given, "others are forecast to need it") end
  end
end

local function give(short, supply)
  local wants, weights = {}, {}
  for i, s in ipairs(short) do wants[i], weights[i] = s.lack, s.domain.weight end
  for i, part in ipairs(fair_share(supply, wants, weights)) do
    if part > 0 then short[i].domain:set(short[i].size + part, "forecast to need it") end
  end
end

return {
  api = 1,
  summary = "Give every domain what a moving average forecasts, and a margin (iBalloon)",
  params = {
    half_life = { default = 10.0, doc = "seconds until half of a change is in the average" },
    lead = { default = 1.0, doc = "how far the forecast leads a rise, as a multiple of the average's lag" },
    busy = { default = 0.8, doc = "part of its size that a domain should use at most" },
    idle = { default = 0.7, doc = "a domain that uses a smaller part of its size can give" },
    spare = { default = "100MiB", doc = "least memory that a domain gets above its forecast" },
  },

  tick = function(ctx)
    assert(ctx.params.idle <= ctx.params.busy and ctx.params.half_life > 0,
      "idle is at most busy, and half_life is over 0")
    local short, givers = classify(ctx, predict(ctx))
    local available = ctx.host.grantable - ctx.host.shortfall
    take(givers, math.max(short.lack - available, 0))
    give(short, available + givers.surplus)
  end,
}
