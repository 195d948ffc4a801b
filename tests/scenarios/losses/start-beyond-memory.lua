-- A guest starts with more memory than the host has, and goes on to use it. The others have nothing to spare, so it has
-- to stop where the host's memory ends. A host that runs out loses a whole guest.
local list = {
  { name = "new", maximum = 6 * GiB, swap = 4 * GiB, start = 60,
    demand = { { 0, 200 * MiB }, { 70, 200 * MiB }, { 90, 3500 * MiB }, { 110, 3500 * MiB }, { 112, 300 * MiB } } },
}
for i = 1, 3 do
  list[#list + 1] = { name = "old" .. i, maximum = 3 * GiB, initial = 1600 * MiB, demand = { { 0, 1350 * MiB } } }
end
return {
  summary = "A guest starts with more memory than the host has, and goes on to use it",
  host = { total = 6 * GiB, base = 300 * MiB },
  duration = 180,
  domains = list,
}
