-- A guest stops and leaves 1.2 GiB. The amount is too small for one tick's share of it to be a move worth making:
-- what waits has to add up, so that `later` has it when it needs it.
return {
  summary = "A guest stops; another needs what it leaves three minutes later",
  host = { total = 4 * GiB, base = 300 * MiB },
  duration = 300,
  domains = {
    {
      name = "later", maximum = 2 * GiB, initial = 900 * MiB,
      demand = { { 0, 300 * MiB }, { 210.2, 300 * MiB }, { 210.4, 1300 * MiB }, { 300, 1300 * MiB } },
    },
    { name = "other", maximum = 1500 * MiB, initial = 1400 * MiB, demand = { { 0, 300 * MiB } } },
    { name = "stops", maximum = 1200 * MiB, stop = 30, demand = { { 0, 300 * MiB } } },
  },
}
