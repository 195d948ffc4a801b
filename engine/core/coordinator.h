#pragma once
// The loop's body: sample, decide, review, apply, observe.

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include "engine/core/guard.h"
#include "engine/core/history.h"
#include "engine/core/hypervisor.h"
#include "engine/core/policy.h"
#include "engine/core/said_notes.h"
#include "engine/core/tick.h"
#include "engine/core/time.h"

namespace memcoord {

/// How the coordinator is to work.
struct CoordinatorOptions {
  Limits limits;
  bool dry_run = false;
  std::vector<std::string> include;  ///< globs over domain names; empty: all
  std::vector<std::string> exclude;  ///< globs over domain names; exclusion wins
  /// How long grows may wait within a tick for what its shrinks free.
  Duration release_wait = std::chrono::seconds(1);
  /// How long restore() may wait for guests' reports and for memory that they release.
  Duration restore_wait = std::chrono::seconds(10);
  /// After so many ticks in a row without a usable answer from the policy it is said loudly, and
  /// the fallback policy, where there is one, decides instead.
  int patience = 5;
  History::Bounds history;
};

/// What Coordinator::restore() came to for one domain.
struct Restored {
  Uuid domain;
  std::string name;
  MemorySize had;         ///< before its first move
  MemorySize has;         ///< by the targets that were set
  std::string why;        ///< where that is not what it had
  bool in_doubt = false;  ///< a target was sent and not answered; it may still be carried out
  [[nodiscard]] bool whole() const { return has == had && !in_doubt; }
};

/// Runs ticks. Owns the history; the hypervisor, the clock and the observers outlive it.
class Coordinator {
 public:
  Coordinator(Hypervisor& hypervisor, Clock& clock, std::unique_ptr<Policy> policy,
              CoordinatorOptions options);

  void add_observer(Observer& observer) { observers_.push_back(&observer); }
  /// Decides while the policy itself gives no usable answer.
  void set_fallback(std::unique_ptr<Policy> fallback) { fallback_ = std::move(fallback); }
  /// One tick, whatever goes wrong: errors are in the Tick.
  Tick tick();
  /// A new policy from the next tick on; history stays.
  void replace_policy(std::unique_ptr<Policy> policy);
  [[nodiscard]] Policy& policy() { return *policy_; }
  /// Every domain that was moved since it was started gets back the memory it had then, as far as
  /// the guard allows; grows need no fresh report. Waits while there is something to wait for, also
  /// where the program is asked to end. Returns what came of each, those included that have had it
  /// all along; observers are told the same as a Tick with `restoring`. Errors: those of the first
  /// Hypervisor::sample(); nothing is moved.
  Result<std::vector<Restored>> restore();
  /// How many entries all that is kept from tick to tick holds.
  [[nodiscard]] std::size_t remembered() const;

 private:
  void sample(Tick& tick);
  /// Takes what a look shows into the history, without what cannot be true.
  void observe(Tick& tick);
  void tell_what_is_dropped(Tick& tick);
  void settle(Tick& tick);
  void decide(Tick& tick, Duration since_last);
  void ask_for_proposals(Tick& tick, const Situation& situation);
  void ask(Policy& policy, const Situation& situation, Tick& tick);
  void apply(Tick& tick);
  void apply_some(Tick& tick, const std::vector<Decision>& decisions, bool shrinks);
  void move(Tick& tick, const std::vector<Move>& moves);
  /// A grow that what the shrinks free is not enough for yet.
  struct Waiting {
    Decision* decision;
    MemorySize reached;  ///< what it has been given so far
  };
  /// Grows each domain as the shrinks free what it is to get, in steps worth making; what is not
  /// there when the wait is over is cut.
  void grow_as_released(Tick& tick);
  /// A domain whose step fails gets no other in this tick.
  static void drop_failed(std::vector<Waiting>& waiting, std::span<const Outcome> outcomes);
  /// What can be given of the grows that wait, as the guard settles them; when it is the last time,
  /// all there is.
  std::vector<Move> take_ready(std::vector<Waiting>& waiting, const Snapshot& seen,
                               bool last) const;
  void say(Tick& tick, Note note, const std::optional<Uuid>& about = std::nullopt);
  void note_who_is_held(Tick& tick, std::span<const DomainView> domains);
  void leave_out_unwanted(Snapshot& snapshot);
  void forget_the_gone();
  /// A domain on its way back to what it had.
  struct Restoring {
    Restored result;
    bool over = false;   ///< nothing that is worth waiting for would change it
    Decision told = {};  ///< for observers: from where it was at first to what it came to
  };
  [[nodiscard]] std::vector<Restoring> to_restore(const Snapshot& snapshot) const;
  void settle_restored(const Tick& tick, std::vector<Restoring>& all) const;
  /// What can be done now; when it is the last time, all there is.
  void restore_some(Tick& tick, std::vector<Restoring>& all, bool last);
  /// What the guard lets a domain have back of what it `had`, whatever the host has to give now.
  static Decision allowed_back(const Restored& to, Decision decision);
  void tell_restored(Tick told);
  [[nodiscard]] bool more_can_be_taken(const Decision& decision) const;
  [[nodiscard]] bool more_may_come(const Tick& tick, const std::vector<Restoring>& all) const;

  Hypervisor& hypervisor_;
  Clock& clock_;
  std::unique_ptr<Policy> policy_;
  std::unique_ptr<Policy> fallback_;
  CoordinatorOptions options_;
  History history_;
  std::vector<Observer*> observers_;
  std::uint64_t number_ = 0;
  std::optional<MonotonicTime> last_tick_at_;
  int without_answer_ = 0;
  int beyond_rescue_ = 0;  ///< ticks in a row in which the host missed more than domains can give
  /// The identities of domains that options exclude, each with what it was rewritten from.
  struct LeftOut {
    std::shared_ptr<const DomainIdentity> from;
    std::shared_ptr<const DomainIdentity> to;
  };
  std::unordered_map<Uuid, LeftOut> left_out_;
  SaidNotes said_;
  /// Domains of which a dropped figure has been told since they came.
  std::unordered_set<Uuid> told_of_dropped_;
};

}  // namespace memcoord
