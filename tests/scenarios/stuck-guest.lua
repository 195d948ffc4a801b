-- A guest whose balloon takes every target and stays where it is. Another one must give what a third needs.
return {
  summary = "A guest that does not follow beside one that needs memory",
  host = { total = 8 * GiB, base = 500 * MiB },
  duration = 240,
  domains = {
    {
      name = "stuck",
      maximum = 8 * GiB,
      initial = 3 * GiB,
      touched = true,
      demand = { { 0, 300 * MiB } },
      faults = { { kind = "stuck", from = 0, to = 150 } },
    },
    { name = "good", maximum = 8 * GiB, initial = 3 * GiB, touched = true, demand = { { 0, 300 * MiB } } },
    {
      name = "needy",
      maximum = 8 * GiB,
      initial = 1 * GiB,
      touched = true,
      demand = { { 0, 600 * MiB }, { 30, 600 * MiB }, { 60, 3 * GiB } },
    },
  },
}
