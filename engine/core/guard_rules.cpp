#include "engine/core/guard_rules.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>

#include "engine/core/guard.h"

namespace memcoord::guard {
namespace {

Ruling pass(MemorySize target) {
  return {target, {}};
}
Ruling veto(const Case& c, std::string why) {
  return {c.domain.actual, std::move(why)};
}

std::string seconds_text(Duration duration) {
  return std::to_string(std::chrono::duration_cast<std::chrono::seconds>(duration).count()) + " s";
}

std::string text(const Case& c, MemorySize size) {
  return size.text(c.limits.units);
}

// Each rule below takes what the rules before it left of the target.

Ruling running_only(const Case& c, MemorySize target) {
  switch (c.domain.state) {
    case DomainState::running:
      return pass(target);
    case DomainState::hung:
      return veto(c, "does not answer");
    default:
      return veto(c, "is " + std::string(to_text(c.domain.state)));
  }
}

Duration trusted_age(const Case& c) {
  constexpr Duration kDefaultPeriod = std::chrono::seconds(1);
  const Duration period = std::max(c.domain.guest.period, kDefaultPeriod);
  return period * c.limits.stale_after_periods + c.limits.stale_slack;
}

/// Whether two moments are at most so far apart. Stamps that make no sense must not overflow.
bool within(Duration distance, WallTime a, WallTime b) {
  using Count = std::uint64_t;
  const auto [earlier, later] =
      std::minmax({a.time_since_epoch().count(), b.time_since_epoch().count()});
  const Count apart = static_cast<Count>(later) - static_cast<Count>(earlier);
  return apart <= static_cast<Count>(std::chrono::floor<WallTime::duration>(distance).count());
}

bool is_fresh(const Case& c) {
  const Duration trusted = trusted_age(c);
  const auto older = [&](std::optional<MonotonicTime> at) { return at && c.now - *at > trusted; };
  // Seen unchanged for too long: old, whatever its stamp says.
  if (c.history && older(c.history->report_first_seen_at())) return false;
  if (within(trusted, *c.domain.guest.last_update, c.wall_time)) return true;
  // The clocks disagree, or one was set: what counts is to have seen it change.
  return c.history && c.history->report_not_before() && !older(c.history->report_not_before());
}

Ruling fresh_stats(const Case& c, MemorySize target) {
  if (!c.domain.guest.last_update) return veto(c, "its guest reports no statistics");
  if (!c.reports_headroom) {
    return veto(c, "its guest does not report how much memory is unused");
  }
  if (!is_fresh(c)) {
    return veto(c, "its statistics are older than " + seconds_text(trusted_age(c)));
  }
  if (c.history && !c.history->reported_since_move()) {
    return veto(c, "no report since its last balloon move");
  }
  if (c.history && c.history->report_is_of_another_balloon(c.domain)) {
    return veto(c, "its last report is from before its balloon moved");
  }
  return pass(target);
}

bool ignores_shrinks(const Case& c) {
  return c.history && c.history->ignores_shrinks();
}

Ruling no_progress(const Case& c, MemorySize target) {
  if (target >= c.domain.actual || !ignores_shrinks(c)) return pass(target);
  return veto(c, "did not follow the last shrink, to " + text(c, c.history->last_move()->target));
}

/// What the domain is let settle after, or null.
const char* settling_after(const Case& c) {
  if (!c.history) return nullptr;
  const auto recent = [&](std::optional<MonotonicTime> at) {
    return at && c.now - *at < c.limits.grace;
  };
  if (recent(c.history->rebooted_at()) || recent(c.domain.started_at)) return "started";
  if (recent(c.history->deflated_by_itself_at())) return "took memory back by itself";
  return nullptr;
}

Ruling grace(const Case& c, MemorySize target) {
  if (target >= c.domain.actual) return pass(target);
  const char* event = settling_after(c);
  if (event == nullptr) return pass(target);
  return veto(c, event + (" less than " + seconds_text(c.limits.grace)) + " ago");
}

Ruling maximum(const Case& c, MemorySize target) {
  const MemorySize ceiling = ceiling_of(c.domain, c.history);
  if (target <= ceiling) return pass(target);
  // A domain over its ceiling is not grown; nor does the ceiling take what it has.
  const MemorySize allowed = target > c.domain.actual ? std::max(ceiling, c.domain.actual) : target;
  return {allowed, "passes its maximum of " + text(c, ceiling)};
}

Ruling minimum(const Case& c, MemorySize target) {
  const auto& least = c.domain.settings().minimum;
  if (!least || target >= *least || target >= c.domain.actual) return pass(target);
  return {std::min(*least, c.domain.actual), "is under its minimum of " + text(c, *least)};
}

/// A shrink that takes at most `give`.
MemorySize shrink_by_at_most(const Case& c, MemorySize target, MemorySize give) {
  return std::max(target, c.domain.actual - give);
}

/// The most that `gradual` and `domain_floor` let go.
MemorySize most_by_tick(const Case& c) {
  return c.headroom.scaled(c.limits.max_release);
}
MemorySize most_by_floor(const Case& c) {
  return c.headroom - c.limits.domain_floor;
}
MemorySize most_by_usable_floor(const Case& c) {
  return c.usable ? *c.usable - Limits::kUsableFloor : MemorySize::largest();
}

std::string_view counted_text(const Case& c) {
  return to_text(counted(c.domain, c.limits.headroom));
}

Ruling gradual(const Case& c, MemorySize target) {
  const MemorySize give = most_by_tick(c);
  const MemorySize allowed = shrink_by_at_most(c, target, give);
  if (target >= c.domain.actual || allowed == target) return pass(target);
  return {allowed, "takes " + text(c, c.domain.actual - target) + " of " + text(c, c.headroom) +
                       " " + std::string(counted_text(c)) + "; one tick takes at most " +
                       text(c, give)};
}

Ruling domain_floor(const Case& c, MemorySize target) {
  const MemorySize give = std::min(most_by_floor(c), most_by_usable_floor(c));
  const MemorySize allowed = shrink_by_at_most(c, target, give);
  if (target >= c.domain.actual || allowed == target) return pass(target);
  const MemorySize taken = c.domain.actual - target;
  if (most_by_usable_floor(c) < most_by_floor(c)) {
    return {allowed, "would leave " + text(c, *c.usable - taken) +
                         " usable; its floor over its kernel's watermarks is " +
                         text(c, Limits::kUsableFloor)};
  }
  return {allowed, "would leave " + text(c, c.headroom - taken) + " " +
                       std::string(counted_text(c)) + "; its floor is " +
                       text(c, c.limits.domain_floor)};
}

constexpr std::array<NamedRule, 8> kDomainRules{{
    {Rule::running_only, running_only},
    {Rule::fresh_stats, fresh_stats},
    {Rule::no_progress, no_progress},
    {Rule::grace, grace},
    {Rule::maximum, maximum},
    {Rule::minimum, minimum},
    {Rule::gradual, gradual},
    {Rule::domain_floor, domain_floor},
}};

}  // namespace

std::span<const NamedRule> domain_rules() {
  return kDomainRules;
}

std::span<const NamedRule> holding_rules() {
  constexpr std::size_t kHolding = 2;  // running_only, fresh_stats
  return domain_rules().first(kHolding);
}

MemorySize releasable(const Case& c) {
  if (ignores_shrinks(c) || settling_after(c) != nullptr) return {};
  const MemorySize over_minimum =
      c.domain.actual - c.domain.settings().minimum.value_or(MemorySize());
  return std::min({most_by_tick(c), most_by_floor(c), most_by_usable_floor(c), over_minimum});
}

}  // namespace memcoord::guard
