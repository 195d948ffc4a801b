#include "engine/core/refresh_plan.h"

#include <algorithm>
#include <iterator>
#include <tuple>

namespace memcoord {
namespace {

/// A guest that has not shown a move's result by then has no driver, or does not follow.
constexpr Duration kAnswersWithin = std::chrono::seconds(5);
/// Headroom that would be gone in less than this or an interval, as it fell last, is at risk.
constexpr Duration kRiskAhead = std::chrono::seconds(3);
/// Requests may take this part of the time between ticks.
constexpr Duration::rep kBudgetPart = 10;

bool can_be_asked(const Domain& domain) {
  return domain.state == DomainState::running && domain.guest.last_update &&
         domain.guest.period > Duration() && domain.identity->unsuitable.empty() &&
         !domain.settings().exclude;
}

/// How fast the headroom fell between the last two samples, KiB a second; 0 where it did not.
double fall_rate(const DomainSamples& samples, Field field) {
  const SampleRing& recent = samples.recent();
  if (recent.size() < 2) return 0;
  const Sample& now = recent.back();
  const Sample& before = recent[recent.size() - 2];
  const double rate = (before[field] - now[field]) / seconds_of(now.at - before.at);
  return rate > 0 ? rate : 0;  // NaN where the guest did not report it
}

bool is_at_risk(const Domain& domain, const DomainSamples& samples, const RefreshInput& input) {
  const Limits& limits = input.limits;
  const auto headroom = headroom_of(domain, limits.headroom);
  if (!headroom || domain.actual >= domain.maximum) return false;  // no balloon could help it
  if (*headroom < limits.domain_floor) return true;
  const auto spare = static_cast<double>((*headroom - limits.domain_floor).kib());
  const double ahead = seconds_of(std::max(kRiskAhead, input.interval));
  return spare < fall_rate(samples, headroom_field(domain, limits.headroom)) * ahead;
}

/// The most urgent reason of one domain; none: its next report is early enough.
std::optional<RefreshWish> wish_for(const RefreshInput& input, std::size_t position,
                                    std::span<const Uuid> asked) {
  const Domain& domain = input.snapshot.domains[position];
  if (!can_be_asked(domain)) return std::nullopt;
  const DomainHistory& past = input.history.of(domain, position);
  const MonotonicTime now = input.snapshot.taken_at;
  const auto moved = past.balloon.awaits_report_since();
  if (moved && now - *moved < kAnswersWithin) {
    return RefreshWish{domain.uuid(), RefreshReason::moved, now};
  }
  if (is_at_risk(domain, past.samples, input)) {
    return RefreshWish{domain.uuid(), RefreshReason::at_risk, now};
  }
  if (std::binary_search(asked.begin(), asked.end(), domain.uuid())) {
    return RefreshWish{domain.uuid(), RefreshReason::asked, now};
  }
  if (domain.guest.period <= input.interval) return std::nullopt;
  // An early tick leaves a guest alone that reported for the tick before.
  const MonotonicTime reported = past.balloon.reports().first_observed_at().value_or(now);
  return RefreshWish{domain.uuid(), RefreshReason::overdue,
                     reported + input.interval - input.interval / kBudgetPart};
}

}  // namespace

std::vector<RefreshWish> refresh_wishes(const RefreshInput& input) {
  std::vector<Uuid> asked(input.asked.begin(), input.asked.end());
  std::sort(asked.begin(), asked.end());
  std::vector<RefreshWish> wishes;
  for (std::size_t i = 0; i < input.snapshot.domains.size(); ++i) {
    if (const auto wish = wish_for(input, i, asked)) wishes.push_back(*wish);
  }
  std::stable_sort(wishes.begin(), wishes.end(),
                   [](const RefreshWish& a, const RefreshWish& b) { return a.reason < b.reason; });
  return wishes;
}

RefreshRound RefreshBudget::choose(std::span<const RefreshWish> wishes, MonotonicTime now,
                                   Duration since_last) {
  std::vector<RefreshWish> due;
  std::copy_if(wishes.begin(), wishes.end(), std::back_inserter(due),
               [&](const RefreshWish& wish) { return wish.due_at <= now; });
  if (due.empty()) return {};
  RefreshRound round;
  round.patience = since_last / kBudgetPart;
  std::size_t most = 0;
  if (round.patience > kReportsAfter) {
    most = static_cast<std::size_t>((round.patience - kReportsAfter) / cost_);
  }
  if (most == 0) {
    saved_ += round.patience;
    if (saved_ < cost_ + kReportsAfter) return {};
    round.patience = saved_;
    most = 1;
  }
  saved_ = {};
  const bool too_many = due.size() > most;
  if (too_many) {
    std::stable_sort(due.begin(), due.end(), [&](const RefreshWish& a, const RefreshWish& b) {
      const bool a_waits = last_ < a.domain;
      const bool b_waits = last_ < b.domain;
      return std::tuple(a.reason, !a_waits, a.domain) < std::tuple(b.reason, !b_waits, b.domain);
    });
    due.resize(most);
    last_ = due.back().domain;
  }
  for (const RefreshWish& wish : due) round.domains.push_back(wish.domain);
  return round;
}

void RefreshBudget::record(const RefreshRound& round, Duration took) {
  if (round.domains.empty() || took <= Duration()) return;
  // Half of the last round's cost, so that a single slow call does not count for long.
  constexpr Duration kLeast = std::chrono::microseconds(50);
  const Duration each =
      (took - std::min(took, kReportsAfter)) / static_cast<Duration::rep>(round.domains.size());
  cost_ = std::max(kLeast, (cost_ + each) / 2);
}

}  // namespace memcoord
