-- Buffer: every domain gets the memory that it uses, and a buffer on top.
--
-- A domain's demand is the memory that it uses. It wants its demand and `buffer` of it more, between
-- its minimum and its maximum. A domain that has less grows to what it wants. A domain that has more
-- keeps its surplus until others need it or the host has a shortfall; then each domain gives the same
-- part of its surplus. If all surplus together is not enough, every domain gets its minimum first,
-- and the rest is shared by weight, up to what each domain wants.
--
-- Source: Dynamic Memory of Microsoft Hyper-V (memory demand, buffer, weight).
-- Different here: Hyper-V measures demand by the guest's commit charge and hot-adds memory. memcoord
-- counts memory that is not headroom as demand, and moves the balloon.

-- Every domain gets its minimum, and its part of the rest by weight, up to what it wants.
local function by_weight(total, domains)
  local wants, weights = {}, {}
  for i, one in ipairs(domains) do
    total = total - one.minimum
    wants[i], weights[i] = one.wanted - one.minimum, one.domain.weight
  end
  for i, part in ipairs(fair_share(total, wants, weights)) do
    domains[i].target = domains[i].minimum + part
  end
end

return {
  api = 1,
  summary = "Give every domain what it uses and a buffer on top (Hyper-V Dynamic Memory)",
  params = {
    buffer = { default = 0.2, doc = "part of its demand that a domain gets on top" },
  },

  tick = function(ctx)
    local available = ctx.host.grantable - ctx.host.shortfall
    local domains, missing, surplus, total = {}, 0, 0, available
    for _, d in ipairs(ctx.domains) do
      local demand = d.actual - d.headroom
      local one = { domain = d, actual = d.actual + math.max(d.in_flight, 0) } -- what it was promised
      one.minimum = math.min(d.minimum, d.maximum)
      one.wanted = math.min(math.max(math.ceil(demand * (1 + ctx.params.buffer)), one.minimum), d.maximum)
      domains[#domains + 1] = one
      missing = missing + math.max(one.wanted - one.actual, 0)
      surplus = surplus + math.max(one.actual - one.wanted, 0)
      total = total + one.actual
    end

    local scarce = missing > available + surplus
    if scarce then
      by_weight(total, domains)
    else
      local needed = math.max(missing - available, 0)
      for _, one in ipairs(domains) do
        local over = one.actual - one.wanted
        one.target = over > 0 and one.actual - math.ceil(needed * over / surplus) or one.wanted
      end
    end
    for _, one in ipairs(domains) do
      if one.target < one.actual then
        one.domain:set(one.target, scarce and "its part of too little" or "others need its surplus")
      elseif one.target > one.actual then
        one.domain:set(one.target, scarce and "its part of too little" or "its demand and a buffer")
      end
    end
  end,
}
