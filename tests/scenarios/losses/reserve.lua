-- By unused memory, a guest with page cache has the policy keep a part of the host for files. `works` is killed for
-- want of memory while that part is there.
return {
  summary = "A guest is short while a part of the host is kept for files",
  host = { total = 16 * GiB, base = 300 * MiB },
  duration = 120,
  domains = {
    { name = "reads", maximum = 12 * GiB, initial = 11 * GiB, demand = { { 0, 4 * GiB } }, cache = { { 0, 1 * GiB } } },
    {
      name = "works", maximum = 4 * GiB, initial = 2 * GiB,
      demand = { { 0, 500 * MiB }, { 62.2, 500 * MiB }, { 62.4, 3 * GiB }, { 120, 3 * GiB } },
    },
  },
}
