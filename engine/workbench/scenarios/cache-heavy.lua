-- Page cache fills four guests whose workloads need little; a fifth guest needs more and more memory.
-- Unused memory is low in all of them, usable memory is not.

local function reader(name, cache)
  return {
    name = name,
    maximum = 2 * GiB,
    initial = 1 * GiB,
    swap = 512 * MiB,
    demand = { { 0, 180 * MiB }, { 100, 220 * MiB }, { 240, 180 * MiB } },
    cache = { { 0, 0 }, { 40, cache }, { 240, cache } },
  }
end

return {
  summary = "Page cache fills the guests; one of them needs memory",
  host = { total = 6 * GiB + 5 * 30 * MiB, base = 300 * MiB }, -- with 30 MiB per guest for QEMU
  duration = 240,
  domains = {
    reader("files-1", 900 * MiB),
    reader("files-2", 1200 * MiB),
    reader("files-3", 600 * MiB),
    reader("files-4", 1500 * MiB),
    {
      name = "worker",
      maximum = 3 * GiB,
      initial = 1 * GiB,
      swap = 1 * GiB,
      demand = { { 0, 200 * MiB }, { 60, 200 * MiB }, { 160, 1700 * MiB }, { 200, 1700 * MiB }, { 201, 200 * MiB } },
    },
  },
}
