#include "engine/core/tick_rhythm.h"

#include <algorithm>
#include <initializer_list>
#include <string>
#include <utility>

namespace memcoord {
namespace {

/// A guest that has not answered a move for this long is waited for at the calm rhythm.
constexpr Duration kAnswerTime = std::chrono::seconds(3);

bool has_rule(const Decision& decision, std::initializer_list<Rule> rules) {
  return std::any_of(decision.rules.begin(), decision.rules.end(), [&](const RuleHit& hit) {
    return std::find(rules.begin(), rules.end(), hit.rule) != rules.end();
  });
}

bool is_short(const Domain& domain, const Limits& limits) {
  const auto headroom = headroom_of(domain, limits.headroom);
  return domain.state == DomainState::running && headroom && *headroom < limits.domain_floor;
}

/// Whether the guest has been given memory, and has not answered yet.
bool answer_is_due(const BalloonTracker& balloon, MonotonicTime now) {
  const auto& move = balloon.last_move();
  if (!move || move->shrinks() || now - move->at >= kAnswerTime) return false;
  return !move->reached || !balloon.reported_since_move();
}

/// Whether the host limited the grow of a domain that is short.
bool short_domain_waits(const Tick& tick) {
  return std::any_of(tick.decisions.begin(), tick.decisions.end(), [&](const Decision& decision) {
    if (!has_rule(decision, {Rule::numa_floor, Rule::host_floor, Rule::share_out})) return false;
    const Domain* domain = tick.snapshot.find(decision.domain);
    return domain != nullptr && is_short(*domain, tick.limits);
  });
}

/// Whether a reserve lacks memory.
bool reserve_waits(const Tick& tick) {
  return !tick.account.reserved.is_zero() && !tick.account.shortfall.is_zero();
}

}  // namespace

std::optional<Duration> wish_of_engine(const Tick& tick, const History& history) {
  // A dry run moves nothing, so that an early tick would find everything as it was.
  if (tick.dry_run || tick.sample_error) return std::nullopt;
  const bool rescue =
      std::any_of(tick.decisions.begin(), tick.decisions.end(), [](const Decision& decision) {
        return decision.shrinks() && has_rule(decision, {Rule::host_rescue, Rule::reserve});
      });
  if (rescue) return Duration();
  bool memory_is_coming = false;
  for (std::size_t i = 0; i < tick.snapshot.domains.size(); ++i) {
    const Domain& domain = tick.snapshot.domains[i];
    const BalloonTracker& balloon = history.of(domain, i).balloon;
    if (is_short(domain, tick.limits) && answer_is_due(balloon, tick.snapshot.taken_at)) {
      return Duration();
    }
    memory_is_coming = memory_is_coming || !balloon.coming_back(domain).is_zero();
  }
  if (memory_is_coming && (short_domain_waits(tick) || reserve_waits(tick))) return Duration();
  return std::nullopt;
}

std::optional<MonotonicTime> TickRhythm::wanted(const Tick& tick, MonotonicTime began,
                                                MonotonicTime now) const {
  if (is_off() || !tick.again) return std::nullopt;
  // Waiting for reports, and for released memory (Timings::apply), costs nothing.
  const Timings& spent = tick.timings;
  const Duration cost = spent.sample - tick.waited + spent.decide + spent.review;
  const Duration apart = std::max({min_interval_, *tick.again, cost * kCostShare});
  const MonotonicTime at = std::max(now, began + apart);
  return at < due_ + interval_ ? std::optional(at) : std::nullopt;
}

void TickRhythm::refill(MonotonicTime now) {
  budget_ =
      std::min(kMostEarly, budget_ + seconds_of(now - refilled_at_) / seconds_of(granted_every()));
  refilled_at_ = now;
  if (budget_ >= kMostEarly) ended_ = false;
}

void TickRhythm::bring_forward(std::optional<MonotonicTime> began, MonotonicTime now) {
  if (is_off() || !began) return;
  refill(now);
  const MonotonicTime at = std::max(now, *began + min_interval_);
  if (budget_ < 1 || at >= due_) return;
  budget_ -= 1;
  due_ = at;
}

TickRhythm::Next TickRhythm::next(const Tick& tick, MonotonicTime began, MonotonicTime now) {
  refill(now);
  Next next;
  if (const auto early = wanted(tick, began, now)) {
    Duration granted_in{};
    if (budget_ < 1) {
      next.budget_ends = !std::exchange(ended_, true);
      granted_in = std::chrono::ceil<Duration>(granted_every() * (1 - budget_));
    }
    const MonotonicTime at = std::max(*early, now + granted_in);
    if (at < due_ + interval_) {
      budget_ -= 1;
      next.early = true;
      next.due = due_ = at;
      return next;
    }
  }
  due_ += interval_;
  if (now > due_) {
    next.skipped = static_cast<std::uint64_t>((now - due_) / interval_) + 1;
    due_ += interval_ * static_cast<std::int64_t>(next.skipped);
  }
  next.due = due_;
  return next;
}

Note budget_note(const Tick& tick) {
  return {
      Note::Severity::info,
      "early ticks were asked for without a break (policy " + tick.policy +
          ", or guests that stay short): from now on they are granted once a second, or once an "
          "interval where that is shorter"};
}

}  // namespace memcoord
