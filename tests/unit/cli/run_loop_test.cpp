#include "engine/cli/run_loop.h"

#include <doctest/doctest.h>

#include <memory>
#include <vector>

using namespace memcoord;
using namespace memcoord::cli;
using namespace std::chrono_literals;

namespace {

// A clock that moves only when someone waits or a look at the host takes time.
class HandClock : public Clock {
 public:
  [[nodiscard]] MonotonicTime now() const override { return now_; }
  [[nodiscard]] WallTime wall_now() const override { return {}; }
  bool sleep_for(Duration duration) override {
    now_ += duration;
    return true;
  }
  void pass(Duration duration) { now_ += duration; }

 private:
  MonotonicTime now_{};
};

// A host without domains, each look at which takes as long as the test says.
class SlowHost : public Hypervisor {
 public:
  SlowHost(HandClock& clock, std::vector<Duration> looks)
      : clock_(clock), looks_(std::move(looks)) {}
  [[nodiscard]] std::string description() const override { return "slow:"; }
  Result<Snapshot> sample() override {
    started.push_back(clock_.now().time_since_epoch());
    if (started.size() <= looks_.size()) clock_.pass(looks_[started.size() - 1]);
    Snapshot snapshot;
    snapshot.taken_at = clock_.now();
    return snapshot;
  }
  std::vector<Outcome> apply(std::span<const Move> /*moves*/) override { return {}; }
  std::vector<Note> take_notes() override { return {}; }
  void close() override {}

  std::vector<Duration> started;

 private:
  HandClock& clock_;
  std::vector<Duration> looks_;
};

class Nothing : public Policy {
 public:
  [[nodiscard]] std::string name() const override { return "nothing"; }
  Result<PolicyAnswer> decide(const Situation& /*situation*/) override { return PolicyAnswer{}; }
};

// A loop on such a host, and what it told its surroundings.
struct LoopedHost {
  explicit LoopedHost(std::vector<Duration> looks = {}) : host(clock, std::move(looks)) {
    hooks.stop_requested = [this] { return stop; };
    hooks.take_reload = [this] { return std::exchange(reload_asked, false); };
    hooks.reload = [this] { ++reloads; };
    hooks.over = [] { return false; };
    hooks.idle = [](const Tick& tick) { return tick.snapshot.domains.empty(); };
    hooks.after = [](const Tick&) {};
    hooks.skipped = [this](std::uint64_t n) { skipped += n; };
  }
  LoopEnd run(const LoopOptions& options) { return run_loop(coordinator, clock, options, hooks); }

  HandClock clock;
  SlowHost host;
  Coordinator coordinator{host, clock, std::make_unique<Nothing>(), {}};
  LoopHooks hooks;
  bool stop = false;
  bool reload_asked = false;
  int reloads = 0;
  std::uint64_t skipped = 0;
};

}  // namespace

TEST_CASE("ticks are as far apart as asked, however long each takes") {
  LoopedHost world({100ms, 700ms, 0ms, 999ms});
  CHECK(world.run({.interval = 1s, .ticks = 5}) == LoopEnd::ticks_done);
  CHECK(world.host.started == std::vector<Duration>{0s, 1s, 2s, 3s, 4s});
  CHECK(world.skipped == 0);
}

TEST_CASE("a tick that takes longer than the interval leaves out the ones it ran into") {
  LoopedHost world({0ms, 2500ms, 0ms});
  CHECK(world.run({.interval = 1s, .ticks = 4}) == LoopEnd::ticks_done);
  CHECK(world.host.started == std::vector<Duration>{0s, 1s, 4s, 5s});
  CHECK(world.skipped == 2);
}

TEST_CASE("a tick that takes exactly the interval leaves out none") {
  LoopedHost world({1000ms, 1000ms});
  CHECK(world.run({.interval = 1s, .ticks = 3}) == LoopEnd::ticks_done);
  CHECK(world.host.started == std::vector<Duration>{0s, 1s, 2s});
  CHECK(world.skipped == 0);
}

TEST_CASE("a request to end is heard before the next tick") {
  LoopedHost world;
  world.hooks.after = [&](const Tick& tick) { world.stop = tick.number == 3; };
  CHECK(world.run({.interval = 1s}) == LoopEnd::stopped);
  CHECK(world.host.started.size() == 3);
}

TEST_CASE("a request to end before the start means no tick at all") {
  LoopedHost world;
  world.stop = true;
  CHECK(world.run({.interval = 1s}) == LoopEnd::stopped);
  CHECK(world.host.started.empty());
}

TEST_CASE("a reload happens between ticks, once a request, and moves no tick") {
  LoopedHost world;
  world.hooks.after = [&](const Tick& tick) { world.reload_asked = tick.number == 1; };
  CHECK(world.run({.interval = 1s, .ticks = 3}) == LoopEnd::ticks_done);
  CHECK(world.reloads == 1);
  CHECK(world.host.started == std::vector<Duration>{0s, 1s, 2s});
}

TEST_CASE("without domains it waits, or ends where that was asked for") {
  LoopedHost waiting;
  CHECK(waiting.run({.interval = 1s, .ticks = 3}) == LoopEnd::ticks_done);
  LoopedHost ending;
  CHECK(ending.run({.interval = 1s, .ticks = 3, .exit_when_idle = true}) == LoopEnd::idle);
  CHECK(ending.host.started.size() == 1);
}

TEST_CASE("a scenario that is over ends the loop") {
  LoopedHost world;
  world.hooks.over = [&] { return world.clock.now().time_since_epoch() >= 2s; };
  CHECK(world.run({.interval = 1s}) == LoopEnd::over);
  CHECK(world.host.started.size() == 3);
}
