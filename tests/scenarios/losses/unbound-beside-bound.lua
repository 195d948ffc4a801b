-- `free` is not bound to a node and has nothing left. Two idle guests, one on each node, have 4 GiB unused each.
return {
  summary = "An unbound guest is short beside idle bound ones",
  host = { total = 16 * GiB, base = 300 * MiB, nodes = { 8 * GiB, 8 * GiB } },
  duration = 300,
  domains = {
    {
      name = "free", maximum = 10 * GiB, initial = 3 * GiB, swap = 1 * GiB,
      demand = { { 0, 1 * GiB }, { 30, 1 * GiB }, { 60, 6 * GiB }, { 300, 6 * GiB } },
    },
    { name = "idle0", nodes = { 0 }, maximum = 6 * GiB, demand = { { 0, 1 * GiB } } },
    { name = "idle1", nodes = { 1 }, maximum = 6 * GiB, demand = { { 0, 1 * GiB } } },
  },
}
