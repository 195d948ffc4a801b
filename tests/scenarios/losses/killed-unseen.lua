-- `rises` reports every 10 s and is killed between two reports: afterwards it looks idle, with most of its memory
-- unused. That its resident memory had risen to all of its memory shows that it was full.
return {
  summary = "A guest is killed between two of its reports, and looks idle afterwards",
  host = { total = 8300 * MiB, base = 300 * MiB },
  duration = 240,
  domains = {
    {
      name = "rises", maximum = 6 * GiB, initial = 900 * MiB, period = 10,
      demand = { { 0, 400 * MiB }, { 25, 400 * MiB }, { 185, 5000 * MiB }, { 240, 5000 * MiB } },
    },
    {
      name = "falls", maximum = 6 * GiB, period = 10,
      demand = { { 0, 5500 * MiB }, { 20, 5500 * MiB }, { 165, 900 * MiB }, { 240, 900 * MiB } },
    },
  },
}
