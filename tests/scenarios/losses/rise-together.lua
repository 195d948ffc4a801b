-- Ten guests rise within 30 s, half of them three times as far as the others. All need fits at every moment: those
-- that rise far need the memory that the others leave before half of what they have left is used.
local list = {}
for i = 1, 10 do
  local high = i % 2 == 0 and 2000 * MiB or 700 * MiB
  list[i] = {
    name = "vm" .. i, maximum = 3 * GiB, initial = 1400 * MiB,
    demand = { { 0, 300 * MiB }, { 60, 300 * MiB }, { 90, high }, { 300, high } },
  }
end
return {
  summary = "Ten guests rise together, half of them three times as far as the others",
  host = { total = 16400 * MiB, base = 300 * MiB },
  duration = 300,
  domains = list,
}
