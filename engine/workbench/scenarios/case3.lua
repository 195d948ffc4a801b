-- Four guests of 512 MiB consume memory. Then two of them free it and stop; the other two go on.

local function stops(name)
  return {
    name = name,
    maximum = 1 * GiB,
    initial = 512 * MiB,
    demand = { { 0, 30 * MiB }, { 5, 30 * MiB }, { 30, 330 * MiB }, { 35, 330 * MiB }, { 36, 30 * MiB } },
  }
end

local function goes_on(name)
  return {
    name = name,
    maximum = 1 * GiB,
    initial = 512 * MiB,
    demand = { { 0, 30 * MiB }, { 5, 30 * MiB }, { 30, 330 * MiB }, { 65, 700 * MiB }, { 80, 700 * MiB } },
  }
end

return {
  summary = "Four guests consume; two free and stop, the other two go on",
  host = { total = 2560 * MiB + 4 * 30 * MiB, base = 200 * MiB }, -- with 30 MiB per guest for QEMU
  duration = 90,
  domains = { goes_on("alpha"), goes_on("bravo"), stops("charlie"), stops("delta") },
}
