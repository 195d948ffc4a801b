#pragma once
// Fakes for the engine's surroundings: a clock, a hypervisor, a policy; and a coordinator on them.

#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "engine/core/coordinator.h"
#include "engine/core/hypervisor.h"
#include "engine/core/policy.h"
#include "engine/core/time.h"

namespace memcoord::test {

/// Outcomes that say every move was applied.
std::vector<Outcome> all_applied(std::span<const Move> moves);

/// A clock that advances only by its sleep functions.
class FakeClock final : public Clock {
 public:
  [[nodiscard]] MonotonicTime now() const override { return now_; }
  [[nodiscard]] WallTime wall_now() const override {
    return wall_ + std::chrono::duration_cast<std::chrono::milliseconds>(now_ - start_);
  }
  bool sleep_for(Duration duration) override {
    if (asked_to_end) return false;
    sleep_through(duration);
    return true;
  }
  void sleep_through(Duration duration) override {
    now_ += duration;
    slept_ += duration;
  }
  /// Takes over the time of a snapshot.
  void follow(const Snapshot& snapshot) {
    start_ = now_ = snapshot.taken_at;
    wall_ = snapshot.wall_time;
  }
  [[nodiscard]] Duration slept() const { return slept_; }

  /// Set by tests: a signal has come in, which cuts waits short.
  bool asked_to_end = false;

 private:
  MonotonicTime start_{};
  MonotonicTime now_{};
  WallTime wall_{};
  Duration slept_{};
};

/// Returns prepared snapshots one after another, the last one for ever, and applies every move,
/// except those of domains that a test makes fail. Moves change later snapshots: the domain's size
/// and the host's free memory follow them.
class FakeHypervisor final : public Hypervisor {
 public:
  explicit FakeHypervisor(std::vector<Snapshot> snapshots) : snapshots_(std::move(snapshots)) {}

  [[nodiscard]] std::string description() const override { return "fake:"; }
  Result<Snapshot> sample() override;
  void refresh(std::span<const Uuid> domains, Duration patience) override;
  std::vector<Outcome> apply(std::span<const Move> moves) override;
  std::vector<Outcome> drain_late_outcomes() override { return std::exchange(late, {}); }
  std::vector<Note> drain_notes() override { return std::exchange(notes, {}); }
  void close() override {
    closed = true;
    notes.insert(notes.end(), last_notes.begin(), last_notes.end());
  }

  /// Set by tests: the outcome of each domain's moves (applied by default).
  std::map<Uuid, Outcome::Kind> outcomes;
  /// Set by tests: late outcomes of earlier moves, handed out after the next sample.
  std::vector<Outcome> late;
  /// Set by tests: the error of every sample.
  std::optional<Error> down;
  /// Set by tests: the notes to hand out next.
  std::vector<Note> notes;
  /// Set by tests: notes that close() leaves to hand out.
  std::vector<Note> last_notes;
  /// Set by tests: domains whose guests do not follow, though the hypervisor takes the target.
  std::vector<Uuid> ignoring;
  /// Read by tests.
  std::vector<Move> moves;
  int samples = 0;
  std::vector<std::vector<Uuid>> refreshed;  ///< the domains of each refresh()
  Duration patience{};                       ///< of the last refresh()
  bool closed = false;

 private:
  std::vector<Snapshot> snapshots_;
  std::map<Uuid, MemorySize> moved_;
};

/// A policy whose decisions a function makes.
class FakePolicy final : public Policy {
 public:
  using Decide = std::function<Result<PolicyAnswer>(const Situation&)>;
  explicit FakePolicy(Decide decide, std::string name = "fake")
      : decide_(std::move(decide)), name_(std::move(name)) {}
  [[nodiscard]] std::string name() const override { return name_; }
  Result<PolicyAnswer> decide(const Situation& situation) override { return decide_(situation); }

 private:
  Decide decide_;
  std::string name_;
};

/// A policy that proposes the same targets in every tick, by domain name.
std::unique_ptr<Policy> asks(std::vector<std::pair<std::string, MemorySize>> targets,
                             std::string name = "fake");

/// A coordinator on a fake hypervisor and a fake clock.
struct CoordinatorHarness {
  CoordinatorHarness(std::vector<Snapshot> snapshots, std::unique_ptr<Policy> policy,
                     CoordinatorOptions options = {})
      : hypervisor(snapshots),
        coordinator(hypervisor, clock, std::move(policy), std::move(options)) {
    clock.follow(snapshots.front());
  }
  FakeHypervisor hypervisor;
  FakeClock clock;
  Coordinator coordinator;
};

}  // namespace memcoord::test
