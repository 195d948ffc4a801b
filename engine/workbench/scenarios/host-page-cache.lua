-- The host's page cache fills all memory that its guests do not hold, for example with disk images that
-- QEMU opens without O_DIRECT. Its guests need memory that only the page cache can release.

local function guest(name, at, need)
  return {
    name = name,
    maximum = 3 * GiB,
    initial = 1 * GiB,
    demand = { { 0, 200 * MiB }, { at, 200 * MiB }, { at + 40, need }, { at + 90, need }, { at + 91, 200 * MiB } },
  }
end

return {
  summary = "Page cache fills the host; its guests need memory one after the other",
  host = { total = 8 * GiB + 4 * 30 * MiB, base = 500 * MiB, cached = 8 * GiB }, -- with 30 MiB per guest for QEMU
  duration = 240,
  domains = {
    guest("batch", 20, 1800 * MiB),
    guest("builder", 60, 2200 * MiB),
    guest("mail", 100, 1500 * MiB),
    guest("web", 120, 1200 * MiB),
  },
}
