-- MoM: every guest keeps some free memory; the less the host has free, the less the guests keep.
--
-- Free memory counts as a share of all memory, averaged over the last `samples` ticks. While the host
-- has at least `pressure` of its memory free, a guest grows to what it uses plus `guest_free`, to its
-- minimum, or by `max_step` of its size, whichever is more. Under pressure it shrinks, by at most
-- `max_step` of its size a tick, to what it uses plus a share that falls with the host's own: all of
-- `guest_free` when pressure begins, next to nothing at `critical`. From `critical` on guests shrink
-- below what they use, so that they swap rather than the host. A change of up to `min_step` of a
-- guest's size is not made.
--
-- These ticks are a second apart at least: ticks that come earlier change nothing.
--
-- Source: the balloon rules that come with oVirt's Memory Overcommitment Manager (MoM).
-- Different here:
-- - Memory that a guest was given and has not touched yet is in use. MoM counts it as free, and its
--   guests may then touch more than the host has.
-- - The host's page cache is free as far as the kernel can drop it (`--headroom`). MoM counts all of
--   it, with tmpfs and the memory of guests on shared memory, which the kernel cannot drop.
-- - A guest's free memory is its headroom, its page cache included; with `--headroom unused` it is
--   MemFree, as in MoM.
-- - A budget (`--host-memory`) stands for the host. The guard keeps every guest's floor; MoM sets its
--   targets whatever a guest has left.

-- The share of the host that is free and not committed, averaged over the last samples, and the number
-- of these samples. The share is negative while the host has a shortfall.
local function host_free_share(ctx)
  local shares, host = ctx.state.shares or {}, ctx.host
  shares[#shares + 1] = (host.floor + host.grantable - host.shortfall) / host.budget
  if #shares > ctx.params.samples then table.remove(shares, 1) end
  ctx.state.shares = shares
  local sum = 0
  for _, share in ipairs(shares) do sum = sum + share end
  return sum / #shares, #shares
end

return {
  api = 1,
  summary = "Guests keep a share of free memory that falls with the host's own (oVirt MoM)",
  params = {
    pressure = { default = 0.20, doc = "share of host memory free under which guests shrink" },
    critical = { default = 0.05, doc = "share under which they shrink below what they use" },
    guest_free = { default = 0.20, doc = "share of its size that a guest keeps free without pressure" },
    max_step = { default = 0.05, doc = "largest change of a guest's size in a tick" },
    min_step = { default = 0.0025, doc = "changes up to this part of a guest's size are not made" },
    samples = { default = 10, doc = "how many ticks are averaged" },
  },

  tick = function(ctx)
    if not ctx.every(1) then return end
    local p = ctx.params
    local host_free, ticks = host_free_share(ctx)
    local window = math.max(ctx.seconds, 1) * (ticks - 0.5) -- covers the same ticks of a guest

    local free_share = p.guest_free
    if host_free <= p.critical then
      free_share = host_free - p.critical
    elseif host_free < p.pressure then
      free_share = p.guest_free * host_free / p.pressure
    end

    for _, d in ipairs(ctx.domains) do
      local used = d:avg("actual", window) - d:avg("headroom", window)
      local wanted = math.max(used + free_share * d.actual, d.minimum)
      local target = d.actual
      if host_free < p.pressure then
        target = math.min(d.actual, math.max(wanted, d.actual * (1 - p.max_step)))
      elseif d.actual < d.maximum then
        target = math.min(d.maximum, math.max(wanted, d.actual * (1 + p.max_step)))
      end
      if math.abs(target - d.actual) > p.min_step * d.actual then
        d:set(math.floor(target), host_free < p.pressure and "the host is under pressure"
          or "the host has memory to spare")
      end
    end
  end,
}
