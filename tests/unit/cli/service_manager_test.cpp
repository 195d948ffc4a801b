#include "engine/cli/service_manager.h"

#include <doctest/doctest.h>

#include <chrono>
#include <string>
#include <vector>

#include "tests/world/fakes.h"
#include "tests/world/world.h"

using namespace memcoord;
using namespace memcoord::cli;
using namespace memcoord::test;
using namespace std::chrono_literals;

namespace {

using Sent = std::vector<std::string>;

/// A service manager that keeps what it is told.
struct ToldManager {
  explicit ToldManager(std::optional<Duration> watchdog = {})
      : manager({.send = [this](const std::string& state) -> Status {
                   sent.push_back(state);
                   return {};
                 },
                 .watchdog = watchdog,
                 .warn = {}}) {}
  Sent take() { return std::exchange(sent, {}); }
  Sent sent;
  ServiceManager manager;
};

Tick tick_of(MemorySize grantable) {
  Tick tick;
  tick.policy = "band";
  tick.snapshot = World().host(64_GiB).domain("web").domain("db");
  tick.skipped = {{id("db"), {}, "paused"}};
  tick.grantable = grantable;
  return tick;
}

constexpr MonotonicTime at(std::chrono::milliseconds time) {
  return MonotonicTime(time);
}

}  // namespace

TEST_CASE("the state of a service is one line of figures") {
  Tick tick = tick_of(8_GiB);
  CHECK(service_status(tick) == "2 domains, 1 skipped; host 64 GiB, 8 GiB grantable; policy band");
  tick.dry_run = true;
  tick.fallback = "halving";
  tick.policy_error = Error{ErrorCode::policy_failed, "band", "fails", {}, {}};
  CHECK(service_status(tick) ==
        "band: fails; 2 domains, 1 skipped; host 64 GiB, 8 GiB grantable; "
        "policy halving (fallback), dry run");
}

TEST_CASE("the state of a service without a sample shows the error and no old figures") {
  Tick tick = tick_of(8_GiB);
  tick.sample_error = Error{ErrorCode::unavailable, "libvirt", "does not answer", {}, {}};
  CHECK(service_status(tick) == "libvirt: does not answer; policy band");
}

TEST_CASE("an error of several lines makes one line of state") {
  ToldManager told;
  Tick tick = tick_of(8_GiB);
  tick.sample_error = Error{ErrorCode::unavailable, "libvirt", "down\nREADY=1", {}, {}};
  told.manager.show(tick, at(0s));
  CHECK(told.take() == Sent{"STATUS=libvirt: down READY=1; policy band"});
}

TEST_CASE("a state is sent when it is new, at most every five seconds") {
  ToldManager told;
  told.manager.show(tick_of(8_GiB), at(0s));
  CHECK(told.take().size() == 1);
  told.manager.show(tick_of(9_GiB), at(4900ms));
  CHECK(told.take().empty());
  told.manager.show(tick_of(8_GiB), at(6s));
  CHECK(told.take().empty());
  told.manager.show(tick_of(9_GiB), at(7s));
  CHECK(told.take() == Sent{"STATUS=2 domains, 1 skipped; host 64 GiB, 9 GiB grantable; "
                            "policy band"});
}

TEST_CASE("after the end no figures are sent") {
  ToldManager told;
  told.manager.stopping();
  told.manager.show(tick_of(8_GiB), at(0s));
  CHECK(told.take() == Sent{"STOPPING=1\nSTATUS=ends"});
}

TEST_CASE("a run that restores memory at its end asks for the time that it needs") {
  ToldManager told(2s);
  told.manager.stopping();
  (void)told.take();
  told.manager.alive(at(0ms));
  CHECK(told.take() == Sent{"WATCHDOG=1\nEXTEND_TIMEOUT_USEC=2000000"});
}

TEST_CASE("a reload is announced with its time, and its end is") {
  ToldManager told;
  {
    const ServiceManager::Reload reload(told.manager, at(1500ms));
    CHECK(told.take() == Sent{"RELOADING=1\nMONOTONIC_USEC=1500000"});
  }
  CHECK(told.take() == Sent{"READY=1"});
}

TEST_CASE("keep-alive messages come four times in the watchdog's time") {
  ToldManager told(2s);
  CHECK(told.manager.longest_wait() == Duration(500ms));
  told.manager.alive(at(0ms));
  told.manager.alive(at(499ms));
  told.manager.alive(at(500ms));
  CHECK(told.take() == Sent{"WATCHDOG=1", "WATCHDOG=1"});
}

TEST_CASE("without a watchdog's time there are no keep-alive messages") {
  ToldManager told;
  told.manager.alive(at(0ms));
  CHECK(told.take().empty());
  CHECK_FALSE(told.manager.longest_wait());
}

TEST_CASE("a clock sends keep-alive messages through a long wait") {
  ToldManager told(2s);
  FakeClock inner;
  SupervisedClock clock(inner, told.manager);
  CHECK(clock.sleep_for(1600ms));
  CHECK(inner.slept() == 1600ms);
  CHECK(told.take().size() == 4);  // at 0, 500, 1000 and 1500 ms
  clock.sleep_through(1s);
  CHECK(inner.slept() == 2600ms);
  CHECK(told.take().size() == 2);  // at 2000 and 2500 ms
}

TEST_CASE("a request cuts a supervised wait short") {
  ToldManager told(2s);
  FakeClock inner;
  inner.asked_to_end = true;
  SupervisedClock clock(inner, told.manager);
  CHECK_FALSE(clock.sleep_for(10s));
}

TEST_CASE("a service manager that cannot be reached is warned of once") {
  Sent warnings;
  ServiceManager manager(
      {.send = [](const std::string&) -> Status {
         return fail(ErrorCode::unavailable, "/run/systemd/notify", "No such file or directory");
       },
       .watchdog = {},
       .warn = [&](const std::string& message) { warnings.push_back(message); }});
  manager.ready();
  manager.stopping();
  CHECK(warnings == Sent{"the service manager does not get the run's state: "
                         "/run/systemd/notify: No such file or directory"});
}

TEST_CASE("a short watchdog gets a sign of life every 10 ms at most") {
  ToldManager told(Duration(1));
  CHECK(told.manager.longest_wait() == Duration(10ms));
  told.manager.alive(at(0ms));
  told.manager.alive(at(9ms));
  CHECK(told.take() == Sent{"WATCHDOG=1"});
  told.manager.alive(at(10ms));
  CHECK(told.take() == Sent{"WATCHDOG=1"});
}
