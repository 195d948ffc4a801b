-- A host with two NUMA nodes, and guests that are each bound to one node. On each node one guest's need
-- rises while another's falls; memory of the other node serves neither.

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
