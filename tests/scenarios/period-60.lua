-- CloudStack sets statistics periods of 60 s (OpenStack: 10 s). A need that rises within half a minute is over
-- before a guest has told of it.
local function guest(name, demand)
  return { name = name, maximum = 1 * GiB, initial = 512 * MiB, period = 60, demand = demand }
end

return {
  summary = "Guests that report once a minute; one comes to need what the others have",
  host = { total = 2 * GiB, base = 200 * MiB },
  duration = 180,
  domains = {
    guest("builder", { { 0, 30 * MiB }, { 80, 750 * MiB }, { 130, 750 * MiB }, { 131, 30 * MiB } }),
    guest("files", { { 0, 30 * MiB } }),
    guest("mail", { { 0, 30 * MiB } }),
    guest("web", { { 0, 30 * MiB } }),
  },
}
