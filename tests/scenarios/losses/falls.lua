-- Six guests work in turn, as batch jobs do: a job needs nearly all that its guest has, and ends at once. Its fall of
-- use looks as if an OOM killer had ended it. Memory suffices for all at any time.
local list = {}
for i = 1, 6 do
  local demand = { { 0, i == 1 and 7 * GiB or 2 * GiB } }
  for round = 0, 3 do
    local at = (round * 6 + i - 1) * 100
    if at > 0 then
      demand[#demand + 1] = { at, 2 * GiB }
      demand[#demand + 1] = { at + 60, 7 * GiB }
    end
    demand[#demand + 1] = { at + 100, 7 * GiB }
    demand[#demand + 1] = { at + 101, 2 * GiB }
  end
  list[i] = { name = "batch" .. i, maximum = 16 * GiB, initial = 3 * GiB, demand = demand }
end
list[1].initial = 7500 * MiB
return {
  summary = "Jobs that end look like jobs that were killed, memory suffices",
  host = { total = 22 * GiB, base = 300 * MiB },
  duration = 2400,
  domains = list,
}
