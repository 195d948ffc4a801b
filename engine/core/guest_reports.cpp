#include "engine/core/guest_reports.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "engine/core/history.h"

namespace memcoord {
namespace {

constexpr double kNoRate = std::numeric_limits<double>::quiet_NaN();
/// A guest that has missed so many reports in a row may have been rebooting.
constexpr int kMissedPeriods = 2;

/// An exbibyte, in KiB. "-1 pages", or 2^64 less something, is far above it.
constexpr std::uint64_t kMaxSwapped = std::uint64_t{1} << 50U;
constexpr std::uint64_t kMaxFaults = std::uint64_t{1} << 60U;
/// A fault takes more than 10 ns, even on many processors.
constexpr std::uint64_t kMaxFaultsASecond = 100'000'000;
/// A guest swaps its whole memory in no less than a second; a small one may use compressed memory.
constexpr MemorySize kSwapsASecond = MemorySize::from_gib(4);

std::uint64_t amount(MemorySize size) {
  return size.kib();
}
std::uint64_t amount(std::uint64_t count) {
  return count;
}

/// Growth a second of a counter; none where either end is missing or the counter went back.
template <class Counter>
double counter_rate(const std::optional<Counter>& before, const std::optional<Counter>& now,
                    double seconds) {
  if (!before || !now || seconds <= 0 || *now < *before) return kNoRate;
  return static_cast<double>(amount(*now) - amount(*before)) / seconds;
}

/// Removes the figures of one domain that cannot be true.
class Screen {
 public:
  Screen(Domain& domain, const GuestReports& reports, MonotonicTime now,
         std::vector<DroppedFigure>& dropped)
      : domain_(domain), guest_(domain.guest), reports_(reports), now_(now), dropped_(dropped) {}

  void run(MemorySize host_total) {
    process(host_total);
    if (!gauges_fit()) {
      gauge("available", guest_.available);
      gauge("unused", guest_.unused);
      gauge("usable", guest_.usable);
      gauge("disk_caches", guest_.disk_caches);
    }
    const std::uint64_t swaps_a_second = std::max(domain_.maximum, kSwapsASecond).kib();
    counter("swap_in", &GuestStatistics::swap_in, kMaxSwapped, swaps_a_second);
    counter("swap_out", &GuestStatistics::swap_out, kMaxSwapped, swaps_a_second);
    counter("major_faults", &GuestStatistics::major_faults, kMaxFaults, kMaxFaultsASecond);
    counter("minor_faults", &GuestStatistics::minor_faults, kMaxFaults, kMaxFaultsASecond);
  }

 private:
  /// A process holds memory of the host; where its pages are merged (KSM), rss may count more.
  void process(MemorySize host_total) {
    if (!domain_.rss || host_total.is_zero()) return;
    if (domain_.rss->is_zero() && domain_.state == DomainState::running) {
      drop("rss", domain_.rss, "no process has");
    } else if (*domain_.rss > domain_.maximum + host_total) {
      drop("rss", domain_.rss, "is more than the host's memory of " + host_total.text());
    }
  }

  /// The usual case: no figure is over the guest's total, and the total is not over the maximum.
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
    const std::optional<Count>& last = reports_.last().*field;
    if (!last) return;
    const std::uint64_t was = amount(*last);
    const std::uint64_t is = amount(*figure);
    // At least a second counts as passed, so most counters end here.
    if (is <= was || is - was <= most_a_second) return;
    if (static_cast<double>(is - was) >
        static_cast<double>(most_a_second) * seconds_since_last_report()) {
      drop(name, figure, "has risen faster than any guest can count");
    }
  }

  /// At least 1: reports may follow each other faster than the observations that show them.
  [[nodiscard]] double seconds_since_last_report() const {
    return std::max(1.0, seconds_of(now_ - *reports_.first_observed_at()));
  }

  Domain& domain_;
  GuestStatistics& guest_;
  const GuestReports& reports_;
  MonotonicTime now_;
  std::vector<DroppedFigure>& dropped_;
};

}  // namespace

CounterRates GuestReports::no_rates() {
  return {kNoRate, kNoRate, kNoRate, kNoRate};
}

bool GuestReports::differ(const GuestStatistics& one, const GuestStatistics& other) {
  const auto figure_differs = [&](auto figure) {
    const auto& a = one.*figure;
    const auto& b = other.*figure;
    return a && b && *a != *b;
  };
  return one.last_update != other.last_update || figure_differs(&GuestStatistics::unused) ||
         figure_differs(&GuestStatistics::usable) || figure_differs(&GuestStatistics::available) ||
         figure_differs(&GuestStatistics::disk_caches) ||
         figure_differs(&GuestStatistics::minor_faults) ||
         figure_differs(&GuestStatistics::major_faults) ||
         figure_differs(&GuestStatistics::swap_in) || figure_differs(&GuestStatistics::swap_out);
}

bool GuestReports::missed_before(const GuestStatistics& report, MonotonicTime previous) const {
  if (!first_observed_at_ || !differ(report, last_)) return false;
  const Duration period = std::max<Duration>(report.period, std::chrono::seconds(1));
  return previous - *first_observed_at_ > period * kMissedPeriods;
}

bool GuestReports::counters_restarted(const GuestStatistics& report) const {
  bool fell = false;
  const auto rose = [&](const auto& before, const auto& now) {
    if (!before || !now) return false;
    fell = fell || (*now < *before && amount(*now) <= amount(*before) / 2);
    return *before < *now;
  };
  return !rose(last_.minor_faults, report.minor_faults) &&
         !rose(last_.major_faults, report.major_faults) && !rose(last_.swap_in, report.swap_in) &&
         !rose(last_.swap_out, report.swap_out) && fell;
}

/// When a new report was made: in the middle between the moments that its stamp and the two
/// observations around it allow, or at its observation where the guest's host has another clock.
/// Reports on demand follow each other at uneven distances, which observations alone do not show.
MonotonicTime GuestReports::moment_of(const GuestStatistics& report, const Context& context) const {
  constexpr std::chrono::milliseconds kOldest = std::chrono::minutes(10);
  if (!report.last_update) return context.at;
  const WallTime::duration stamp = report.last_update->time_since_epoch();
  // Unsigned, so that senseless stamps do not overflow; a stamp from the future is far too old.
  const auto age = static_cast<std::uint64_t>(context.wall_time.time_since_epoch().count()) -
                   static_cast<std::uint64_t>(stamp.count());
  if (age > static_cast<std::uint64_t>(kOldest.count())) return context.at;
  const bool whole = stamp % std::chrono::seconds(1) == WallTime::duration();
  const MonotonicTime begin = context.at - std::chrono::milliseconds(age);
  const MonotonicTime end = begin + std::chrono::seconds(whole ? 1 : 0);
  const MonotonicTime earliest = first_observed_at_ ? std::max(begin, context.previous) : begin;
  const MonotonicTime latest = std::min(end, context.at);
  return latest < earliest ? context.at : earliest + (latest - earliest) / 2;
}

void GuestReports::update_rates(const GuestStatistics& report, const Context& context) {
  const bool same_report = report.last_update && !differ(report, last_);
  // Between two reports the last rates stay.
  if (same_report && !context.rebooted) return;
  const bool countable = !context.rebooted && first_observed_at_ && !precede(context.restored_at);
  const double passed = countable ? seconds_of(moment_of(report, context) - made_at_) : 0;
  const auto rate = [&](auto counter, const auto& high) {
    const auto& now = report.*counter;
    // A counter that is back where it fell from was misread in between: it has risen from there.
    const auto& before = high && now && *now >= *high ? high : last_.*counter;
    return counter_rate(before, now, passed);
  };
  rates_ = {rate(&GuestStatistics::swap_in, before_fall_.swap_in),
            rate(&GuestStatistics::swap_out, before_fall_.swap_out),
            rate(&GuestStatistics::major_faults, before_fall_.major_faults),
            rate(&GuestStatistics::minor_faults, before_fall_.minor_faults)};
}

void GuestReports::note_falls(const GuestStatistics& report, bool rebooted) {
  const auto note_fall = [&](auto counter, auto& before_fall) {
    const auto& before = last_.*counter;
    const auto& now = report.*counter;
    const bool fell = !rebooted && before && now && *now < *before;
    before_fall = fell ? before : std::nullopt;
  };
  note_fall(&GuestStatistics::swap_in, before_fall_.swap_in);
  note_fall(&GuestStatistics::swap_out, before_fall_.swap_out);
  note_fall(&GuestStatistics::major_faults, before_fall_.major_faults);
  note_fall(&GuestStatistics::minor_faults, before_fall_.minor_faults);
}

bool GuestReports::observe(const GuestStatistics& report, const Context& context) {
  update_rates(report, context);
  if (!report.last_update) return false;
  const bool changed = differ(report, last_);
  const bool follows = changed && last_.last_update;
  if (follows)
    not_before_ = std::max(context.previous, context.reported_after.value_or(context.previous));
  if (changed) {
    made_at_ = moment_of(report, context);
    first_observed_at_ = context.at;
  }
  if (changed || context.rebooted) note_falls(report, context.rebooted);
  last_ = report;
  return follows;
}

std::vector<DroppedFigure> drop_impossible(Snapshot& snapshot, const History& history) {
  std::vector<DroppedFigure> dropped;
  std::size_t position = 0;
  for (Domain& domain : snapshot.domains) {
    const GuestReports& reports = history.of(domain, position++).balloon.reports();
    Screen(domain, reports, snapshot.taken_at, dropped).run(snapshot.host.total);
  }
  return dropped;
}

MemorySize offline_memory(const Domain& domain, MemorySize grown) {
  if (!domain.guest.available) return {};
  // A kernel keeps a struct page of 64 bytes for each 4 KiB of its maximum, online or not. It may
  // keep as much again, and memory for a crash kernel.
  constexpr std::uint64_t kPageTable = 64;
  constexpr MemorySize kKernel = MemorySize::from_mib(64);
  constexpr MemorySize kCrashKernel = MemorySize::from_mib(256);
  const MemorySize missing = domain.actual - grown - *domain.guest.available;
  const MemorySize may_be_its_own = domain.maximum / kPageTable * 2 + kCrashKernel;
  if (missing <= may_be_its_own) return {};
  return missing - (domain.maximum / kPageTable + kKernel);
}

}  // namespace memcoord
