#pragma once
// The loop's body: sample, evaluate, move, observe.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "engine/core/balloon_mover.h"
#include "engine/core/domain_filter.h"
#include "engine/core/history.h"
#include "engine/core/hypervisor.h"
#include "engine/core/limits.h"
#include "engine/core/policy.h"
#include "engine/core/refresh_plan.h"
#include "engine/core/reserve_book.h"
#include "engine/core/restoration.h"
#include "engine/core/tick.h"
#include "engine/core/tick_notes.h"
#include "engine/core/time.h"

namespace memcoord {

struct CoordinatorOptions {
  Limits limits;
  bool dry_run = false;              ///< decide and report, but move nothing
  std::vector<std::string> include;  ///< patterns over domain names; empty: all domains
  std::vector<std::string> exclude;  ///< patterns over domain names; they win over `include`
  /// How long grows may wait within a tick for memory that its shrinks release.
  Duration release_wait = std::chrono::seconds(1);
  /// How long restore() may wait for guests' reports and for memory that they release.
  Duration restore_wait = std::chrono::seconds(10);
  /// After this many ticks in a row without a usable answer from the policy, the coordinator warns
  /// and lets the fallback policy, if there is one, decide.
  int patience = 5;
  /// Between calm ticks.
  Duration interval = kDefaultInterval;
  /// Whether the coordinator asks guests for reports before it samples (refresh_plan.h).
  bool reports_on_demand = true;
  History::Bounds history;
};

/// Runs ticks. Owns the policy and the history; the hypervisor, the clock and the observers outlive
/// it. Not thread-safe.
class Coordinator {
 public:
  Coordinator(Hypervisor& hypervisor, Clock& clock, std::unique_ptr<Policy> policy,
              CoordinatorOptions options);

  void add_observer(Observer& observer) { observers_.push_back(&observer); }
  /// The policy that decides while the main one gives no usable answer.
  void set_fallback(std::unique_ptr<Policy> fallback) { fallback_ = std::move(fallback); }
  /// Runs one tick and passes it to the observers. Errors are part of the Tick.
  Tick tick();
  /// Puts a new policy in place from the next tick on; the history stays.
  void replace_policy(std::unique_ptr<Policy> policy);
  [[nodiscard]] Policy& policy() { return *policy_; }
  /// Whether ticks decide and report, but move nothing, from the next tick on.
  void set_dry_run(bool on);
  /// Skips a domain, or every domain, from the next tick on.
  void pause(const std::optional<Uuid>& domain, Pause pause) {
    filter_.pause(domain, std::move(pause));
  }
  /// Without a domain, ends every pause.
  void resume(const std::optional<Uuid>& domain) { filter_.resume(domain); }
  [[nodiscard]] bool any_paused() const { return filter_.any_paused(); }
  /// Holds memory for a guest that is about to start, from the next tick on. False: there are
  /// ReserveBook::kMost already.
  bool reserve(Reserve reserve) {
    const bool added = reserves_.add(std::move(reserve));
    wants_tick_ = wants_tick_ || added;
    return added;
  }
  /// Whether a reserve has been asked for since the last tick, so that the next one should come
  /// soon.
  [[nodiscard]] bool wants_tick() const { return wants_tick_; }
  /// Ends the reserve of a domain, by its name or UUID. False: it has none.
  bool release(const std::string& name_or_uuid) { return reserves_.release(name_or_uuid); }
  /// Adds a note of the operator's own to the next tick.
  void add_note(Note note) { notes_to_add_.push_back(std::move(note)); }
  /// Gives every domain that was moved since it was started its earlier memory back, as far as the
  /// guard allows; grows need no fresh report. Waits while waiting can help, even if the program is
  /// asked to end. Returns a result for each domain that was ever moved, and passes the record to
  /// the observers as a Tick with `restoring`. Errors: those of the first Hypervisor::sample();
  /// then nothing is moved.
  Result<std::vector<Restored>> restore();
  /// The number of entries kept from tick to tick.
  [[nodiscard]] std::size_t remembered() const {
    return history_.size() + filter_.remembered() + notes_.remembered();
  }

 private:
  void ask_for_reports(Tick& tick);
  void plan_reports(const Tick& tick);
  [[nodiscard]] Status sample(Tick& tick);
  void evaluate(Tick& tick);
  void note_skipped(Tick& tick, const Situation& situation);
  void ask_for_proposals(Tick& tick, const Situation& situation);
  void ask(Policy& policy, const Situation& situation, Tick& tick);
  void move(Tick& tick);
  void notify_observers(const Tick& tick);

  Hypervisor& hypervisor_;
  Clock& clock_;
  std::unique_ptr<Policy> policy_;
  std::unique_ptr<Policy> fallback_;
  CoordinatorOptions options_;
  History history_;
  BalloonMover mover_;
  DomainFilter filter_;
  TickNotes notes_;
  ReserveBook reserves_;
  bool wants_tick_ = false;
  std::vector<RefreshWish> wishes_;  ///< of the last tick
  std::vector<Uuid> refresh_asked_;  ///< by the policy in this tick
  RefreshBudget refresh_budget_;
  std::vector<Note> notes_to_add_;
  std::vector<Observer*> observers_;
  std::uint64_t number_ = 0;
  std::optional<MonotonicTime> last_tick_at_;
  int without_answer_ = 0;  ///< ticks in a row
};

}  // namespace memcoord
