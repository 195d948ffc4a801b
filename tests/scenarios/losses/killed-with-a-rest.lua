-- A guest with 500 MiB left takes 650 MiB within half a second, and its workload is killed whenever it comes back: at
-- each report the guest looks idle. Its process shows that it took what was left.

return {
  summary = "A guest with some memory left is killed again and again by a jump",
  host = { total = 7700 * MiB, base = 300 * MiB },
  duration = 300,
  domains = {
    { name = "jumps", maximum = 6 * GiB, initial = 3 * GiB,
      demand = { { 0, 2600 * MiB }, { 60, 2600 * MiB }, { 60.5, 3250 * MiB } } },
    { name = "large", maximum = 8 * GiB, initial = 4 * GiB, demand = { { 0, 2800 * MiB } } },
  },
}
