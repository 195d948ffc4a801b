-- `reads` fills all memory that it gets with page cache, and returns it at its balloon's pace. `boots` takes 2 GiB a
-- second as soon as it starts, and cannot be shrunk at first. `first` has shown how much a guest starts with.
return {
  summary = "A guest starts beside one that reads files",
  host = { total = 18 * GiB, base = 300 * MiB },
  duration = 300,
  domains = {
    {
      name = "reads", maximum = 16 * GiB, initial = 6 * GiB,
      demand = { { 0, 4 * GiB } }, cache = { { 0, 0 }, { 30, 1 * GiB }, { 90, 12 * GiB }, { 300, 12 * GiB } },
    },
    {
      name = "first", maximum = 10 * GiB, start = 5, stop = 40,
      demand = { { 0, 500 * MiB }, { 8, 500 * MiB }, { 12, 9 * GiB } },
    },
    {
      name = "boots", maximum = 10 * GiB, start = 200,
      demand = { { 0, 500 * MiB }, { 203, 500 * MiB }, { 207, 9 * GiB } },
    },
  },
}
