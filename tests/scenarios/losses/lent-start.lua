-- The guests start with more memory than the host has, and use less than half of it. Nothing forces them to give
-- it back in seconds: what they have touched leaves the host above its floor. They need it again, one after the other.
local list = {}
for i = 1, 8 do
  list[i] = {
    name = "vm" .. i, maximum = 2 * GiB,
    demand = { { 0, 500 * MiB }, { 4 + i, 500 * MiB }, { 6 + i, 1500 * MiB }, { 24 + i, 1500 * MiB },
      { 30 + i, 400 * MiB } },
  }
end
return {
  summary = "Eight guests start with more memory than the host has",
  host = { total = 14600 * MiB, base = 300 * MiB },
  duration = 120,
  domains = list,
}
