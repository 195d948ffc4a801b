#include "engine/observers/action_log.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "tests/unit/observers/ticks.h"
#include "tests/world/world.h"

using namespace memcoord;
using namespace memcoord::test;
using namespace memcoord::observers;

namespace {

struct ToldActions {
  explicit ToldActions(Log::Level least = Log::Level::info)
      : actions(std::make_shared<Log>(
            least, [this](Log::Level level, const std::string& line, const LogFields& given) {
              fields.push_back(given);
              constexpr std::array kNames{"debug ", "info ", "warning ", "error "};
              text += kNames.at(static_cast<std::size_t>(level)) + line + "\n";
            })) {}
  std::string take() { return std::exchange(text, {}); }
  std::string text;
  std::vector<LogFields> fields;  ///< of each line
  ActionLog actions;
};

/// A tick at a second of the run, with domains that move by the same amount.
struct Moving {
  std::vector<std::string> names;
  MemorySize from;
  MemorySize to;
  [[nodiscard]] Tick tick(int second) const {
    Tick tick;
    World world;
    for (const std::string& name : names) world.domain(name, actual(from), unused(500_MiB));
    tick.snapshot = world;
    tick.snapshot.taken_at = MonotonicTime(std::chrono::seconds(second));
    for (const std::string& name : names) {
      tick.decisions.push_back({id(name), from, to, to, "wants", {}});
      tick.outcomes.push_back({id(name), from, to, Outcome::Kind::applied, {}});
    }
    return tick;
  }
};

std::size_t line_count(const std::string& text) {
  return static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n'));
}

/// A tick with one domain that has this much headroom.
Tick tick_with_headroom(int second, MemorySize headroom) {
  Tick tick;
  tick.policy = "adaptive";
  tick.snapshot = World().domain("web", actual(1_GiB), unused(headroom));
  tick.snapshot.taken_at = MonotonicTime(std::chrono::seconds(second));
  return tick;
}

}  // namespace

TEST_CASE("the log lists a tick's moves, failures and notes, each on a line") {
  ToldActions log;
  log.actions.observe(busy_tick());
  CHECK(log.take() ==
        "warning something to know\n"
        "info db: 2 GiB -> 1.61 GiB (-400 MiB): halved to feed web (asked for 1 GiB; gradual)\n"
        "warning web: not moved to 1.5 GiB: no answer\n"
        "warning web: short by 50 MiB: not moved: no answer\n");
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
  CHECK(log.actions.remembered() == 2);  // the failure and the shortage of the one that is there
}

TEST_CASE("no text in a log line acts on a terminal or begins a line of its own") {
  std::string line;
  const Log log(Log::Level::info,
                [&](Log::Level, const std::string& text, const LogFields&) { line = text; });
  log.warn("a\x1b[2J\nb\xc2\x9b\xe2\x80\xae");
  CHECK(line == "a?[2J b??");
}

TEST_CASE("small moves are summed up in one line a minute") {
  ToldActions log;
  const Moving moving{{"db", "web"}, 2_GiB, 2_GiB + 60_MiB};
  for (int second = 0; second < 59; ++second) log.actions.observe(moving.tick(second));
  CHECK(log.take().empty());
  log.actions.observe(moving.tick(59));
  CHECK(log.take() ==
        "info 120 small moves in the last minute: +7.03 GiB in 2 domains; largest db +60 MiB\n");
  log.actions.observe(moving.tick(60));
  CHECK(log.take().empty());
}

TEST_CASE("at the end of a run the log writes the summary of the minute that has begun") {
  ToldActions log;
  log.actions.observe(Moving{{"db"}, 2_GiB, 2_GiB + 60_MiB}.tick(0));
  log.actions.observe(Moving{{"web"}, 2_GiB, 2_GiB - 20_MiB}.tick(10));
  log.actions.flush();
  CHECK(log.take() ==
        "info 2 small moves in the last 20 s: +60 MiB, -20 MiB in 2 domains; largest db +60 MiB\n");
  log.actions.flush();
  CHECK(log.take().empty());
}

TEST_CASE("ticks that are minutes apart have their summary at once") {
  ToldActions log;
  const Moving moving{{"db"}, 2_GiB, 2_GiB + 60_MiB};
  log.actions.observe(moving.tick(0));
  CHECK(log.take().empty());  // the log does not know yet when the next tick comes
  log.actions.observe(moving.tick(300));
  CHECK(log.take() == "info 1 small move in the last 5 min: db +60 MiB\n");
  log.actions.observe(moving.tick(600));
  CHECK(log.take() == "info 1 small move in the last 5 min: db +60 MiB\n");
}

TEST_CASE("at level debug every move has a line") {
  ToldActions log(Log::Level::debug);
  for (int second = 0; second < 100; ++second) {
    log.actions.observe(Moving{{"db"}, 2_GiB, 2_GiB + 4_KiB}.tick(second));
  }
  log.actions.flush();
  CHECK(line_count(log.take()) == 100);
}

TEST_CASE("a dry run is not summed up with moves") {
  ToldActions log;
  Tick tick = Moving{{"db"}, 2_GiB, 2_GiB + 60_MiB}.tick(0);
  tick.dry_run = true;
  tick.outcomes.front().kind = Outcome::Kind::dry_run;
  log.actions.observe(tick);
  log.actions.observe(Moving{{"db"}, 2_GiB, 2_GiB + 60_MiB}.tick(1));
  CHECK(log.take() == "info dry run: 1 small move in the last 1 s: db +60 MiB\n");
}

TEST_CASE("100 domains that move in 1,200 ticks make under 2,000 lines, whatever the sizes") {
  Moving moving{{}, 2_GiB, 2_GiB};
  for (int i = 0; i < 100; ++i) moving.names.push_back("vm" + std::to_string(i));
  const MemorySize sizes[] = {4_KiB, 60_MiB, 64_MiB, 1_GiB};
  for (const MemorySize by : sizes) {
    CAPTURE(by.text());
    ToldActions log;
    moving.to = moving.from + by;
    for (int second = 0; second < 1200; ++second) {
      Tick tick = moving.tick(second);
      // All are short for one tick in fifteen.
      if (second % 15 == 0) {
        for (Domain& domain : tick.snapshot.domains) domain.guest.unused = 10_MiB;
        tick.decisions.clear();
        tick.outcomes.clear();
      }
      log.actions.observe(tick);
    }
    log.actions.flush();
    const std::size_t lines = line_count(log.take());
    CHECK(lines >= 20);
    CHECK(lines < 2000);
  }
}

TEST_CASE(
    "notes of every tick make under 2,000 lines in 20 minutes, and one line counts the rest") {
  ToldActions log;
  for (int second = 0; second < 1200; ++second) {
    Tick tick = Moving{{"web"}, 2_GiB, 2_GiB}.tick(second);
    for (int i = 0; i < 10; ++i)
      tick.notes.push_back({Note::Severity::warning, "ended a workload"});
    log.actions.observe(tick);
  }
  log.actions.flush();
  const std::string text = log.take();
  CHECK(line_count(text) == 20 * (MergedLines::kNotes + 1) + MergedLines::kMoreNotes);
  CHECK(text.find("585 more notes in the last minute; at --log-level debug") != std::string::npos);
}

TEST_CASE("one domain's moves leave lines for the others") {
  ToldActions log;
  for (int second = 0; second < 50; ++second) {
    log.actions.observe(Moving{{"busy"}, 2_GiB, 1_GiB}.tick(second));
  }
  log.actions.observe(Moving{{"rare"}, 2_GiB, 1_GiB}.tick(50));
  const std::string text = log.take();
  CHECK(text.find("info rare: 2 GiB -> 1 GiB (-1 GiB): wants\n") != std::string::npos);
  CHECK(line_count(text) == MergedLines::kMovesOfDomain + 1);
}

TEST_CASE("a shortage is a warning with its reason when it begins, and an info when it ends") {
  ToldActions log;
  log.actions.observe(tick_with_headroom(0, 500_MiB));
  CHECK(log.take().empty());
  for (int second = 1; second < 180; ++second) {
    log.actions.observe(tick_with_headroom(second, 20_MiB));
  }
  CHECK(log.take() == "warning web: short by 80 MiB: the host has nothing to grant\n");
  for (int second = 181; second < 200; ++second) {
    log.actions.observe(tick_with_headroom(second, 500_MiB));
  }
  CHECK(log.take() == "info web: enough memory again, after 3 min\n");
}

TEST_CASE("a domain that grows at once is no news, and one that grows in vain is") {
  ToldActions log;
  const auto observe = [&](int second) {
    Tick tick = tick_with_headroom(second, 20_MiB);
    tick.decisions = {{id("web"), 1_GiB, 2_GiB, 1_GiB + 4_KiB, "wants", {}}};
    log.actions.observe(tick);
  };
  for (int second = 0; second < 10; ++second) observe(second);
  CHECK(log.take().empty());
  observe(10);
  CHECK(log.take() == "warning web: short by 80 MiB: grows by 4 KiB, wants\n");
}

TEST_CASE("a move's line has its domain, sizes and rules as fields") {
  ToldActions told;
  Tick tick = Moving{{"web"}, 1_GiB, 2_GiB}.tick(1);
  tick.decisions.front().rules = {{Rule::gradual, 3_GiB, 2_GiB, "at most doubles"}};
  told.actions.observe(tick);
  REQUIRE(told.fields.size() == 1);
  CHECK(told.fields.front().domain == "web");
  CHECK(told.fields.front().rules == std::vector{Rule::gradual});
  CHECK(told.fields.front().from == 1_GiB);
  CHECK(told.fields.front().to == 2_GiB);
}

TEST_CASE("the lines of refused and failed moves and of shortages have their domain as a field") {
  ToldActions told(Log::Level::debug);
  Tick tick = Moving{{"web", "db"}, 1_GiB, 2_GiB}.tick(1);
  tick.decisions.front() = {id("web"), 1_GiB, 2_GiB, 1_GiB, "wants", {}};
  tick.decisions.front().rules = {{Rule::host_floor, 2_GiB, 1_GiB, "the host is full"}};
  tick.outcomes.erase(tick.outcomes.begin());
  tick.outcomes.front().kind = Outcome::Kind::failed;
  told.actions.observe(tick);
  REQUIRE(told.fields.size() == 2);
  CHECK(told.fields.front().domain == "web");
  CHECK(told.fields.front().rules == std::vector{Rule::host_floor});
  CHECK(told.fields.back().domain == "db");
  CHECK(told.fields.back().to == 2_GiB);

  told.actions.observe(tick_with_headroom(2, 10_MiB));
  CHECK(told.take().ends_with("short by 90 MiB: the host has nothing to grant\n"));
  CHECK(told.fields.back().domain == "web");
}
