#include "engine/observers/action_log.h"

#include <doctest/doctest.h>

#include <array>
#include <memory>
#include <string>
#include <utility>

#include "tests/unit/observers/ticks.h"
#include "tests/world/world.h"

using namespace memcoord;
using namespace memcoord::test;
using namespace memcoord::observers;

namespace {

struct ToldActions {
  explicit ToldActions(Log::Level least = Log::Level::info)
      : actions(std::make_shared<Log>(least, [this](Log::Level level, const std::string& line) {
          constexpr std::array kNames{"debug ", "info ", "warning ", "error "};
          text += kNames.at(static_cast<std::size_t>(level)) + line + "\n";
        })) {}
  std::string take() { return std::exchange(text, {}); }
  std::string text;
  ActionLog actions;
};

}  // namespace

TEST_CASE("a tick's moves, failures and notes are told, each in a line") {
  ToldActions log;
  log.actions.observe(busy_tick());
  CHECK(log.take() ==
        "warning something to know\n"
        "info db: 2 GiB -> 1.6 GiB (-400 MiB): halved to feed web (asked for 1 GiB; gradual)\n"
        "warning web: not moved to 1.5 GiB: no answer\n");
}

TEST_CASE("trouble that goes on is said once, and when it ends") {
  ToldActions log;
  Tick tick;
  tick.policy_error = Error{ErrorCode::policy_failed, "a.lua:3", "broke", {}, "traceback"};
  for (int i = 0; i < 3; ++i) log.actions.observe(tick);
  CHECK(log.take() == "error policy: a.lua:3: broke\n");
  tick.policy_error.reset();
  log.actions.observe(tick);
  CHECK(log.take() ==
        "warning policy: the last error came 3 ticks in a row\ninfo policy: fine again\n");
}

TEST_CASE("what the guard held back entirely is told to those who ask for detail") {
  Tick tick;
  tick.snapshot = World().domain("a");
  tick.decisions = {
      {id("a"), 1_GiB, 2_GiB, 1_GiB, "wants", {{Rule::host_floor, 2_GiB, 1_GiB, "nothing left"}}}};
  ToldActions quiet;
  quiet.actions.observe(tick);
  CHECK(quiet.take().empty());
  ToldActions log(Log::Level::debug);
  log.actions.observe(tick);
  CHECK(log.take() ==
        "debug a: stays at 1 GiB: wants (asked for 2 GiB; host_floor: nothing left)\n");
}
