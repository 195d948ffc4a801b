#include "engine/cli/run_loop.h"

#include <doctest/doctest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <functional>
#include <memory>
#include <optional>
#include <thread>
#include <vector>

#include "engine/cli/command.h"

using namespace memcoord;
using namespace memcoord::cli;
using namespace std::chrono_literals;

namespace {

// A clock that moves when the loop waits or a sample takes time.
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

// A host without domains whose samples take as long as the test says.
class SlowHost : public Hypervisor {
 public:
  SlowHost(HandClock& clock, std::vector<Duration> samples)
      : clock_(clock), samples_(std::move(samples)) {}
  [[nodiscard]] std::string description() const override { return "slow:"; }
  Result<Snapshot> sample() override {
    started.push_back(clock_.now().time_since_epoch());
    if (started.size() <= samples_.size()) clock_.pass(samples_[started.size() - 1]);
    Snapshot snapshot;
    snapshot.taken_at = clock_.now();
    return snapshot;
  }
  std::vector<Outcome> apply(std::span<const Move> /*moves*/) override { return {}; }
  std::vector<Note> drain_notes() override { return {}; }
  void close() override {}

  std::vector<Duration> started;

 private:
  HandClock& clock_;
  std::vector<Duration> samples_;
};

class Nothing : public Policy {
 public:
  [[nodiscard]] std::string name() const override { return "nothing"; }
  Result<PolicyAnswer> decide(const Situation& /*situation*/) override { return PolicyAnswer{}; }
};

// A policy that wants early ticks: after tick n, wishes[n - 1].
class Wishes : public Policy {
 public:
  explicit Wishes(std::vector<std::optional<Duration>> wishes) : wishes_(std::move(wishes)) {}
  [[nodiscard]] std::string name() const override { return "wishes"; }
  Result<PolicyAnswer> decide(const Situation& situation) override {
    PolicyAnswer answer;
    if (situation.tick <= wishes_.size()) answer.again = wishes_[situation.tick - 1];
    seconds.push_back(situation.since_last);
    return answer;
  }
  std::vector<Duration> seconds;  ///< since the last tick, at each

 private:
  std::vector<std::optional<Duration>> wishes_;
};

// A loop on such a host, and the calls of its hooks.
struct LoopedHost {
  explicit LoopedHost(std::vector<Duration> samples = {}) : host(clock, std::move(samples)) {
    hooks.stop_requested = [this] { return stop; };
    hooks.handle_requests = [this] { reloads += std::exchange(reload_asked, false) ? 1 : 0; };
    hooks.over = [] { return false; };
    hooks.idle = [](const Tick& tick) { return tick.snapshot.domains.empty(); };
    hooks.after = [](const Tick&) {};
    hooks.skipped = [this](std::uint64_t n) { skipped += n; };
    hooks.early = [this] { ++early; };
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
  int early = 0;
};

constexpr int kStillThere = 77;

/// Sends a signal to this process and waits until it is handled: a SIGHUP sent after it, which only
/// requests a reload, has arrived.
void send(Signals& signals, int number) {
  ::kill(::getpid(), number);
  for (;;) {
    sigset_t pending;
    sigpending(&pending);
    if (sigismember(&pending, number) == 0) break;
    std::this_thread::yield();
  }
  ::kill(::getpid(), SIGHUP);
  while (!signals.consume_reload()) std::this_thread::yield();
}

/// The exit code of a child process that listens to signals and calls `act`.
int exit_code_of(const std::function<void(Signals&)>& act) {
  const pid_t child = ::fork();
  if (child == 0) {
    const auto signals = Signals::listen();
    if (!signals) ::_exit(1);
    act(**signals);
    ::_exit(kStillThere);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

}  // namespace

TEST_CASE("ticks begin an interval apart, however long each takes") {
  LoopedHost world({100ms, 700ms, 0ms, 999ms});
  CHECK(world.run({.interval = 1s, .ticks = 5}) == LoopEnd::ticks_done);
  CHECK(world.host.started == std::vector<Duration>{0s, 1s, 2s, 3s, 4s});
  CHECK(world.skipped == 0);
}

TEST_CASE("a tick that overruns skips the ticks that became due meanwhile") {
  LoopedHost world({0ms, 2500ms, 0ms});
  CHECK(world.run({.interval = 1s, .ticks = 4}) == LoopEnd::ticks_done);
  CHECK(world.host.started == std::vector<Duration>{0s, 1s, 4s, 5s});
  CHECK(world.skipped == 2);
}

TEST_CASE("an early tick comes when the policy asks, and the interval counts from it") {
  LoopedHost world;
  world.coordinator.replace_policy(
      std::make_unique<Wishes>(std::vector<std::optional<Duration>>{{}, 10ms, 500ms, {}, 2s}));
  CHECK(world.run({.interval = 1s, .min_interval = 200ms, .ticks = 6}) == LoopEnd::ticks_done);
  CHECK(world.host.started == std::vector<Duration>{0s, 1s, 1200ms, 1700ms, 2700ms, 3700ms});
  CHECK(world.early == 2);
  CHECK(world.skipped == 0);
}

TEST_CASE("a reserve brings the next tick forward, and the interval counts from it") {
  LoopedHost world;
  int requests = 0;
  world.hooks.handle_requests = [&] {
    if (++requests != 2) return;  // the wait for the second tick
    world.coordinator.reserve(
        {.name = "web", .size = MemorySize::from_gib(1), .until = MonotonicTime(1h)});
  };
  world.run({.interval = 1s, .min_interval = 200ms, .ticks = 3});
  CHECK(world.host.started == std::vector<Duration>{0s, 200ms, 1200ms});
}

TEST_CASE("a policy learns how long ago the last tick was, early or not") {
  LoopedHost world;
  auto policy =
      std::make_unique<Wishes>(std::vector<std::optional<Duration>>{300ms, {}, 200ms, 200ms});
  const auto& seconds = policy->seconds;
  world.coordinator.replace_policy(std::move(policy));
  world.run({.interval = 1s, .min_interval = 200ms, .ticks = 5});
  CHECK(seconds == std::vector<Duration>{0s, 300ms, 1s, 200ms, 200ms});
}

TEST_CASE("a least time of 0, or over the interval, turns early ticks off") {
  for (const Duration least : {Duration(0), Duration(2s)}) {
    LoopedHost world;
    world.coordinator.replace_policy(
        std::make_unique<Wishes>(std::vector<std::optional<Duration>>{10ms, 10ms}));
    world.run({.interval = 1s, .min_interval = least, .ticks = 3});
    CHECK(world.host.started == std::vector<Duration>{0s, 1s, 2s});
    CHECK(world.early == 0);
  }
}

TEST_CASE("early ticks without end keep a budget, and a note says so once") {
  LoopedHost world;
  world.coordinator.replace_policy(
      std::make_unique<Wishes>(std::vector<std::optional<Duration>>(2000, Duration(10ms))));
  int notes = 0;
  world.hooks.after = [&](const Tick& tick) {
    for (const Note& note : tick.notes) notes += note.text.starts_with("early ticks") ? 1 : 0;
  };
  world.run({.interval = 1s, .min_interval = 200ms, .ticks = 2000});
  CHECK(notes == 1);
  const Duration lasted = world.host.started.back();
  CHECK(lasted > 2000 * 200ms + 300s);
  CHECK(lasted < 2000 * 1s);
}

TEST_CASE("a tick that takes exactly the interval skips none") {
  LoopedHost world({1000ms, 1000ms});
  CHECK(world.run({.interval = 1s, .ticks = 3}) == LoopEnd::ticks_done);
  CHECK(world.host.started == std::vector<Duration>{0s, 1s, 2s});
  CHECK(world.skipped == 0);
}

TEST_CASE("a request to end takes effect before the next tick") {
  LoopedHost world;
  world.hooks.after = [&](const Tick& tick) { world.stop = tick.number == 3; };
  CHECK(world.run({.interval = 1s}) == LoopEnd::stopped);
  CHECK(world.host.started.size() == 3);
}

TEST_CASE("after a request to end before the start there is no tick") {
  LoopedHost world;
  world.stop = true;
  CHECK(world.run({.interval = 1s}) == LoopEnd::stopped);
  CHECK(world.host.started.empty());
}

TEST_CASE("each request reloads once, between ticks, and delays no tick") {
  LoopedHost world;
  world.hooks.after = [&](const Tick& tick) { world.reload_asked = tick.number == 1; };
  CHECK(world.run({.interval = 1s, .ticks = 3}) == LoopEnd::ticks_done);
  CHECK(world.reloads == 1);
  CHECK(world.host.started == std::vector<Duration>{0s, 1s, 2s});
}

TEST_CASE("without domains the loop waits, or ends if the options say so") {
  LoopedHost waiting;
  CHECK(waiting.run({.interval = 1s, .ticks = 3}) == LoopEnd::ticks_done);
  LoopedHost ending;
  CHECK(ending.run({.interval = 1s, .ticks = 3, .exit_when_idle = true}) == LoopEnd::idle);
  CHECK(ending.host.started.size() == 1);
}

TEST_CASE("the end of a scenario ends the loop") {
  LoopedHost world;
  world.hooks.over = [&] { return world.clock.now().time_since_epoch() >= 2s; };
  CHECK(world.run({.interval = 1s}) == LoopEnd::over);
  CHECK(world.host.started.size() == 3);
}

TEST_CASE("the first signal requests the end and the second forces it") {
  CHECK(exit_code_of([](Signals& signals) {
          send(signals, SIGINT);
          if (!signals.stop_requested()) ::_exit(1);
        }) == kStillThere);
  CHECK(exit_code_of([](Signals& signals) {
          send(signals, SIGINT);
          send(signals, SIGTERM);
        }) == static_cast<int>(ExitCode::forced));
}

TEST_CASE("after a run has asked itself to end, the next signal is the first") {
  // memcoord | head: the run ends by itself and restores memory when Ctrl-C comes.
  const auto reader_went = [](Signals& signals) {
    signals.request_stop();
    send(signals, SIGINT);
  };
  CHECK(exit_code_of(reader_went) == kStillThere);
  CHECK(exit_code_of([&](Signals& signals) {
          reader_went(signals);
          send(signals, SIGINT);
        }) == static_cast<int>(ExitCode::forced));
}

TEST_CASE("a request to end cuts sleep_for() short, but not sleep_through()") {
  const auto signals = Signals::listen();
  REQUIRE(signals);
  (*signals)->request_stop();
  SystemClock clock(**signals);
  CHECK_FALSE(clock.sleep_for(1h));
  const MonotonicTime before = clock.now();
  clock.sleep_through(20ms);
  CHECK(clock.now() - before >= 20ms);
}
