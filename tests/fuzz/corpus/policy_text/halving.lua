-- Halving: when one domain starves while another wastes memory, halve the wasteful one and give the
-- starved one as much.
--
-- A domain is starved when its headroom is under `starved_below`, and wasteful when it is over
-- `wasteful_above`. Each tick looks at the most starved and the most wasteful domain:
--   starved and wasteful   halve the wasteful one; the starved one grows by what that sets free
--   starved, none wasteful the host gives the starved one `wasteful_above` more
--   wasteful, none starved the wasteful one returns `wasteful_above` to the host
--   neither                nothing
--
-- Source: the classic threshold algorithm of memory coordinators, as it is taught.

return {
  api = 1,
  summary = "Halve the most wasteful domain to feed the most starved one",
  params = {
    starved_below = { default = "150MiB", doc = "a domain with less headroom is starved" },
    wasteful_above = { default = "300MiB", doc = "a domain with more headroom wastes memory" },
    halve = {
      default = "memory",
      choices = { "memory", "headroom" },
      doc = "what is halved of the wasteful domain: all of its memory, or only its headroom",
    },
  },

  tick = function(ctx)
    local p = ctx.params
    local starved, wasteful = ctx.domains:min_by("headroom"), ctx.domains:max_by("headroom")
    if not starved then return end
    local is_starved = starved.headroom < p.starved_below
    local is_wasteful = wasteful.headroom > p.wasteful_above

    if is_starved and is_wasteful then
      local half = (p.halve == "memory" and wasteful.actual or wasteful.headroom) // 2
      -- Never more than the starved domain can hold: the rest would help nobody.
      half = math.min(half, starved.maximum - starved.actual)
      if half > 0 then
        wasteful:shrink(half, "halved to feed " .. starved.name)
        starved:grow(half, "fed by " .. wasteful.name)
      end
    elseif is_starved then
      local target = math.min(starved.actual + p.wasteful_above, starved.maximum)
      if target > starved.actual then starved:set(target, "fed by the host") end
    elseif is_wasteful then
      wasteful:shrink(p.wasteful_above, "returned to the host")
    end
  end,
}
