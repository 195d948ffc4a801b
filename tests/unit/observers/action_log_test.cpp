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

TEST_CASE("the log lists a tick's moves, failures and notes, each on a line") {
  ToldActions log;
  log.actions.observe(busy_tick());
  CHECK(log.take() ==
        "warning something to know\n"
        "info db: 2 GiB -> 1.61 GiB (-400 MiB): halved to feed web (asked for 1 GiB; gradual)\n"
        "warning web: not moved to 1.5 GiB: no answer\n");
}

TEST_CASE("the log shows sizes in one unit on request") {
  ToldActions log(Log::Level::debug);
  Tick tick = busy_tick();
  tick.limits.units = Units::kib;
  log.actions.observe(tick);
  const std::string text = log.take();
  CAPTURE(text);
  CHECK(text.find("db: 2097152 KiB -> 1687552 KiB (-409600 KiB)") != std::string::npos);
  CHECK(text.find("MiB") == std::string::npos);
}

TEST_CASE("the log says that a move with an unknown outcome may have been made") {
  Tick tick;
  tick.snapshot = World().domain("a");
  tick.decisions = {{id("a"), 1_GiB, 2_GiB, 2_GiB, "wants", {}}};
  tick.outcomes = {{id("a"), 1_GiB, 2_GiB, Outcome::Kind::unknown,
                    Error{ErrorCode::timed_out, "a", "no answer", {}, {}}}};
  ToldActions log;
  log.actions.observe(tick);
  CHECK(log.take() == "warning a: whether it was moved to 2 GiB is not known: no answer\n");
}

TEST_CASE("an error that repeats is logged once, and counted when it ends") {
  ToldActions log;
  Tick tick;
  tick.policy_error = Error{ErrorCode::policy_failed, "a.lua:3", "broke", {}, "traceback"};
  for (int i = 0; i < 3; ++i) log.actions.observe(tick);
  CHECK(log.take() == "error policy: a.lua:3: broke\n");
  tick.policy_error.reset();
  log.actions.observe(tick);
  CHECK(log.take() ==
        "warning policy: the last error came 3 ticks in a row\ninfo policy: works again\n");
}

TEST_CASE("a move that the guard refused is logged at level debug") {
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

TEST_CASE("a grow in steps is logged with the size it reached") {
  ToldActions log;
  Tick tick;
  tick.snapshot = World().domain("a", actual(512_MiB)).domain("b", actual(512_MiB));
  tick.decisions = {{id("a"), 512_MiB, 900_MiB, 900_MiB, "wants", {}},
                    {id("b"), 512_MiB, 900_MiB, 900_MiB, "wants", {}}};
  const auto outcome = [](const char* name, MemorySize from, MemorySize to, Outcome::Kind kind) {
    return Outcome{id(name), from, to, kind,
                   kind == Outcome::Kind::applied
                       ? std::nullopt
                       : std::optional(Error{ErrorCode::timed_out, name, "no answer", {}, {}})};
  };
  tick.outcomes = {outcome("a", 512_MiB, 612_MiB, Outcome::Kind::applied),
                   outcome("b", 512_MiB, 612_MiB, Outcome::Kind::applied),
                   outcome("b", 612_MiB, 900_MiB, Outcome::Kind::applied),
                   outcome("a", 612_MiB, 900_MiB, Outcome::Kind::failed)};
  log.actions.observe(tick);
  CHECK(log.take() ==
        "info a: 512 MiB -> 612 MiB (+100 MiB): wants\n"
        "info b: 512 MiB -> 900 MiB (+388 MiB): wants\n"
        "warning a: not moved to 900 MiB: no answer\n");
  // The first step of the next tick does not make the failure news again.
  log.actions.observe(tick);
  CHECK(log.take().find("no answer") == std::string::npos);
}

TEST_CASE("a failure is forgotten with its domain, and logged again after its next start") {
  ToldActions log;
  const auto fails = [&](const std::string& name, int start) {
    Tick tick;
    tick.snapshot = World().domain(name, numbered(start));
    tick.outcomes = {{id(name), 1_GiB, 2_GiB, Outcome::Kind::vanished, std::nullopt}};
    log.actions.observe(tick);
    return log.take();
  };
  CHECK_FALSE(fails("a", 1).empty());
  CHECK(fails("a", 1).empty());
  CHECK_FALSE(fails("a", 2).empty());
  // A week of domains that vanish as they are moved.
  for (int i = 0; i < 7 * 24 * 60; ++i) (void)fails("vm" + std::to_string(i), 1);
  CHECK(log.actions.remembered() == 1);
}

TEST_CASE("no text in a log line acts on a terminal or begins a line of its own") {
  std::string line;
  const Log log(Log::Level::info, [&](Log::Level, const std::string& text) { line = text; });
  log.warn("a\x1b[2J\nb\xc2\x9b\xe2\x80\xae");
  CHECK(line == "a?[2J b??");
}
