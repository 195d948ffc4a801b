// Measures on real guests how soon memory reaches a guest whose need jumps.
//
//   reaction [--runs OPTIONS...] [--jumps N] [--hold SECONDS] [--binary PATH]
//
// OPTIONS are those of a run of memcoord after --policy: "mom 10". Every run gets new guests and a
// daemon of its own, and the same plans. The guests measure by their own clocks (guest/plan.cpp,
// watch): from the moment that a guest's free memory falls under the floor until the guest has 16
// MiB more, and until its free memory is over the floor again.

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <exception>
#include <random>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "engine/core/limits.h"
#include "tests/lab/coordination.h"
#include "tests/lab/guest.h"
#include "tests/tool_command_line.h"

namespace {

using namespace memcoord;

constexpr int kGuests = 4;
constexpr MemorySize kMaximum = 768_MiB;
/// While no guest needs more, each has some 250 MiB free: less than a jump, more than the floor.
constexpr MemorySize kInitial = 350_MiB;
/// The guests, QEMU's own memory and the host's floor; nothing is left for a jump.
constexpr MemorySize kBudget = 2400_MiB;
constexpr int kBase = 20;     ///< MiB that a guest holds between its jumps
constexpr int kJump = 300;    ///< MiB
constexpr double kRest = 19;  ///< seconds between two jumps of a guest, and up to two more
/// The first guest's first jump comes so many seconds after its boot: then the others have booted
/// too, and the policy has divided the memory.
constexpr double kFirst = 40;

struct Arguments {
  std::vector<std::string> runs;
  int jumps = 10;
  int hold = 21;  ///< seconds; longer than the slowest run's rhythm
  std::string binary;
};

/// A guest's plan: one guest after the other jumps, no two in the same tenth of a second.
std::string plan_of(int guest, const Arguments& arguments) {
  std::minstd_rand random(static_cast<unsigned>(guest));
  const auto tenths = [&] { return static_cast<double>(random() % 20) / 10; };
  std::string plan = fmt::format("{}:{:.1f}", kBase,
                                 kFirst + guest * (arguments.hold + kRest) / kGuests + tenths());
  for (int i = 0; i < arguments.jumps; ++i) {
    plan += fmt::format(",{0}:0,{0}:{1},{2}:0,{2}:{3:.1f}", kBase + kJump, arguments.hold, kBase,
                        kRest + tenths());
  }
  return plan;
}

/// The jumps of a run, in seconds; a jump that came to its end without memory counts as `hold`.
struct Reactions {
  std::vector<double> grown;
  std::vector<double> served;
  int had_enough = 0;
  int never_grown = 0;
};

void add_jumps(const lab::Guest& guest, int hold, Reactions& reactions) {
  const std::string said = guest.console();
  const std::string line = "lab: jump ";
  for (std::size_t at = said.find(line); at != std::string::npos; at = said.find(line, at + 1)) {
    double grown = 0;
    double served = 0;
    if (std::sscanf(said.c_str() + at, "lab: jump grown=%lf served=%lf", &grown, &served) != 2) {
      ++reactions.had_enough;
      continue;
    }
    if (grown < 0) ++reactions.never_grown;
    reactions.grown.push_back(grown < 0 ? hold : grown);
    reactions.served.push_back(served < 0 ? hold : served);
  }
}

Reactions reactions_of(const lab::Guests& guests, int hold) {
  Reactions reactions;
  for (const auto& guest : guests) add_jumps(*guest, hold, reactions);
  return reactions;
}

double quantile_of(std::vector<double> values, double q) {
  if (values.empty()) return 0;
  std::sort(values.begin(), values.end());
  return values[static_cast<std::size_t>(q * static_cast<double>(values.size() - 1) + 0.5)];
}

/// Says on standard error once in ten seconds how many jumps are over.
void wait_for_the_end(const lab::Guests& guests, const std::string& run,
                      const Arguments& arguments) {
  const auto all_done = [&] {
    return std::all_of(guests.begin(), guests.end(), [](const auto& guest) {
      return guest->times_said("lab: plan done") > 0 || guest->was_oom_killed();
    });
  };
  while (!all_done()) {
    std::this_thread::sleep_for(std::chrono::seconds(10));
    const Reactions so_far = reactions_of(guests, arguments.hold);
    fmt::print(stderr, "{}: {} of {} jumps, median so far {:.2f} s\n", run,
               so_far.grown.size() + static_cast<std::size_t>(so_far.had_enough),
               kGuests * arguments.jumps, quantile_of(so_far.grown, 0.5));
  }
}

Reactions measure_run(const std::string& options, const Arguments& arguments) {
  const lab::LabHost host;
  std::vector<lab::GuestSpec> specs;
  for (int i = 1; i <= kGuests; ++i) {
    lab::GuestSpec spec = lab::guest_of(fmt::format("guest{}", i), plan_of(i, arguments), kInitial);
    spec.maximum = kMaximum;
    spec.swap = kMaximum;
    spec.more = fmt::format("watch={}", Limits::kDomainFloor.kib() / 1024);
    specs.push_back(spec);
  }
  const lab::Guests guests = lab::boot(host, specs);
  lab::Coordination run(host,
                        fmt::format("--host-memory {}KiB --policy {}", kBudget.kib(), options),
                        "run", arguments.binary);
  if (!run.wait_for_ticks(1)) throw std::runtime_error(options + ": " + run.errors());
  wait_for_the_end(guests, options, arguments);
  if (run.end() != 0) throw std::runtime_error(options + ": " + run.errors());
  return reactions_of(guests, arguments.hold);
}

void measure_all(const Arguments& arguments) {
  fmt::print("{:<36} {:>6} {:>11} {:>13} {:>8} {:>14} {:>8} {:>12}\n", "RUN", "JUMPS", "HAD ENOUGH",
             "GROWN, MEDIAN", "95 %", "SERVED, MEDIAN", "95 %", "NEVER GROWN");
  for (const std::string& run : arguments.runs) {
    const Reactions of = measure_run(run, arguments);
    fmt::print("{:<36} {:>6} {:>11} {:>11.2f} s {:>6.2f} s {:>12.2f} s {:>6.2f} s {:>12}\n", run,
               of.grown.size() + static_cast<std::size_t>(of.had_enough), of.had_enough,
               quantile_of(of.grown, 0.5), quantile_of(of.grown, 0.95), quantile_of(of.served, 0.5),
               quantile_of(of.served, 0.95), of.never_grown);
    (void)std::fflush(stdout);
  }
}

}  // namespace

int main(int argc, char** argv) {
  Arguments arguments;
  cli::Command tool("reaction", "Measures how soon memory reaches a real guest whose need jumps");
  cli::add_list(tool, {"--runs", "OPTIONS...", "a policy and memcoord's options, a run each"},
                [&arguments](const std::string& text) -> Status {
                  arguments.runs.push_back(text);
                  return {};
                });
  cli::add_option(tool, {"--jumps", "N", "of each of the four guests; default 10"},
                  cli::into(arguments.jumps, testing::parse_count));
  cli::add_option(tool, {"--hold", "SECONDS", "that a jump lasts; default 21"},
                  cli::into(arguments.hold, testing::parse_count));
  cli::add_option(tool, {"--binary", "PATH", "the memcoord to measure; default this build's"},
                  cli::into_text(arguments.binary));
  if (const auto code = testing::ends_with(tool, argc, argv)) return *code;
  if (arguments.runs.empty()) arguments.runs = {"adaptive 1", "mom 10"};
  try {
    measure_all(arguments);
    return 0;
  } catch (const std::exception& error) {
    fmt::print(stderr, "reaction: {}\n", error.what());
    return 1;
  }
}
