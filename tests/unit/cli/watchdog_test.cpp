#include "engine/cli/watchdog.h"

#include <doctest/doctest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <future>
#include <string>

#include "engine/cli/systemd.h"
#include "tests/world/world.h"

using namespace memcoord;
using namespace memcoord::cli;
using namespace memcoord::test;
using namespace std::chrono_literals;

namespace {

/// A policy whose call ends when the test says so.
class StuckPolicy final : public Policy {
 public:
  explicit StuckPolicy(std::shared_future<void> go) : go_(std::move(go)) {}
  [[nodiscard]] std::string name() const override { return "stuck"; }
  Result<PolicyAnswer> decide(const Situation&) override {
    go_.wait();
    return PolicyAnswer{};
  }

 private:
  std::shared_future<void> go_;
};

const Observed& watched_world() {
  static const Observed observed(World().host(8_GiB, free(4_GiB)).domain("a", actual(512_MiB)));
  return observed;
}

std::unique_ptr<bindings::LuaPolicy> lua_policy(const std::string& tick, Duration time) {
  bindings::SandboxLimits limits;
  limits.time = std::chrono::duration_cast<std::chrono::microseconds>(time);
  limits.instructions = std::uint64_t{1} << 60U;
  auto policy = bindings::LuaPolicy::load_text(
      "return { api = 1, summary = 's', tick = function(ctx) " + tick + " end }", "p.lua", {},
      limits);
  if (!policy) FAIL(policy.error().text());
  return std::move(*policy);
}

}  // namespace

TEST_CASE("a call far over its limit is logged once, then given up with the last good state") {
  std::promise<void> go;
  std::atomic<int> said = 0;
  std::string words;
  std::string state;
  WatchdogOptions options;
  options.limit = 5ms;
  options.stop_requested = [] { return false; };
  options.log = [&](const std::string& message) {
    ++said;
    words = message;
  };
  options.give_up = [&](WatchdogOptions::Reason reason, const std::string& last_state) {
    if (reason != WatchdogOptions::Reason::overrun || !state.empty()) return;
    state = last_state;
    go.set_value();
  };
  Watchdog watchdog(options);
  const auto keeper = watchdog.watch(lua_policy("ctx.state.n = 5", 10s));
  REQUIRE(keeper->decide(watched_world().situation()).has_value());
  const auto stuck = watchdog.watch(std::make_unique<StuckPolicy>(go.get_future().share()));
  CHECK(stuck->name() == "stuck");
  CHECK(stuck->decide(watched_world().situation()).has_value());
  CHECK(said == 1);
  CHECK(words.find("policy stuck has run for") == 0);
  CHECK(words.find("over 10 times its limit of 0.005 s") != std::string::npos);
  CHECK(state == "return {[\"n\"]=0x5,}");
}

TEST_CASE(
    "a request to end interrupts a script at once and gives up a call that cannot be interrupted") {
  std::promise<void> go;
  std::atomic<bool> stop = false;
  bool given_up = false;
  WatchdogOptions options;
  options.limit = 10s;
  options.stop_requested = [&] { return stop.load(); };
  options.log = [](const std::string&) {};
  options.give_up = [&](WatchdogOptions::Reason reason, const std::string&) {
    if (reason != WatchdogOptions::Reason::asked || given_up) return;
    given_up = true;
    go.set_value();
  };
  Watchdog watchdog(options);
  const auto endless = watchdog.watch(lua_policy("while true do end", 10min));
  std::jthread asks([&] { stop = true; });
  const auto answer = endless->decide(watched_world().situation());
  REQUIRE_FALSE(answer.has_value());
  CHECK(answer.error().message == "was interrupted, because the program ends");
  CHECK_FALSE(given_up);
  const auto stuck = watchdog.watch(std::make_unique<StuckPolicy>(go.get_future().share()));
  CHECK(stuck->decide(watched_world().situation()).has_value());
  CHECK(given_up);
}

TEST_CASE(
    "a restarted process finds the state once and its service manager, and does not restart again "
    "within ten minutes") {
  constexpr int kFound = 77;
  if (const std::string state = take_handed_over(); !state.empty()) {
    const bool alone = take_handed_over().empty();
    const bool pause = !may_start_again(std::chrono::steady_clock::now());
    const bool later = may_start_again(std::chrono::steady_clock::now() + 11min);
    const bool notifies = static_cast<bool>(systemd_notifications({}).send);
    ::_exit(state == "return {}" && alone && pause && later && notifies ? kFound : 1);
  }
  const pid_t child = ::fork();
  if (child == 0) {
    ::setenv("NOTIFY_SOCKET", "@of-a-test", 1);
    (void)systemd_notifications({});
    start_again("return {}");
    ::_exit(2);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  CHECK((WIFEXITED(status) ? WEXITSTATUS(status) : -1) == kFound);
}
