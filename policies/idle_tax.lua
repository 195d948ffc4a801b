-- Idle tax: idle memory costs its owner more, so it is taken first.
--
-- A domain with less headroom than `spare` asks for twice what it lacks. While the host has that much,
-- the host gives it. Otherwise memory is revoked from the other domains, always from the one that pays
-- least for what it has, which is the one with the lowest
--
--     S / (P (f + k (1 - f)))        k = 1 / (1 - tax)
--
-- where S are its shares, P its memory and f the part of it that is active. At a tax of 75 % an idle
-- page costs four times as much as an active one. Revoking raises the price of what is left, so the
-- search ends at one price for all domains that gave. Minimums are kept, and active memory stays.
--
-- Shares are weights. Active memory is all that is not headroom.
--
-- Source: C. A. Waldspurger, "Memory Resource Management in VMware ESX Server", OSDI 2002, section
-- 5.2 (min-funding revocation with an idle memory tax).
-- Different here: ESX samples pages to find the active part, and revokes memory as the host runs low.
-- memcoord goes by the guests' own figures, and revokes memory when a domain asks for it.

-- With A = f P active, a domain's cost is c = (A + k (P - A)) / S, the inverse of its price. To bring it
-- down to x, revoke (c - x) S / k, at most what the domain may lose.
local function taken_at(x, one)
  return math.min(math.max((one.cost - x) * one.per_cost, 0), one.most)
end

-- The cost to which all givers together come down when they give `amount`, by bisection.
local function cost_for(amount, givers)
  local low, high = 0, 0
  for _, one in ipairs(givers) do high = math.max(high, one.cost) end
  for _ = 1, 30 do
    local middle, sum = (low + high) / 2, 0
    for _, one in ipairs(givers) do
      local taken = (one.cost - middle) * one.per_cost
      if taken > 0 then sum = sum + (taken < one.most and taken or one.most) end
    end
    if sum < amount then high = middle else low = middle end
  end
  return low
end

return {
  api = 1,
  summary = "Take memory where it is idle and costs most for its shares (VMware ESX)",
  params = {
    tax = { default = 0.75, doc = "tax on idle memory, from 0 (by shares alone) to under 1" },
    spare = { default = "150MiB", doc = "a domain with less headroom asks for more" },
  },

  tick = function(ctx)
    local p = ctx.params
    assert(p.tax >= 0 and p.tax < 1, "tax is a share from 0 to under 1")
    local k = 1 / (1 - p.tax)
    local givers, asked = {}, 0
    for _, d in ipairs(ctx.domains) do
      local coming = math.max(d.in_flight, 0) -- what is on its way to a domain is idle still
      local headroom, size = d.headroom + coming, d.actual + coming
      if headroom >= p.spare then
        local most = math.min(headroom - p.spare, size - d.minimum)
        if most > 0 then
          local shares = d.weight
          local cost = (size - headroom + k * headroom) / shares
          givers[#givers + 1] = { domain = d, cost = cost, per_cost = shares / k, most = most }
        end
      elseif size < d.maximum then
        local amount = math.min(2 * (p.spare - headroom), d.maximum - size)
        d:grow(amount, "less than it should have to spare")
        asked = asked + amount
      end
    end

    local missing = asked - ctx.host.grantable + ctx.host.shortfall
    if asked == 0 or missing <= 0 or #givers == 0 then return end
    local cost = cost_for(missing, givers)
    for _, one in ipairs(givers) do
      local amount = math.floor(taken_at(cost, one))
      if amount > 0 then one.domain:shrink(amount, "its idle memory costs most") end
    end
  end,
}
