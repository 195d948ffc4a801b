-- A host of two NUMA nodes whose guests are each bound to one. On each node one guest's need rises while
-- another's falls; what the other node has is of no use to either.

local function guest(name, node, points)
  return { name = name, nodes = { node }, maximum = 3 * GiB, initial = 1536 * MiB, demand = points }
end

return {
  summary = "Guests bound to NUMA nodes, whose needs rise one after the other",
  host = { nodes = { 4 * GiB, 4 * GiB }, base = 300 * MiB },
  duration = 240,
  domains = {
    guest("left-1", 0, { { 20, 300 * MiB }, { 80, 2400 * MiB }, { 120, 2400 * MiB }, { 140, 300 * MiB } }),
    guest("left-2", 0, { { 15, 1200 * MiB }, { 20, 500 * MiB } }),
    guest("right-1", 1, { { 0, 300 * MiB } }),
    guest("right-2", 1, { { 150, 300 * MiB }, { 190, 2400 * MiB }, { 230, 2400 * MiB } }),
  },
}
