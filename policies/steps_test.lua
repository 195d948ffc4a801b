-- Tests that policies which move by steps make the same steps at uneven ticks (ctx.every).

local roomy = { total = 16 * GiB, free = 8 * GiB }

local function rich(actual, unused, host)
  return { host = host, domains = { { name = "rich", actual = actual, unused = unused } } }
end

-- A world in which each policy shrinks the only domain for ten seconds.
local worlds = {
  band = rich(4 * GiB, 3 * GiB),
  gradual = rich(2 * GiB, 1 * GiB, roomy),
  halving = rich(8 * GiB, 7 * GiB),
  mom = rich(4 * GiB, 3 * GiB, { total = 8 * GiB, free = 900 * MiB }),
  shares = rich(7 * GiB, 6 * GiB, { total = 8 * GiB, free = 250 * MiB }),
  target = rich(4 * GiB, 3 * GiB),
}

-- The domain's size after ten seconds in ticks of these lengths, one after the other.
local function size_after_ten_seconds(p, world, lengths)
  local run, passed = { world }, 0
  while passed < 10 - 1e-6 do
    local length = lengths[(#run - 1) % #lengths + 1]
    run[#run + 1], passed = { seconds = length }, passed + length
  end
  local ticks = p:run(run)
  return ticks[#ticks].after.rich.actual
end

for name, world in pairs(worlds) do
  local p = policy(name .. ".lua")
  test(name .. " moves by the same steps at uneven ticks", function()
    local even = size_after_ten_seconds(p, world, { 1 })
    expect(even):differs_from(world.domains[1].actual)
    for _, lengths in ipairs { { 0.2 }, { 0.2, 0.3, 1, 0.5 }, { 0.4, 0.6 } } do
      expect(size_after_ten_seconds(p, world, lengths)):equals(even)
    end
  end)
end
