-- `jumps` needs 4 GiB from one moment to the next, fills its swap, is killed, and looks idle afterwards. Free page
-- reporting gives its memory back to the host, so its process shows nothing; that it went to swap does.
return {
  summary = "A guest with free page reporting is killed at the first moment of a jump, its swap full",
  host = { total = 8 * GiB, base = 300 * MiB },
  duration = 120,
  domains = {
    {
      name = "jumps", maximum = 6 * GiB, initial = 2 * GiB, swap = 1 * GiB, free_page_reporting = true,
      demand = { { 0, 300 * MiB }, { 30.2, 300 * MiB }, { 30.4, 4 * GiB }, { 120, 4 * GiB } },
    },
    { name = "idle", maximum = 6 * GiB, initial = 5 * GiB, demand = { { 0, 500 * MiB } } },
  },
}
