-- Shares: keep the host at a goal of memory in use, and split what that takes or leaves by shares.
--
-- The goal is `goal` of the host's memory in use. What is in use less than that may be given to
-- guests, what is in use more is taken back; within `tolerance` nothing happens. Between its
-- minimum and its maximum every guest should hold its minimum plus a part of all memory above the
-- minimums, in proportion to its shares; a tick takes each at most `most` nearer to that. Growing
-- begins with the needy, whose free memory is under a quarter of their minimum; shrinking begins
-- with the others.
--
-- A guest's shares are its label `shares`, else 1000 times its weight; shares 0 leave it out.
--
-- Source: the automatic memory allocation of Proxmox VE (ballooning by pvestatd).
-- Different here: for Proxmox VE only memory that guests have touched is in use, so one that touches
-- more makes the others shrink. Here all that guests were given is in use, so that they cannot touch
-- more than the host has, and the others shrink where the needy would go short otherwise. Proxmox
-- VE balloons only guests with a minimum of their own; here `minimum` stands in for it.

local function shares_of(d) return tonumber(d.labels.shares) or math.floor(1000 * d.weight) end

-- Moves a group towards its fair parts, by `left` in all where it can; returns what remains of that.
local function spread(left, group, most)
  local above, shares = left, 0
  for _, one in ipairs(group) do
    above = above + one.actual - one.minimum
    shares = shares + one.shares
  end
  local moved = 0
  for _, one in ipairs(group) do
    local fair = one.minimum + math.floor(math.max(above, 0) * one.shares / shares)
    local change = math.min(math.max(fair, one.minimum), one.maximum) - one.actual
    -- Growing takes from nobody, shrinking gives to nobody.
    local down, up = left < 0 and -most or 0, left > 0 and most or 0
    one.change = math.min(math.max(change, down), up)
    moved = moved + one.change
  end
  if math.abs(moved) <= math.abs(left) then return left - moved end
  for _, one in ipairs(group) do one.change = one.change * left // moved end
  return 0
end

local function propose(group, why_grow, why_shrink)
  for _, one in ipairs(group) do
    if one.change > 0 then one.domain:grow(one.change, why_grow) end
    if one.change < 0 then one.domain:shrink(-one.change, why_shrink) end
  end
end

return {
  api = 1,
  summary = "Keep the host at a goal of memory in use, split by shares (Proxmox VE)",
  params = {
    goal = { default = 0.8, doc = "share of host memory that should be in use" },
    tolerance = { default = "10MiB", doc = "so near to the goal nothing is done" },
    most = { default = "100MiB", doc = "largest change of one guest in a tick" },
    minimum = { default = "256MiB", doc = "minimum of guests that have none of their own" },
  },

  tick = function(ctx)
    local p, host = ctx.params, ctx.host
    local used = host.budget - (host.floor + host.grantable - host.owed)
    local left = math.floor(p.goal * host.budget) - used

    local needy, others, asked = {}, {}, 0
    for _, d in ipairs(ctx.domains) do
      local one = { domain = d, actual = d.actual, maximum = d.maximum, shares = shares_of(d) }
      one.minimum = math.min(d.minimum > 0 and d.minimum or p.minimum, one.maximum)
      if one.shares > 0 and d.headroom < one.minimum / 4 then
        needy[#needy + 1] = one
        asked = asked + math.max(math.min(p.most, one.maximum - one.actual), 0)
      elseif one.shares > 0 then
        others[#others + 1] = one
      end
    end
    if asked == 0 and math.abs(left) <= p.tolerance then return end

    local remains = spread(left - asked, others, p.most)
    spread(asked + math.min(remains, 0), needy, p.most)
    propose(needy, "short of memory", "the host is over its goal")
    propose(others, "the host is under its goal",
      asked > 0 and "others are short of memory" or "the host is over its goal")
  end,
}
