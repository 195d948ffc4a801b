// Holds predictions from recordings against real guests.
//
//   predict_policies [--policies A B...] [--contests NAME...] [--runs N]
//
// Real guests play a contest's plans under each policy, and memcoord writes a journal. From the
// journal of the first policy, `memcoord simulate --traces` predicts the run of each policy, the
// first one included. The same figures are computed from the real and from the simulated journal.
// The contest's memory is the budget, QEMU's own included, so that memory is short in each contest.
// A policy that moves hundreds of MiB at a threshold differs from run to run by several such moves:
// of more than one run the mean is shown as well, and how far real runs lie apart.

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <ctime>
#include <exception>
#include <filesystem>
#include <map>
#include <stdexcept>
#include <string>
#include <vector>

#include "engine/observers/journal.h"
#include "engine/workbench/guest_need.h"
#include "tests/integration/cli/process.h"
#include "tests/integration/cli/scratch_files.h"
#include "tests/lab/contests.h"
#include "tests/lab/coordination.h"
#include "tests/lab/guest.h"
#include "tests/tool_command_line.h"

namespace {

using namespace memcoord;

constexpr std::chrono::seconds kLongestPlan{400};

/// What a journal says of a run.
struct JournalFigures {
  double stalled = 0;  ///< the share of domain-time in which a guest's need is over its size
  MemorySize moved;    ///< by all balloons, both ways
  MemorySize unassigned = MemorySize::largest();  ///< the least that the budget left
};

JournalFigures figures_of(const std::string& journal, MemorySize budget) {
  auto reader = observers::JournalReader::open(journal);
  if (!reader) throw std::runtime_error(reader.error().text());
  std::map<Uuid, workbench::GuestNeed> needs;
  std::map<Uuid, MemorySize> sizes;
  std::optional<MonotonicTime> before;
  JournalFigures figures;
  double domain_seconds = 0;
  while (true) {
    const auto tick = reader->next();
    if (!tick) throw std::runtime_error(tick.error().text());
    if (!*tick) break;
    const Snapshot& snapshot = (*tick)->snapshot;
    if ((*tick)->sample_error || (*tick)->restoring) continue;
    const Duration elapsed = before ? snapshot.taken_at - *before : Duration();
    const double seconds = memcoord::seconds_of(elapsed);
    before = snapshot.taken_at;
    MemorySize assigned;
    for (const Domain& domain : snapshot.domains) {
      const MemorySize need = needs[domain.uuid()].observe(domain, elapsed);
      domain_seconds += seconds;
      if (need > domain.actual) figures.stalled += seconds;
      const auto [size, is_new] = sizes.try_emplace(domain.uuid(), domain.actual);
      figures.moved +=
          std::max(size->second, domain.actual) - std::min(size->second, domain.actual);
      size->second = domain.actual;
      assigned += domain.actual;
    }
    figures.unassigned = std::min(figures.unassigned, budget - assigned);
  }
  if (domain_seconds > 0) figures.stalled /= domain_seconds;
  return figures;
}

/// Plays the contest to real guests by the clock, and copies the journal.
void play_recorded(const lab::Contest& contest, const std::string& policy,
                   const std::string& journal, std::chrono::seconds boot) {
  const lab::LabHost host;
  const std::time_t begin = std::time(nullptr) + boot.count();
  std::vector<lab::GuestSpec> specs;
  for (const auto& [name, load] : contest.loads) {
    lab::GuestSpec spec = lab::guest_of(name, load, contest.initial);
    spec.maximum = lab::kContestMaximum;
    spec.swap = lab::kContestSwap;
    spec.more = fmt::format("touch=yes begin={}", begin);
    specs.push_back(spec);
  }
  const lab::Guests guests = lab::boot(host, specs);
  for (const auto& guest : guests) (void)guest->wait_for_actual(contest.initial);
  if (std::time(nullptr) + 3 > begin) throw std::runtime_error("the guests took too long to boot");
  lab::Coordination run(
      host, fmt::format("--policy {} --host-memory {}KiB 1", policy, contest.memory.kib()));
  for (const auto& guest : guests) (void)guest->wait_for("lab: plan done", kLongestPlan);
  if (run.end() != 0) throw std::runtime_error(policy + ": " + run.errors());
  run.copy_journal(journal);
}

void predict(const std::string& recording, const std::string& policy, const std::string& journal) {
  std::filesystem::remove(journal);  // memcoord appends to a journal
  const auto finished = testing::run_memcoord(
      {"simulate", "--traces", recording, "--policy", policy, "--journal", journal});
  if (finished.exit_code != 0) throw std::runtime_error(finished.errors);
}

double mib(MemorySize size) {
  return static_cast<double>(size.kib()) / 1024.0;
}

void print_row(const std::string& policy, const JournalFigures& real,
               const JournalFigures& predicted) {
  fmt::print(
      "{:<14} {:>8.2f} % {:>8.2f} % {:>+8.2f} {:>10.0f} {:>10.0f} {:>+7.1f} % {:>8.0f} {:>8.0f}\n",
      policy, 100 * real.stalled, 100 * predicted.stalled, 100 * (predicted.stalled - real.stalled),
      mib(real.moved), mib(predicted.moved),
      100 * (mib(predicted.moved) / std::max(1.0, mib(real.moved)) - 1), mib(real.unassigned),
      mib(predicted.unassigned));
}

JournalFigures mean_of(const std::vector<JournalFigures>& runs) {
  JournalFigures mean;
  MemorySize moved;
  for (const JournalFigures& one : runs) {
    mean.stalled += one.stalled / static_cast<double>(runs.size());
    moved += one.moved;
    mean.unassigned = std::min(mean.unassigned, one.unassigned);
  }
  mean.moved = moved / runs.size();
  return mean;
}

/// A policy's runs in a contest, in their order.
struct PolicyRuns {
  std::vector<JournalFigures> real;
  std::vector<JournalFigures> predicted;
};

void print_means(const std::string& policy, const PolicyRuns& runs) {
  print_row(policy, mean_of(runs.real), mean_of(runs.predicted));
  const auto stalls = [](const auto& a, const auto& b) { return a.stalled < b.stalled; };
  const auto moves = [](const auto& a, const auto& b) { return a.moved < b.moved; };
  const auto& real = runs.real;
  const auto [least_stalled, most_stalled] = std::minmax_element(real.begin(), real.end(), stalls);
  const auto [least_moved, most_moved] = std::minmax_element(real.begin(), real.end(), moves);
  fmt::print("{:<14} {:.2f} to {:.2f} %, {:.0f} to {:.0f} MiB\n", "  its real runs",
             100 * least_stalled->stalled, 100 * most_stalled->stalled, mib(least_moved->moved),
             mib(most_moved->moved));
}

struct Wanted {
  std::vector<std::string> policies;
  std::vector<std::string> contests;
  int runs = 1;
  std::string folder;
  bool recorded = false;  ///< the folder has the journals of the guests
  std::chrono::seconds boot = lab::kUsualBoot;
};

void hold_against_reality(const lab::Contest& contest, const Wanted& wanted,
                          const std::string& folder) {
  const std::vector<std::string>& policies = wanted.policies;
  std::map<std::string, PolicyRuns> runs;
  for (int run = 1; run <= wanted.runs; ++run) {
    const auto journal = [&](const std::string& kind, const std::string& policy) {
      return fmt::format("{}/{}-{}-{}-{}.jsonl", folder, contest.name, kind, policy, run);
    };
    for (const std::string& policy : policies) {
      if (wanted.recorded) continue;
      fmt::print(stderr, "{}: {}, run {} of {}\n", contest.name, policy, run, wanted.runs);
      play_recorded(contest, policy, journal("real", policy), wanted.boot);
    }
    fmt::print("\n{}: predicted from the recording of {}\n", contest.name, policies.front());
    fmt::print("{:<14} {:>10} {:>10} {:>8} {:>10} {:>10} {:>9} {:>8} {:>8}\n", "", "STALLED",
               "PREDICTED", "ERROR", "MOVED MiB", "PREDICTED", "ERROR", "LEAST", "PREDICTED");
    for (const std::string& policy : policies) {
      predict(journal("real", policies.front()), policy, journal("predicted", policy));
      PolicyRuns& of = runs[policy];
      of.real.push_back(figures_of(journal("real", policy), contest.memory));
      of.predicted.push_back(figures_of(journal("predicted", policy), contest.memory));
      print_row(policy, of.real.back(), of.predicted.back());
    }
    (void)std::fflush(stdout);
  }
  if (wanted.runs < 2) return;
  fmt::print("\n{}: means of {} runs\n", contest.name, wanted.runs);
  for (const std::string& policy : policies) print_means(policy, runs[policy]);
  (void)std::fflush(stdout);
}

void hold_all_against_reality(const Wanted& wanted) {
  const testing::ScratchFiles files;
  const std::string folder = wanted.folder.empty() ? files.path("") : wanted.folder;
  std::filesystem::create_directories(folder);
  for (const lab::Contest& contest : lab::contests()) {
    const auto& names = wanted.contests;
    const bool is_wanted = std::find(names.begin(), names.end(), contest.name) != names.end();
    if (names.empty() || is_wanted) hold_against_reality(contest, wanted, folder);
  }
}

}  // namespace

int main(int argc, char** argv) {
  try {
    Wanted wanted;
    cli::Command tool("predict_policies", "Holds predictions from recordings against real guests");
    cli::add_list(tool,
                  {"--policies", "NAME...", "the first is recorded; default adaptive halving"},
                  cli::into_list(wanted.policies));
    cli::add_list(tool, {"--contests", "NAME...", "default all"},
                  testing::into_known(wanted.contests, lab::contest_names()));
    cli::add_option(tool, {"--runs", "N", "times that each policy plays; default 1"},
                    cli::into(wanted.runs, testing::parse_count));
    cli::add_option(tool, {"--keep", "FOLDER", "keep the journals there"},
                    cli::into_text(wanted.folder));
    cli::add_flag(tool, {"--recorded", "no guests: the folder of --keep has their journals"},
                  wanted.recorded);
    lab::add_boot_option(tool, wanted.boot);
    if (const auto code = testing::ends_with(tool, argc, argv)) return *code;
    if (wanted.policies.empty()) wanted.policies = {"adaptive", "halving"};
    hold_all_against_reality(wanted);
    return 0;
  } catch (const std::exception& error) {
    fmt::print(stderr, "predict_policies: {}\n", error.what());
    return 1;
  }
}
