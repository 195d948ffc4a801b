-- Linux keeps memory that a balloon has just given on its processors' lists, where it counts as neither free nor
-- available. So idle guests seem to use more as they are given more. Two at a time work in turn; memory suffices.
local function guest(name, at)
  return {
    name = name, maximum = 768 * MiB, initial = 420 * MiB, swap = 768 * MiB,
    demand = {
      { 0, 60 * MiB }, { at, 60 * MiB }, { at + 0.1, 460 * MiB }, { at + 10, 460 * MiB }, { at + 10.1, 60 * MiB },
    },
  }
end

return {
  summary = "Guests seem to use memory that their balloon gives them",
  host = { total = 3080 * MiB, base = 0 },
  duration = 70,
  model = { processor_lists = 51 * MiB },
  domains = {
    guest("alpha", 5), guest("bravo", 6), guest("charlie", 23),
    guest("delta", 24), guest("echo", 40), guest("foxtrot", 41),
  },
}
