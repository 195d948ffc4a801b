#pragma once
// Stand-ins for what lies outside the engine: a clock, a hypervisor, a policy.

#include <functional>
#include <map>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "engine/core/hypervisor.h"
#include "engine/core/policy.h"
#include "engine/core/time.h"

namespace memcoord::test {

/// What comes of moves that are all made.
std::vector<Outcome> all_applied(std::span<const Move> moves);

/// Goes on only when someone sleeps.
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
  /// The present as a snapshot has it.
  void follow(const Snapshot& snapshot) {
    start_ = now_ = snapshot.taken_at;
    wall_ = snapshot.wall_time;
  }
  [[nodiscard]] Duration slept() const { return slept_; }

  /// Set by tests: a signal has come in, so that waits are cut short.
  bool asked_to_end = false;

 private:
  MonotonicTime start_{};
  MonotonicTime now_{};
  WallTime wall_{};
  Duration slept_{};
};

/// Shows prepared looks one after another (the last one for ever) and takes every move, save those
/// of domains that a test makes fail. Moves change what later looks show: actual follows, free
/// memory too.
class FakeHypervisor final : public Hypervisor {
 public:
  explicit FakeHypervisor(std::vector<Snapshot> looks) : looks_(std::move(looks)) {}

  [[nodiscard]] std::string description() const override { return "fake:"; }
  Result<Snapshot> sample() override;
  std::vector<Outcome> apply(std::span<const Move> moves) override;
  std::vector<Outcome> take_late_outcomes() override { return std::exchange(late, {}); }
  std::vector<Note> take_notes() override { return std::exchange(notes, {}); }
  void close() override {
    closed = true;
    notes.insert(notes.end(), last_notes.begin(), last_notes.end());
  }

  /// Set by tests: what comes of moves on a domain, what is learnt of earlier ones at the next
  /// sample, that sample's error, notes to hand out.
  std::map<Uuid, Outcome::Kind> outcomes;
  std::vector<Outcome> late;
  std::optional<Error> down;
  std::vector<Note> notes;
  /// What closing leaves to say.
  std::vector<Note> last_notes;
  /// Guests that do not follow, though the hypervisor takes the target.
  std::vector<Uuid> ignoring;
  /// Read by tests.
  std::vector<Move> moves;
  int samples = 0;
  bool closed = false;

 private:
  std::vector<Snapshot> looks_;
  std::map<Uuid, MemorySize> moved_;
};

/// Decides by a function.
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

}  // namespace memcoord::test
