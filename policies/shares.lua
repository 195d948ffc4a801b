-- Shares: keep the host at a goal of memory in use, and divide the guests' memory by shares.
--
-- The goal is `goal` of the host's memory in use. While less is in use, guests may grow by the
-- difference; while more is in use, they shrink by it. Within `tolerance` nothing happens. Every guest
-- should have its minimum plus a part of all memory above the minimums, in proportion to its shares and
-- up to its maximum. A tick moves each guest at most `max_step` nearer to that.
--
-- A guest is needy while its free memory is at most a quarter of its minimum, or its size is under its
-- minimum. Needy guests grow first; the others grow only if no needy guest can. The others shrink
-- first; needy guests shrink only if none of the others can. If the goal leaves less than the needy
-- guests lack, the others give the rest.
--
-- Needy guests are served at any tick. All other steps are a second apart at least. What is on its way
-- to a guest counts as its own.
--
-- A guest's shares are its label `shares`, else 1000 times its weight; shares 0 leave it out.
--
-- Source: the automatic memory allocation of Proxmox VE (ballooning by pvestatd).
-- Different here:
-- - All memory that guests were given is in use, so that they cannot touch more than the host has.
--   Proxmox VE counts what they have touched, and shrinks others when one touches more.
-- - The needy get from the others what the goal does not leave them. Proxmox VE leaves them short
--   until the host is under its goal; where all given memory is in use, that hardly ever happens.
-- - A tick moves no more than the goal asks for. In Proxmox VE the guests' steps may add up to more.
-- - Growing shrinks no guest. In Proxmox VE it also shrinks guests that are above their fair part.
-- - Fair parts share at once what full guests cannot take. Proxmox VE shares it in later passes, and
--   keeps what the first pass moved.
-- - `minimum` stands in where a guest has no minimum; Proxmox VE leaves such guests out. Guests
--   without statistics are skipped; for Proxmox VE they are needy. Free memory is the headroom,
--   page cache included; with `--headroom unused` it is MemFree, as in Proxmox VE.

local function shares_of(d) return tonumber(d.labels.shares) or math.floor(1000 * d.weight) end

-- Divides a group's memory above its minimums by shares; no guest gets more than its maximum.
local function set_fair_parts(group, above)
  local rooms, shares = {}, {}
  for i, one in ipairs(group) do rooms[i], shares[i] = one.maximum - one.minimum, one.shares end
  for i, part in ipairs(fair_share(above, rooms, shares)) do
    group[i].fair = group[i].minimum + part
  end
end

-- Moves a group towards its fair parts by at most `amount` in all; a negative `amount` shrinks guests.
-- Returns the sum of the moves. Growing shrinks no guest, and shrinking grows none.
local function spread(amount, group, max_step)
  local above, moved = amount, 0
  for _, one in ipairs(group) do above = above + one.actual - one.minimum end
  set_fair_parts(group, above)
  for _, one in ipairs(group) do
    local change = math.min(math.max(one.fair - one.actual, -max_step), max_step)
    one.change = change * amount > 0 and change or 0
    moved = moved + one.change
  end
  if math.abs(moved) <= math.abs(amount) then return moved end
  for _, one in ipairs(group) do one.change = one.change * amount // moved end
  return amount
end

local function propose(group, why_grow, why_shrink)
  for _, one in ipairs(group) do
    local size = one.actual + one.change
    if one.change ~= 0 then one.domain:set(size, one.change > 0 and why_grow or why_shrink) end
  end
end

return {
  api = 1,
  summary = "Keep the host at a goal of memory in use, split by shares (Proxmox VE)",
  params = {
    goal = { default = 0.8, doc = "share of host memory that should be in use" },
    tolerance = { default = "10MiB", doc = "within this distance of the goal nothing moves" },
    max_step = { default = "100MiB", doc = "largest change of one guest in a tick" },
    minimum = { default = "256MiB", doc = "minimum of guests that have none of their own" },
  },

  tick = function(ctx)
    local p, host, due = ctx.params, ctx.host, ctx.every(1)
    local used = host.budget - (host.floor + host.grantable - host.shortfall)
    local left = math.floor(p.goal * host.budget) - used

    local all, needy, others, lack = {}, {}, {}, 0
    for _, d in ipairs(ctx.domains) do
      local coming = math.max(d.in_flight, 0)
      local one = { domain = d, actual = d.actual + coming, maximum = d.maximum, change = 0 }
      one.shares = shares_of(d)
      one.minimum = math.min(d.minimum > 0 and d.minimum or p.minimum, one.maximum)
      if one.shares > 0 then
        all[#all + 1] = one
        if d.headroom + coming <= one.minimum / 4 or one.actual < one.minimum then
          needy[#needy + 1] = one
          lack = lack + math.max(0, math.min(p.max_step, one.maximum - one.actual))
        else
          others[#others + 1] = one
        end
      end
    end

    if lack == 0 and (not due or math.abs(left) <= p.tolerance) then return end
    local given = left < lack and -spread(left - lack, others, p.max_step) or 0
    local helped = lack > 0 and left + given > 0 and spread(left + given, needy, p.max_step) or 0
    if given == 0 and helped == 0 and math.abs(left) > p.tolerance then spread(left, all, p.max_step) end
    propose(needy, "short of memory", "the host is over its goal")
    propose(others, "the host is under its goal",
      lack > 0 and "others are short of memory" or "the host is over its goal")
  end,
}
