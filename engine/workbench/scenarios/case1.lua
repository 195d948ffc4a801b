-- Four guests of 512 MiB. One consumes more and more memory, then frees it; three are idle. The host
-- has room for about three of them, so memory for one guest must come from the others.

local function idle(name)
  return { name = name, maximum = 1 * GiB, initial = 512 * MiB, demand = { { 0, 30 * MiB } } }
end

return {
  summary = "One of four guests consumes more and more memory, then frees it",
  host = { total = 2 * GiB + 4 * 30 * MiB, base = 200 * MiB }, -- with 30 MiB per guest for QEMU
  duration = 90,
  domains = {
    {
      name = "builder",
      maximum = 1 * GiB,
      initial = 512 * MiB,
      demand = { { 0, 30 * MiB }, { 5, 30 * MiB }, { 50, 750 * MiB }, { 65, 750 * MiB }, { 66, 30 * MiB } },
    },
    idle("files"),
    idle("mail"),
    idle("web"),
  },
}
