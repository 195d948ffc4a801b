-- `jumps` needs 3 GiB from one moment to the next, is killed, and looks idle afterwards; the host has memory for it.
-- Its resident memory rose to all of its memory, which shows that it was full.
return {
  summary = "A guest is killed at the first moment of a jump",
  host = { total = 8 * GiB, base = 300 * MiB },
  duration = 120,
  domains = {
    {
      name = "jumps", maximum = 6 * GiB, initial = 2 * GiB,
      demand = { { 0, 300 * MiB }, { 30.2, 300 * MiB }, { 30.4, 3 * GiB }, { 120, 3 * GiB } },
    },
    { name = "idle", maximum = 6 * GiB, initial = 5 * GiB, demand = { { 0, 500 * MiB } } },
  },
}
