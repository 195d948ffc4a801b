-- `big` needs 11 GiB more from one moment to the next, and gets them over several ticks. What it is promised must
-- stay promised while smaller moves are decided.
return {
  summary = "A large grow is under way while smaller ones are decided",
  host = { total = 20 * GiB, base = 300 * MiB },
  duration = 120,
  domains = {
    {
      name = "big", maximum = 16 * GiB, initial = 6 * GiB,
      demand = { { 0, 2 * GiB }, { 15.2, 2 * GiB }, { 15.4, 13 * GiB }, { 120, 13 * GiB } },
    },
    {
      name = "small", maximum = 512 * MiB,
      demand = { generator = "walk", low = 40 * MiB, high = 220 * MiB, step = 1 },
    },
  },
}
