#pragma once
// The small values that a tick is made of: what the policy proposes, what the guard decides, what
// came of it.

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

/// The guard's rules, in the order in which they apply. docs/guard.md says what each enforces.
enum class Rule {
  host_rescue,
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
inline constexpr std::size_t kRuleCount = 13;
std::string_view to_text(Rule rule);
std::optional<Rule> rule_from_text(std::string_view text);

/// What a policy asks for: one domain's balloon at one size. That a target is a number at all,
/// finite, whole and not negative, is checked where it enters (bindings, journal): MemorySize
/// cannot hold anything else.
struct Proposal {
  Uuid domain;
  MemorySize target;
  std::string why;
  std::optional<Rule> rule = {};  ///< the engine asks for it by this rule, not the policy
  bool operator==(const Proposal&) const = default;
};

/// One rule that bit: it turned one target into another (for a veto, into the current size).
struct RuleHit {
  Rule rule{};
  MemorySize before;
  MemorySize after;
  std::string why;  ///< one clause: "would leave 60 MiB unused"
  bool operator==(const RuleHit&) const = default;
};

/// What the guard lets through for one proposal. target == actual: nothing is to be moved.
struct Decision {
  Uuid domain;
  MemorySize actual;  ///< the balloon's size when it was decided
  MemorySize proposed;
  MemorySize target;
  std::string why;  ///< the policy's own words
  std::vector<RuleHit> rules;

  [[nodiscard]] bool shrinks() const { return target < actual; }
  [[nodiscard]] bool grows() const { return target > actual; }
  [[nodiscard]] bool holds() const { return target == actual; }
  bool operator==(const Decision&) const = default;
};

/// A target on its way to the hypervisor.
struct Move {
  Uuid domain;
  MemorySize from;
  MemorySize to;
  bool operator==(const Move&) const = default;
};

/// What came of one move.
struct Outcome {
  enum class Kind {
    applied,   ///< the hypervisor took the target (the guest may need time, or never follow)
    dry_run,   ///< not sent, as asked
    vanished,  ///< the domain went away between sample and apply
    skipped,   ///< never sent: the domain is paused, migrating, busy or hung
    failed,    ///< refused, with the error
    unknown,   ///< sent and not answered: it may have been carried out, or may be later
  };
  Uuid domain;
  MemorySize from;
  MemorySize to;
  Kind kind = Kind::applied;
  std::optional<Error> error;
  MonotonicTime at{};  ///< when the coordinator took note of it
  bool operator==(const Outcome&) const = default;
};
std::string_view to_text(Outcome::Kind kind);

/// A figure of a guest's report that cannot be true; nothing was decided by it.
struct DroppedFigure {
  Uuid domain;
  std::string figure;       ///< by its name in the policy API
  std::uint64_t value = 0;  ///< KiB, or a count
  std::string why;          ///< one clause: "is more than the guest's total of 2 GiB"
  bool operator==(const DroppedFigure&) const = default;
};

/// Something worth telling the operator, said once: a hint, a domain left alone, a reconnection.
struct Note {
  enum class Severity { info, warning, error };
  Severity severity = Severity::info;
  std::string text;
  bool operator==(const Note&) const = default;
};

}  // namespace memcoord
