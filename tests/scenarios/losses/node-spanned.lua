-- `span` may use both nodes and has nothing left. Two idle guests, one on each node, have 4 GiB unused each.
return {
  summary = "A guest on both nodes is short beside idle guests on one node each",
  host = { total = 16 * GiB, base = 300 * MiB, nodes = { 8 * GiB, 8 * GiB } },
  duration = 300,
  domains = {
    {
      name = "span", nodes = { 0, 1 }, maximum = 10 * GiB, initial = 4 * GiB, swap = 1 * GiB,
      demand = { { 0, 2 * GiB }, { 30, 2 * GiB }, { 60, 6 * GiB }, { 300, 6 * GiB } },
    },
    { name = "idle0", nodes = { 0 }, maximum = 6 * GiB, initial = 5500 * MiB, demand = { { 0, 1 * GiB } } },
    { name = "idle1", nodes = { 1 }, maximum = 6 * GiB, initial = 5500 * MiB, demand = { { 0, 1 * GiB } } },
  },
}
