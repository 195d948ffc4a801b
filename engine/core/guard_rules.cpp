// The guard's two tables: preconditions and bounds.

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>

#include "engine/core/guard.h"

namespace memcoord::guard {
namespace {

std::string seconds_text(Duration duration) {
  return std::to_string(std::chrono::duration_cast<std::chrono::seconds>(duration).count()) + " s";
}

std::string size_text(const RuleInput& in, MemorySize size) {
  return size.text(in.limits.units);
}

bool shrinks(const RuleInput& in) {
  return in.target < in.view.domain.actual;
}

// --- preconditions ---

/// review() checks the target itself, and whether the domain is proposed once.
Reason unmet_sane_target(const RuleInput& in) {
  if (!in.view.domain.identity->unsuitable.empty()) {
    return [](const RuleInput& input) { return input.view.domain.identity->unsuitable; };
  }
  if (in.view.domain.settings().exclude) {
    return [](const RuleInput&) { return std::string("excluded by its settings"); };
  }
  return nullptr;
}

Reason unmet_running_only(const RuleInput& in) {
  if (in.view.domain.state == DomainState::running) return nullptr;
  if (in.view.domain.state == DomainState::hung) {
    return [](const RuleInput&) { return std::string("does not answer"); };
  }
  return
      [](const RuleInput& input) { return "is " + std::string(to_text(input.view.domain.state)); };
}

Duration trusted_age(const RuleInput& in) {
  constexpr Duration kDefaultPeriod = std::chrono::seconds(1);
  const Duration period = std::max(in.view.domain.guest.period, kDefaultPeriod);
  return period * in.limits.stale_after_periods + in.limits.stale_slack;
}

/// Whether two moments are at most `distance` apart. The difference is unsigned, so that senseless
/// stamps do not overflow.
bool within(Duration distance, WallTime a, WallTime b) {
  using Count = std::uint64_t;
  const auto [earlier, later] =
      std::minmax({a.time_since_epoch().count(), b.time_since_epoch().count()});
  const Count apart = static_cast<Count>(later) - static_cast<Count>(earlier);
  return apart <= static_cast<Count>(std::chrono::floor<WallTime::duration>(distance).count());
}

bool is_fresh(const RuleInput& in) {
  const Duration trusted = trusted_age(in);
  const auto older = [&](std::optional<MonotonicTime> at) { return at && in.now - *at > trusted; };
  const GuestReports& reports = in.view.balloon.reports();
  // Unchanged for too long: old, whatever its stamp says.
  if (older(reports.first_observed_at())) return false;
  if (within(trusted, *in.view.domain.guest.last_update, in.wall_time)) return true;
  // The clocks disagree, or one was set: memcoord trusts only a report whose change it has
  // observed.
  return reports.not_before() && !older(reports.not_before());
}

/// Why a report that is fresh by its age says nothing of the present balloon; null where it does.
Reason outdated_by_move(const RuleInput& in) {
  if (!in.view.balloon.reported_since_move()) {
    return [](const RuleInput&) { return std::string("no report since its last balloon move"); };
  }
  if (in.view.balloon.report_is_of_another_balloon(in.view.domain)) {
    return [](const RuleInput&) {
      return std::string("its last report is from before its balloon moved");
    };
  }
  return nullptr;
}

Reason unmet_fresh_stats(const RuleInput& in) {
  if (!in.view.domain.guest.last_update) {
    return [](const RuleInput&) { return std::string("its guest reports no statistics"); };
  }
  if (!in.view.reports_headroom) {
    return [](const RuleInput&) {
      return std::string("its guest does not report how much memory is unused");
    };
  }
  if (!is_fresh(in)) {
    return [](const RuleInput& input) {
      return "its statistics are older than " + seconds_text(trusted_age(input));
    };
  }
  return may_grow_unreported(in) ? nullptr : outdated_by_move(in);
}

constexpr std::array<Precondition, 3> kPreconditions{{
    {Rule::sane_target,
     "the target is a size over 0 for a domain that exists, proposed once; excluded and unsuitable "
     "domains are never moved",
     unmet_sane_target},
    {Rule::running_only,
     "the domain runs: it is not paused, crashed, shutting down, migrating, busy or hung",
     unmet_running_only},
    {Rule::fresh_stats,
     "the guest's statistics are there, at most three periods and a second old, newer than the "
     "last balloon move (by memcoord or by others), and show no more memory than the balloon "
     "leaves; without newer ones, a guest that was short (under 1.5 times its floor) may only grow",
     unmet_fresh_stats},
}};

// --- bounds ---

RuleResult pass(const RuleInput& in) {
  return {in.target};
}
RuleResult refuse(const RuleInput& in, Reason why) {
  return {in.view.domain.actual, why};
}
/// A shrink that takes at most `most`.
RuleResult limit_shrink(const RuleInput& in, MemorySize most, Reason why) {
  const MemorySize least = in.view.domain.actual - most;
  if (in.target >= least) return pass(in);
  return {least, why};
}

RuleResult limit_no_progress(const RuleInput& in) {
  if (!shrinks(in) || !in.view.balloon.ignores_shrinks()) return pass(in);
  return refuse(in, [](const RuleInput& input) {
    return "did not follow the last shrink, to " +
           size_text(input, input.view.balloon.last_move()->target);
  });
}

RuleResult limit_grace(const RuleInput& in) {
  if (!shrinks(in)) return pass(in);
  const BalloonTracker& balloon = in.view.balloon;
  const auto recent = [&](std::optional<MonotonicTime> at) {
    return at && in.now - *at < in.limits.grace;
  };
  if (recent(balloon.deflated_by_itself_at())) {
    return refuse(in, [](const RuleInput& input) {
      return "took memory back by itself less than " + seconds_text(input.limits.grace) + " ago";
    });
  }
  if (recent(balloon.rebooted_at()) || recent(in.view.domain.started_at)) {
    return limit_shrink(in, in.view.in_grace, [](const RuleInput& input) {
      const MemorySize given = input.view.in_grace;
      return "started less than " + seconds_text(input.limits.grace) + " ago" +
             (given.is_zero()
                  ? ""
                  : ", and the host needs " + size_text(input, given) + " of its memory");
    });
  }
  return pass(in);
}

/// A domain over its ceiling does not grow; it keeps what it has.
RuleResult limit_maximum(const RuleInput& in) {
  const MemorySize actual = in.view.domain.actual;
  if (in.target <= actual || in.target <= in.view.ceiling) return pass(in);
  return {std::max(in.view.ceiling, actual), [](const RuleInput& input) {
            return "passes its maximum of " + size_text(input, input.view.ceiling);
          }};
}

RuleResult limit_minimum(const RuleInput& in) {
  const auto& least = in.view.domain.settings().minimum;
  if (!least || in.target >= *least || !shrinks(in)) return pass(in);
  return {std::min(*least, in.view.domain.actual), [](const RuleInput& input) {
            return "is under its minimum of " +
                   size_text(input, *input.view.domain.settings().minimum);
          }};
}

/// What earlier ticks of the last second have taken counts as headroom that is taken already.
MemorySize most_by_tick(const RuleInput& in) {
  const MemorySize lately = in.view.balloon.shrunk_lately(in.view.domain, in.now);
  return (in.view.headroom + lately).scaled(in.limits.max_reclaim) - lately;
}
MemorySize taken(const RuleInput& in) {
  return in.view.domain.actual - in.target;
}
std::string figure_text(const RuleInput& in) {
  return std::string(to_text(counted(in.view.domain, in.limits.headroom)));
}

RuleResult limit_gradual(const RuleInput& in) {
  return limit_shrink(in, most_by_tick(in), [](const RuleInput& input) {
    return "takes " + size_text(input, taken(input)) + " of " +
           size_text(input, input.view.headroom) + " " + figure_text(input) +
           "; one tick takes at most " + size_text(input, most_by_tick(input));
  });
}

RuleResult limit_domain_floor(const RuleInput& in) {
  const MemorySize by_headroom = in.view.headroom - in.limits.domain_floor;
  const MemorySize by_usable =
      in.view.usable ? *in.view.usable - Limits::kUsableFloor : MemorySize::largest();
  if (by_usable < by_headroom) {
    return limit_shrink(in, by_usable, [](const RuleInput& input) {
      return "would leave " + size_text(input, *input.view.usable - taken(input)) +
             " usable; its floor over its kernel's watermarks is " +
             size_text(input, Limits::kUsableFloor);
    });
  }
  return limit_shrink(in, by_headroom, [](const RuleInput& input) {
    return "would leave " + size_text(input, input.view.headroom - taken(input)) + " " +
           figure_text(input) + "; its floor is " + size_text(input, input.limits.domain_floor);
  });
}

constexpr std::array<Bound, 6> kBounds{{
    {Rule::no_progress,
     "a guest that was asked to shrink, and has not moved at all in two ticks and two seconds "
     "since, gets no other shrink until it moves, however often the policy asks",
     limit_no_progress},
    {Rule::grace,
     "no shrink within 30 s of a start, a reboot, or a balloon that deflated by itself; after a "
     "start or a reboot a domain gives what the host needs at once and no other domain can give",
     limit_grace},
    {Rule::maximum,
     "no grow over the domain's maximum, its configured one, or its cgroup's limit less QEMU's own "
     "memory",
     limit_maximum},
    {Rule::minimum, "no shrink under the configured minimum", limit_minimum},
    {Rule::gradual,
     "one tick takes at most half of a domain's headroom, and so do all ticks of a second together",
     limit_gradual},
    {Rule::domain_floor,
     "no shrink leaves a domain under 100 MiB of headroom, nor under 32 MiB usable where its guest "
     "reports that; a domain at or under either gives nothing",
     limit_domain_floor},
}};

constexpr std::array<SharedBound, 3> kSharedBounds{{
    {Rule::numa_floor,
     "a domain that is bound to NUMA nodes grows into the memory of these nodes alone, and leaves "
     "them their part of the host's floor"},
    {Rule::host_floor,
     "grows leave the host 200 MiB of headroom; at or under that it gives nothing"},
    {Rule::share_out,
     "grows that together pass what the host can give are scaled by weight: no domain gets more "
     "than was asked for it, and the others share what a domain does not need"},
}};

}  // namespace

bool may_grow_unreported(const RuleInput& in) {
  if (!in.view.domain.guest.last_update || !in.view.reports_headroom || !is_fresh(in)) return false;
  if (outdated_by_move(in) == nullptr) return false;
  const auto reported = headroom_of(in.view.domain, in.limits.headroom);
  return reported && *reported < in.limits.low_domain() &&
         in.view.balloon.grown_since_report(in.view.domain).has_value();
}

bool has_fresh_report(const RuleInput& input) {
  return input.view.domain.guest.last_update && is_fresh(input);
}

std::span<const Precondition> preconditions() {
  return kPreconditions;
}
std::span<const Bound> bounds() {
  return kBounds;
}
std::span<const SharedBound> shared_bounds() {
  return kSharedBounds;
}

}  // namespace memcoord::guard
