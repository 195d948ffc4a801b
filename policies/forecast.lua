-- Forecast: a weighted average predicts what each guest will use, and balloons follow the prediction.
--
-- Each tick brings the average of what a guest uses nearer to what it uses now; the distance halves in
-- `half_life` seconds. The forecast is the average, and never less than the guest uses now. So a guest
-- gets memory at once when its use rises, and keeps it for a while when its use falls.
--
-- A domain wants the size of which its forecast is the part `busy`, and at least `spare` above its
-- forecast. A domain that has less is short, and grows. A domain that has more keeps its surplus until
-- the host lacks memory for the short ones; then each gives the same part of its surplus. If all surplus
-- is not enough, memory is divided anew: forecasts first, then margins, by weight. Changes under
-- `min_move` are made only where a domain has less than its forecast and half of `spare`.
--
-- Source: Q. Zhang, L. Liu, J. Ren, G. Su, A. Iyengar, "iBalloon: Efficient VM Memory Balancing as a
-- Service", ICWS 2016: balloons balanced by demand that is predicted from cheap figures, by moving averages.
-- Different here:
-- - The original watches guests from inside as well. memcoord has the balloon's figures alone.
-- - The average is over time, for ticks of any length, and present use is the least that is forecast: a
--   plain average is late in every rise.
-- - This file follows the paper's abstract. What it leaves open is memcoord's choice: the half-life, the
--   margins and the division.

-- What each guest is forecast to use. The average of a guest that was skipped moves on when it returns, by
-- all the time in between.
local function predict(ctx)
  local old, seen, forecasts = ctx.state.seen or {}, {}, {}
  local now = (ctx.state.now or 0) + ctx.seconds
  for _, d in ipairs(ctx.skipped) do seen[d.uuid] = old[d.uuid] end
  for i, d in ipairs(ctx.domains) do
    local used = d.actual - d.headroom
    local past = old[d.uuid] or { average = used, at = now }
    local average = used + (past.average - used) * 0.5 ^ ((now - past.at) / ctx.params.half_life)
    seen[d.uuid] = { average = average, at = now }
    forecasts[i] = math.ceil(math.max(average, used))
  end
  ctx.state.seen, ctx.state.now = seen, now
  return forecasts
end

-- What each domain has and wants, and the sums of what is lacking and of what is over.
local function compare(ctx, forecasts)
  local p, guests = ctx.params, { lack = 0, surplus = 0 }
  for i, d in ipairs(ctx.domains) do
    local wish = math.max(math.ceil(forecasts[i] / p.busy), forecasts[i] + p.spare, d.minimum)
    local g = { domain = d, size = d.actual + math.max(d.in_flight, 0), wanted = math.min(wish, d.maximum) }
    g.forecast = math.min(forecasts[i], g.wanted)
    g.surplus = math.max(g.size - g.wanted, 0)
    guests[i] = g
    guests.lack = guests.lack + math.max(g.wanted - g.size, 0)
    guests.surplus = guests.surplus + g.surplus
  end
  return guests
end

local function balance(guests, needed)
  for _, g in ipairs(guests) do
    g.target = g.surplus > 0 and g.size - math.ceil(g.surplus * needed / guests.surplus) or g.wanted
  end
end

local function ration(guests, total)
  local forecasts, margins, weights = {}, {}, {}
  for i, g in ipairs(guests) do
    forecasts[i], margins[i], weights[i] = g.forecast, g.wanted - g.forecast, g.domain.weight
    total = total + g.size
  end
  local first = fair_share(total, forecasts, weights)
  for _, part in ipairs(first) do total = total - part end
  for i, part in ipairs(fair_share(total, margins, weights)) do guests[i].target = first[i] + part end
end

return {
  api = 1,
  summary = "Give every domain what a moving average forecasts, and a margin (iBalloon)",
  params = {
    half_life = { default = 60.0, doc = "seconds until half of a change is in the average" },
    busy = { default = 0.8, doc = "part of its size that a domain should use at most" },
    spare = { default = "100MiB", doc = "least memory that a domain gets above its forecast" },
    min_move = { default = "16MiB", doc = "smaller changes are made only where a domain is near its forecast" },
  },

  tick = function(ctx)
    local p, available = ctx.params, ctx.host.grantable - ctx.host.shortfall
    assert(p.half_life > 0, "half_life is over 0")
    assert(p.busy > 0 and p.busy <= 1, "busy is over 0, and at most 1")
    local guests = compare(ctx, predict(ctx))
    local needed = math.max(guests.lack - available, 0)
    local enough = needed <= guests.surplus
    if enough then balance(guests, needed) else ration(guests, available) end
    for _, g in ipairs(guests) do
      local near = g.size < g.forecast + p.spare / 2
      if g.target ~= g.size and (near or math.abs(g.target - g.size) >= p.min_move) then
        local why = g.target > g.size and "forecast to need it" or "others are forecast to need it"
        g.domain:set(g.target, enough and why or "its part of too little")
      end
    end
  end,
}
