-- Four guests of 512 MiB; one consumes more and more memory, then frees it all; three are idle.
-- The host has room for about three of them, so that what one needs another must give.

local function idle(name)
  return { name = name, maximum = 1 * GiB, initial = 512 * MiB, demand = { { 0, 30 * MiB } } }
end

return {
  summary = "One of four guests consumes more and more memory, then frees it",
  host = { total = 2 * GiB + 4 * 30 * MiB, base = 200 * MiB }, -- of it 30 MiB a guest for QEMU
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
