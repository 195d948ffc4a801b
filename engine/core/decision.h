#pragma once
// The values that a tick is made of: proposals, the guard's decisions, moves and their outcomes.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/core/error.h"
#include "engine/core/memory_size.h"
#include "engine/core/time.h"
#include "engine/core/uuid.h"

namespace memcoord {

/// The rules that a decision names, in the order in which they apply. docs/administration.md lists
/// them ("The guard").
enum class Rule {
  host_rescue,
  reserve,
  sane_target,
  running_only,
  fresh_stats,
  no_progress,
  grace,
  maximum,
  minimum,
  gradual,
  domain_floor,
  numa_floor,
  host_floor,
  share_out,
};
inline constexpr std::size_t kRuleCount = 14;
std::string_view to_text(Rule rule);
std::optional<Rule> rule_from_text(std::string_view text);

/// A policy's request for one domain: the size of its balloon. The bindings and the journal check
/// that a target is a finite, whole number and not negative; MemorySize holds nothing else.
struct Proposal {
  Uuid domain;
  MemorySize target;
  std::string why;
  std::optional<Rule> rule = {};  ///< set where the engine asks by this rule, not the policy
  bool operator==(const Proposal&) const = default;
};

/// One rule that limited a target. Where it refused, `after` is the actual size.
struct RuleHit {
  Rule rule{};
  MemorySize before;
  MemorySize after;
  std::string why;  ///< one clause: "would leave 60 MiB unused"
  bool operator==(const RuleHit&) const = default;
};

/// What the guard allows of one proposal. target == actual: nothing is to be moved.
struct Decision {
  Uuid domain;
  MemorySize actual;  ///< the balloon's size at the time of the decision
  MemorySize proposed;
  MemorySize target;
  std::string why;  ///< the policy's reason
  std::vector<RuleHit> rules;

  [[nodiscard]] bool shrinks() const { return target < actual; }
  [[nodiscard]] bool grows() const { return target > actual; }
  [[nodiscard]] bool holds() const { return target == actual; }
  /// The size of the move, in either direction.
  [[nodiscard]] MemorySize change() const { return grows() ? target - actual : actual - target; }
  bool operator==(const Decision&) const = default;
};

/// A target on its way to the hypervisor.
struct Move {
  Uuid domain;
  MemorySize from;
  MemorySize to;
  bool operator==(const Move&) const = default;
};

/// The result of one move.
struct Outcome {
  enum class Kind {
    applied,   ///< the hypervisor took the target (the guest may need time, or never follow)
    dry_run,   ///< not sent, as the operator asked
    vanished,  ///< the domain went away between sample and apply
    skipped,   ///< not sent: the domain is paused, migrating, busy or hung
    failed,    ///< refused, with the error
    unknown,   ///< sent and not answered: the hypervisor may carry it out, or has done so
  };
  Uuid domain;
  MemorySize from;
  MemorySize to;
  Kind kind = Kind::applied;
  std::optional<Error> error;
  MonotonicTime at{};  ///< when the coordinator learnt of it
  bool operator==(const Outcome&) const = default;
};
std::string_view to_text(Outcome::Kind kind);

/// A figure that cannot be true; memcoord decided without it.
struct DroppedFigure {
  Uuid domain;
  std::string figure;       ///< by its name in the policy API
  std::uint64_t value = 0;  ///< KiB, or a count
  std::string why;          ///< one clause: "is more than the guest's total of 2 GiB"
  bool operator==(const DroppedFigure&) const = default;
};

/// A message for the operator: a hint, a skipped domain, a reconnection.
struct Note {
  enum class Severity { info, warning, error };
  Severity severity = Severity::info;
  std::string text;
  bool operator==(const Note&) const = default;
};

}  // namespace memcoord
