-- memcoord starts on a host whose guests have run for weeks: page cache fills all of them. Then one of
-- them needs 2.5 GiB.

local function reads(name)
  return {
    name = name,
    maximum = 4 * GiB,
    initial = 1800 * MiB,
    demand = { { 0, 200 * MiB } },
    cache = { { 0, 4 * GiB } },
  }
end

return {
  summary = "Page cache has filled the guests before memcoord starts",
  host = { total = 8 * GiB + 4 * 30 * MiB, base = 300 * MiB }, -- with 30 MiB per guest for QEMU
  duration = 180,
  domains = {
    {
      name = "builder",
      maximum = 4 * GiB,
      initial = 1800 * MiB,
      demand = { { 0, 300 * MiB }, { 30, 300 * MiB }, { 90, 2500 * MiB } },
    },
    reads("files"),
    reads("mail"),
    reads("web"),
  },
}
