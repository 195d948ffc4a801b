-- Guests whose kernels keep more memory free than the domain floor of 100 MiB: a guest's watermarks
-- grow with its memory (vm.min_free_kbytes, vm.watermark_scale_factor). A policy that shrinks such a
-- guest to 100 MiB of unused memory kills its workload.

local function guest(name, points)
  return { name = name, maximum = 16 * GiB, initial = 6 * GiB, demand = points }
end

return {
  summary = "Big guests whose kernels keep 350 MiB free",
  host = { total = 26 * GiB + 4 * 30 * MiB, base = 1 * GiB }, -- with 30 MiB per guest for QEMU
  duration = 240,
  model = { min_watermark = 350 * MiB, low_watermark = 400 * MiB },
  domains = {
    guest("batch", { { 0, 1 * GiB }, { 120, 1 * GiB }, { 180, 10 * GiB }, { 240, 10 * GiB } }),
    guest("builder", { { 0, 2 * GiB }, { 20, 2 * GiB }, { 80, 12 * GiB }, { 110, 12 * GiB }, { 111, 1 * GiB } }),
    guest("mail", { { 0, 3 * GiB }, { 60, 4 * GiB }, { 240, 3 * GiB } }),
    guest("web", { generator = "sawtooth", low = 2 * GiB, high = 3 * GiB, period = 50 }),
  },
}
