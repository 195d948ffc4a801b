// Memory does not grow over time: neither histories, nor domains that come and go, nor the policy's
// interpreter, nor the observers leak.

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdlib>
#include <memory>
#include <ostream>

#include "bindings/lua_policy.h"
#include "engine/core/coordinator.h"
#include "engine/observers/action_log.h"
#include "engine/observers/console.h"
#include "tests/bench/busy_host.h"
#include "tests/bench/heap.h"
#include "tests/world/fakes.h"

namespace {

using namespace memcoord;

constexpr int kDomains = 8;
constexpr int kTicks = 100'000;
/// Long enough to fill the longest window of the history.
constexpr int kWarmUp = 10'000;
constexpr int kTicksADomain = 50;

std::unique_ptr<Policy> halving() {
  auto policy = bindings::LuaPolicy::load(std::string(MEMCOORD_POLICIES) + "/halving.lua");
  REQUIRE(policy);
  return *std::move(policy);
}

}  // namespace

TEST_CASE("memory does not grow over 100,000 ticks with domains that come and go") {
  // The allocator counts memory in its threads' caches as in use; ctest turns the caches off.
  REQUIRE_MESSAGE(std::getenv("GLIBC_TUNABLES") != nullptr,
                  "set GLIBC_TUNABLES=glibc.malloc.tcache_count=0, as ctest does");
  test::FakeClock clock;
  bench::BusyHost host(clock, kDomains);
  Coordinator coordinator(host, clock, halving(), {});
  bench::NoOutput buffer;
  std::ostream nowhere(&buffer);
  observers::ConsoleTable table(nowhere, {});
  observers::ActionLog log(std::make_shared<observers::Log>(
      observers::Log::Level::info,
      [](observers::Log::Level, const std::string&, const observers::LogFields&) {}));
  coordinator.add_observer(table);
  coordinator.add_observer(log);

  // The largest of many samples, so that the time of a garbage collection does not matter.
  std::size_t early = 0;
  std::size_t late = 0;
  std::uint64_t errors = 0;
  for (int tick = 1; tick <= kTicks; ++tick) {
    clock.sleep_for(std::chrono::seconds(2));
    if (tick % kTicksADomain == 0) host.replace_one();
    const Tick done = coordinator.tick();
    if (done.policy_error || done.sample_error) ++errors;
    if (tick > kWarmUp && tick <= 2 * kWarmUp) early = std::max(early, bench::heap_in_use());
    if (tick > kTicks - kWarmUp) late = std::max(late, bench::heap_in_use());
  }
  CHECK(errors == 0);
  CAPTURE(early);
  CAPTURE(late);
  // One byte per tick would be 80 kB.
  CHECK(late < early + 4096);
}
