// The daemon and memcoord end as in a crash and start again. tests/README.md describes the
// measurements.

#include <doctest/doctest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "tests/lab/coordination.h"
#include "tests/lab/guest.h"
#include "tests/lab/restless_policy.h"
#include "tests/text.h"

using namespace memcoord;
using namespace memcoord::lab;

namespace {

namespace fs = std::filesystem;
using Ticks = std::vector<Tick>;

const std::string kIdle = "20:600";

std::ptrdiff_t entries(const fs::path& folder) {
  return std::distance(fs::directory_iterator(folder), fs::directory_iterator());
}

/// A process has the folder's name on its command line or in its environment.
bool is_mentioned(const fs::path& folder) {
  for (const auto& entry : fs::directory_iterator("/proc")) {
    for (const char* name : {"cmdline", "environ"}) {
      const std::string text = testing::read_text(entry.path() / name);
      if (text.find(folder.string()) != std::string::npos) return true;
    }
  }
  return false;
}

struct Handles {
  std::ptrdiff_t threads = 0;
  std::ptrdiff_t files = 0;
};

Handles handles_of(const Coordination& run) {
  const fs::path process = fs::path("/proc") / std::to_string(run.pid());
  return {entries(process / "task"), entries(process / "fd")};
}

bool moves_something(const Tick& tick) {
  return std::any_of(tick.outcomes.begin(), tick.outcomes.end(),
                     [](const Outcome& outcome) { return outcome.kind == Outcome::Kind::applied; });
}

/// Removes the period from the status file, as if the daemon kept the definition alone.
void lose_period(const LabHost& host, const std::string& domain) {
  const fs::path status = host.folder() / "libvirt/qemu/run" / (domain + ".xml");
  std::string text = testing::read_text(status);
  const std::string period = "<stats period='1'/>";
  const std::size_t at = text.find(period);
  REQUIRE(at != std::string::npos);
  text.erase(at, period.size());
  std::ofstream(status, std::ios::binary | std::ios::trunc) << text;
}

int failed_ticks(const Ticks& ticks, std::size_t from) {
  return static_cast<int>(
      std::count_if(ticks.begin() + static_cast<std::ptrdiff_t>(from), ticks.end(),
                    [](const Tick& tick) { return tick.sample_error.has_value(); }));
}

/// The policy's count rises by one from each tick that called it to the next.
void check_state_is_kept(const Ticks& ticks) {
  int last = 0;
  for (const Tick& tick : ticks) {
    const auto asked = times_asked(tick);
    CAPTURE(tick.number);
    CHECK(asked.has_value() == !tick.sample_error.has_value());
    if (!asked) continue;
    CHECK(*asked == last + 1);
    last = *asked;
  }
}

void cut_in_the_middle_of_the_last_line(const fs::path& journal) {
  const std::string text = testing::read_text(journal);
  const std::size_t line = text.rfind('\n', text.size() - 2) + 1;
  fs::resize_file(journal, line + (text.size() - line) / 2);
}

/// Runs in a process of its own: reports its folder and waits to be killed. An exception ends the
/// process, so that it never continues as a second run of these tests.
[[noreturn]] void run_a_lab(int output) noexcept {
  const LabHost host;
  [[maybe_unused]] const Guests guests = boot(host, {guest_of("alone", kIdle)});
  const std::string folder = host.folder();
  (void)write(output, folder.data(), folder.size());
  for (;;) (void)pause();
}

}  // namespace

TEST_CASE(
    "the libvirt daemon is killed and restarted: that costs the restart and at most two ticks, and "
    "memcoord forgets nothing") {
  LabHost host;
  const Guests guests = boot(host, {guest_of("alpha", kIdle), guest_of("bravo", kIdle)});
  Coordination run(host, "--policy " + restless_policy(host) + " 1");
  REQUIRE(run.wait_for_tick(moves_something));
  REQUIRE(run.wait_for_more_ticks(2));
  const Handles before = handles_of(run);

  for (int round = 0; round < 2; ++round) {
    CAPTURE(round);
    host.kill_daemon();
    REQUIRE(run.wait_for_more_ticks(3));
    const Ticks down = run.ticks();
    REQUIRE(down.back().sample_error.has_value());
    for (const auto& guest : guests) lose_period(host, guest->name());
    host.start_daemon();
    const std::size_t answers = run.ticks().size();
    REQUIRE(run.wait_for_tick(moves_something, answers));
    REQUIRE(run.wait_for_tick(
        [](const Tick& tick) { return serves(tick, "alpha") && serves(tick, "bravo"); }, answers));
    const Ticks ticks = run.ticks();
    const int lost = failed_ticks(ticks, answers);
    MESSAGE("ticks lost after the daemon answered: " << lost);
    CHECK(lost <= 2);
    REQUIRE(run.wait_for_more_ticks(2));
    for (const auto& guest : guests) {
      CAPTURE(guest->name());
      CHECK(guest->wait_for_period(1));
      CHECK_FALSE(guest->was_oom_killed());
      CHECK(guest->times_said("lab: start") == 1);
    }
  }
  REQUIRE(run.wait_for_more_ticks(2));
  // A call that a busy machine delays holds a thread and a connection for longer.
  Handles after = handles_of(run);
  for (int i = 0; i < 100 && (after.threads > before.threads || after.files > before.files); ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
    after = handles_of(run);
  }
  CHECK(after.threads <= before.threads);
  CHECK(after.files <= before.files);

  CHECK(run.end() == 0);
  check_state_is_kept(run.ticks());
  CHECK(run.errors().find("connection lost") != std::string::npos);
  CHECK(run.errors().find("connected again") != std::string::npos);
  for (const auto& guest : guests) CHECK(guest->statistics_period() == 0);
}

TEST_CASE(
    "memcoord is killed and restarted: it finds the balloons and periods as they are, and its "
    "journal is readable up to the last whole line" *
    doctest::test_suite("lab-everyday")) {
  const LabHost host;
  const Guests guests = boot(host, {guest_of("rich", kIdle, 768_MiB), guest_of("poor", kIdle)});
  const std::string options = "--policy " + restless_policy(host) + " 500ms";
  std::size_t written = 0;
  std::map<std::string, int> periods;  // that the last memcoord left
  // Each time at another point of the interval.
  for (int milliseconds : {0, 130, 260, 390}) {
    CAPTURE(milliseconds);
    Coordination run(host, options);
    REQUIRE(run.wait_for_ticks(written + 6));
    std::this_thread::sleep_for(std::chrono::milliseconds(milliseconds));
    run.kill();
    CHECK(run.journal_is_whole());
    const Ticks ticks = run.ticks();
    CHECK(ticks.size() >= written + 6);
    CHECK(ticks.at(written).number == 1);
    for (const auto& guest : guests) {
      // 0 where it was killed while it asked the guest for a report.
      const int period = periods[guest->name()] = guest->statistics_period();
      CHECK((period == 0 || period == 1));
    }
    if (written > 0) {
      // The balloons are where the last memcoord left them, and the new one continues from there.
      for (const char* name : {"rich", "poor"}) {
        CAPTURE(name);
        const MemorySize left = find_domain(ticks[written - 1], name)->actual;
        const MemorySize found = find_domain(ticks[written], name)->actual;
        CHECK(found >= left - 8_MiB);
        CHECK(found <= left + 8_MiB);
      }
    }
    CHECK(std::any_of(ticks.begin() + static_cast<std::ptrdiff_t>(written), ticks.end(),
                      moves_something));
    written = ticks.size();
    // As after a power failure.
    cut_in_the_middle_of_the_last_line(run.journal());
    --written;
    CHECK_FALSE(run.journal_is_whole());
    CHECK(run.ticks().size() == written);
  }
  Coordination last(host, options);
  REQUIRE(last.wait_for_ticks(written + 3));
  CHECK(last.end() == 0);
  CHECK(last.journal_is_whole());
  // memcoord cannot know that the period is not the operator's.
  for (const auto& guest : guests) CHECK(guest->statistics_period() == periods[guest->name()]);
  for (const auto& guest : guests) CHECK(guest->times_said("lab: start") == 1);
}

TEST_CASE("a lab whose process is killed leaves neither guests nor its folder behind") {
  std::array<int, 2> ends{};
  REQUIRE(pipe(ends.data()) == 0);
  const pid_t lab = fork();
  REQUIRE(lab >= 0);
  if (lab == 0) run_a_lab(ends[1]);
  (void)close(ends[1]);
  std::array<char, 256> folder{};
  REQUIRE(read(ends[0], folder.data(), folder.size() - 1) > 0);
  (void)close(ends[0]);
  const fs::path place(folder.data());
  REQUIRE(fs::exists(place));
  REQUIRE(kill(lab, SIGKILL) == 0);
  REQUIRE(waitpid(lab, nullptr, 0) == lab);
  for (int i = 0; i < 600 && (fs::exists(place) || is_mentioned(place)); ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
  CHECK_FALSE(fs::exists(place));
  CHECK_FALSE(is_mentioned(place));
}

TEST_CASE("of two labs in one process, the first can end while the second continues") {
  std::optional<LabHost> first(std::in_place);
  const LabHost second;
  const fs::path place = first->folder();
  first.reset();
  CHECK_FALSE(fs::exists(place));
  CHECK(fs::exists(second.folder()));
}
