-- OpenStack sets statistics periods of 10 s (CloudStack: 60 s). A need that rises within half a minute is seen
-- late.
local function guest(name, demand)
  return { name = name, maximum = 1 * GiB, initial = 512 * MiB, period = 10, demand = demand }
end

return {
  summary = "Guests that report once in 10 s; one comes to need what the others have",
  host = { total = 2 * GiB, base = 200 * MiB },
  duration = 180,
  domains = {
    guest("builder", { { 0, 30 * MiB }, { 80, 750 * MiB }, { 130, 750 * MiB }, { 131, 30 * MiB } }),
    guest("files", { { 0, 30 * MiB } }),
    guest("mail", { { 0, 30 * MiB } }),
    guest("web", { { 0, 30 * MiB } }),
  },
}
