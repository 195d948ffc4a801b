#include <algorithm>
#include <cstdint>
#include <utility>

#include "engine/core/believable.h"

namespace memcoord {
namespace {

/// An exbibyte, in KiB. What "-1 pages" or 2^64 less something comes to is far above.
constexpr std::uint64_t kMostSwapped = std::uint64_t{1} << 50U;
constexpr std::uint64_t kMostFaults = std::uint64_t{1} << 60U;
/// A fault is served in more than 10 ns, even on many processors.
constexpr std::uint64_t kMostFaultsASecond = 100'000'000;
/// A guest swaps its whole memory in no less than a second; a small one may use compressed memory.
constexpr MemorySize kSwapsASecond = MemorySize::from_gib(4);

std::uint64_t amount(MemorySize size) {
  return size.kib();
}
std::uint64_t amount(std::uint64_t count) {
  return count;
}

double seconds(Duration duration) {
  return std::chrono::duration<double>(duration).count();
}

/// Screens one domain's figures.
class Screen {
 public:
  Screen(Domain& domain, const DomainHistory* past, MonotonicTime now,
         std::vector<DroppedFigure>& dropped)
      : domain_(domain), guest_(domain.guest), past_(past), now_(now), dropped_(dropped) {}

  void run(MemorySize host_total) {
    process(host_total);
    if (!gauges_fit()) {
      gauge("available", guest_.available);
      gauge("unused", guest_.unused);
      gauge("usable", guest_.usable);
      gauge("disk_caches", guest_.disk_caches);
    }
    const std::uint64_t swaps_a_second = std::max(domain_.maximum, kSwapsASecond).kib();
    counter("swap_in", &GuestStatistics::swap_in, kMostSwapped, swaps_a_second);
    counter("swap_out", &GuestStatistics::swap_out, kMostSwapped, swaps_a_second);
    counter("major_faults", &GuestStatistics::major_faults, kMostFaults, kMostFaultsASecond);
    counter("minor_faults", &GuestStatistics::minor_faults, kMostFaults, kMostFaultsASecond);
  }

 private:
  /// What a process holds is the host's memory, and where its pages are merged (KSM) the guest's.
  void process(MemorySize host_total) {
    if (!domain_.rss || host_total.is_zero()) return;
    if (domain_.rss->is_zero() && domain_.state == DomainState::running) {
      drop("rss", domain_.rss, "no process has");
    } else if (*domain_.rss > domain_.maximum + host_total) {
      drop("rss", domain_.rss, "is more than the host's memory of " + host_total.text());
    }
  }

  /// As they nearly always do: none is more than the guest's total, nor that than the maximum.
  [[nodiscard]] bool gauges_fit() const {
    const MemorySize total = guest_.available.value_or(domain_.maximum);
    return total <= domain_.maximum && guest_.unused.value_or(MemorySize()) <= total &&
           guest_.usable.value_or(MemorySize()) <= total &&
           guest_.disk_caches.value_or(MemorySize()) <= total;
  }

  template <class Figure>
  void drop(const char* name, Figure& figure, std::string why) {
    dropped_.push_back({domain_.uuid(), name, amount(*figure), std::move(why)});
    figure.reset();
  }

  void gauge(const char* name, std::optional<MemorySize>& figure) {
    if (!figure) return;
    if (&figure == &guest_.available && figure->is_zero()) {
      drop(name, figure, "no guest has");
    } else if (*figure > domain_.maximum) {
      drop(name, figure, "is more than the domain's maximum of " + domain_.maximum.text());
    } else if (&figure != &guest_.available && guest_.available && *figure > *guest_.available) {
      drop(name, figure, "is more than the guest's total of " + guest_.available->text());
    }
  }

  template <class Count>
  void counter(const char* name, std::optional<Count> GuestStatistics::*field, std::uint64_t most,
               std::uint64_t most_a_second) {
    std::optional<Count>& figure = guest_.*field;
    if (!figure) return;
    if (amount(*figure) >= most) return drop(name, figure, "is more than a guest can count");
    if (past_ == nullptr || !(past_->last_report().*field)) return;
    const std::uint64_t was = amount(*(past_->last_report().*field));
    const std::uint64_t is = amount(*figure);
    // A second counts as passed at least: most are done with here.
    if (is <= was || is - was <= most_a_second || !is_new_report()) return;
    if (static_cast<double>(is - was) >
        static_cast<double>(most_a_second) * seconds_since_last_report()) {
      drop(name, figure, "has risen faster than any guest can count");
    }
  }

  [[nodiscard]] bool is_new_report() const {
    return past_->report_first_seen_at() && past_->last_report().last_update != guest_.last_update;
  }

  /// At least 1: reports may come closer together than the looks that show them.
  [[nodiscard]] double seconds_since_last_report() const {
    return std::max(1.0, seconds(now_ - *past_->report_first_seen_at()));
  }

  Domain& domain_;
  GuestStatistics& guest_;
  const DomainHistory* past_;
  MonotonicTime now_;
  std::vector<DroppedFigure>& dropped_;
};

}  // namespace

std::vector<DroppedFigure> drop_impossible(Snapshot& snapshot, const History& history) {
  std::vector<DroppedFigure> dropped;
  std::size_t position = 0;
  for (Domain& domain : snapshot.domains) {
    Screen(domain, history.find(domain.uuid(), position++), snapshot.taken_at, dropped)
        .run(snapshot.host.total);
  }
  return dropped;
}

MemorySize offline_memory(const Domain& domain) {
  if (!domain.guest.available) return {};
  // A kernel keeps a struct page of 64 bytes for each 4 KiB of its maximum, online or not. It may
  // keep as much again, and memory for a crash kernel.
  constexpr std::uint64_t kPageTable = 64;
  constexpr MemorySize kKernel = MemorySize::from_mib(64);
  constexpr MemorySize kCrashKernel = MemorySize::from_mib(256);
  const MemorySize missing = domain.actual - *domain.guest.available;
  const MemorySize may_be_its_own = domain.maximum / kPageTable * 2 + kCrashKernel;
  if (missing <= may_be_its_own) return {};
  return missing - (domain.maximum / kPageTable + kKernel);
}

}  // namespace memcoord
