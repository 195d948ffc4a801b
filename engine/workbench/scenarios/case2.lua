-- Four guests of 512 MiB consume memory at the same pace, hold it, then free it.

local domains = {}
for i, name in ipairs({ "alpha", "bravo", "charlie", "delta" }) do
  domains[i] = {
    name = name,
    maximum = 1 * GiB,
    initial = 512 * MiB,
    demand = { { 0, 30 * MiB }, { 5, 30 * MiB }, { 45, 420 * MiB }, { 60, 420 * MiB }, { 61, 30 * MiB } },
  }
end

return {
  summary = "All four guests consume at the same pace, then all free",
  host = { total = 2816 * MiB + 4 * 30 * MiB, base = 200 * MiB }, -- with 30 MiB per guest for QEMU
  duration = 90,
  domains = domains,
}
