#include "engine/core/process_overhead.h"

#include <algorithm>

namespace memcoord {
namespace {

// KubeVirt sizes its pods by measured figures (GetMemoryOverhead in its virt-controller): 30 MiB
// for QEMU, 32 MiB for video memory, and a 512th of the guest's memory for page tables. Its 8 MiB a
// processor and the processes of its own pods are left out.
constexpr MemorySize kQemu = MemorySize::from_mib(30);
constexpr MemorySize kVideoMemory = MemorySize::from_mib(32);
constexpr std::uint64_t kPageTables = 512;
/// A guest that has freed much makes its QEMU look large; no estimate passes this.
constexpr MemorySize kMostEstimated = MemorySize::from_mib(512);
/// Figures of two moments differ by so much at any time.
constexpr MemorySize kTolerance = MemorySize::from_mib(1);
/// Of what a kernel keeps for itself, its image and its page structs (64 bytes a page of 4 KiB) are
/// touched while it boots. A reserve for crash dumps is not.
constexpr MemorySize kKernelImage = MemorySize::from_mib(32);
constexpr std::uint64_t kPageStructs = 64;

/// What the guest has surely touched; none where it does not report.
std::optional<MemorySize> used_by_guest(const Domain& domain) {
  if (!domain.guest.available || !domain.guest.unused) return std::nullopt;
  const MemorySize kernel = domain.actual - *domain.guest.available;
  const MemorySize touched_at_boot = kKernelImage + domain.maximum / kPageStructs;
  return *domain.guest.available - *domain.guest.unused + std::min(kernel, touched_at_boot);
}

}  // namespace

void ProcessOverhead::learn(const Domain& domain, const Circumstances& circumstances) {
  if (!domain.rss) return;
  const MemorySize rss = *domain.rss;
  const MemorySize guest = memory_in_rss(domain, domain.actual);
  if (!seen_ && rss < guest) fresh_ = true;
  if (circumstances.steady && rss >= guest) {
    seen_ = std::max(seen_.value_or(MemorySize()), rss - guest);
  }
  if (!fresh_ || !circumstances.reported) return;
  const auto used = used_by_guest(domain);
  // Where the guest uses more than its process holds, the host has swapped it out, or it is just
  // taking memory: nothing is learnt.
  if (!used || rss + kTolerance < *used) return;
  const MemorySize most = std::min(rss - *used, kMostEstimated);
  estimated_ = std::min(estimated_.value_or(most), most);
}

MemorySize ProcessOverhead::usual(const Domain& domain) {
  return kQemu + kVideoMemory + domain.actual / kPageTables;
}

}  // namespace memcoord
