-- Idle tax: memory that is not used costs its owner more, so it is the first to be taken.
--
-- A domain with less headroom than `spare` asks for twice what is missing. While the host has it, it
-- is given. When not, memory is taken from the others, always from the one that pays least for
-- what it has: from the domain with the lowest
--
--     S / (P (f + k (1 - f)))        k = 1 / (1 - tax)
--
-- where S are its shares, P its memory and f the part of it that is active. At a tax of 75 % an idle
-- page costs four times as much as one in use. Taking makes what is left dearer, so the search ends
-- at one level for all who gave; minimums are honoured, and memory in use is not taken.
--
-- Shares are weights. What is active is taken to be all that the chosen figure of headroom does not
-- call free.
--
-- Source: C. A. Waldspurger, "Memory Resource Management in VMware ESX Server", OSDI 2002, section
-- 5.2 (min-funding revocation with an idle memory tax).
-- Different here: ESX samples pages to find the active part and takes memory as the host runs low;
-- here the guests' own figures are used, and memory is taken when someone asks for it.

-- With A = f P active, the price is S / (A + k (P - A)). A domain that pays no less than `price`
-- keeps A + (S / price - A) / k.
local function taken_at(price, one, k)
  local kept = one.active + (one.shares / price - one.active) / k
  return math.min(math.max(one.size - kept, 0), one.most)
end

-- The lowest price at which enough is taken, by halving the interval that it lies in.
local function price_for(amount, givers, k)
  local low, high = math.huge, 0
  for _, one in ipairs(givers) do
    low = math.min(low, one.shares / (one.active + k * (one.size - one.active)))
    high = math.max(high, one.shares / math.max(one.active, 1))
  end
  for _ = 1, 30 do
    local middle, sum = (low + high) / 2, 0
    for _, one in ipairs(givers) do sum = sum + taken_at(middle, one, k) end
    if sum < amount then low = middle else high = middle end
  end
  return high
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
    local givers, asked = {}, 0
    for _, d in ipairs(ctx.domains) do
      local headroom, size = d.headroom, d.actual
      if headroom >= p.spare then
        local most = math.min(headroom - p.spare, size - d.minimum)
        if most > 0 then
          local shares, active = d.weight, size - headroom
          givers[#givers + 1] = { domain = d, size = size, active = active, shares = shares, most = most }
        end
      elseif size < d.maximum then
        local amount = math.min(2 * (p.spare - headroom), d.maximum - size)
        d:grow(amount, "less than it should have to spare")
        asked = asked + amount
      end
    end

    local missing = asked - ctx.host.grantable
    if missing <= 0 or #givers == 0 then return end
    local k = 1 / (1 - p.tax)
    local price = price_for(missing, givers, k)
    for _, one in ipairs(givers) do
      local amount = math.floor(taken_at(price, one, k))
      if amount > 0 then one.domain:shrink(amount, "its idle memory costs most") end
    end
  end,
}
