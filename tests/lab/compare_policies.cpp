// Compares policies on real guests whose demand exceeds the host's memory, and with the simulated
// host on the same plans.
//
//   compare_policies [--policies NAME...] [--contests NAME...] [--runs N]
//
// The guests count work (guest/plan.cpp, pace=work), so that each reports how long its plan took,
// how much it swapped, and whether its OOM killer acted. Every policy gets new guests and a daemon
// of its own. "none" runs the guests without memcoord, and so does "all-memory", where they have
// their maximum from the start.

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <ctime>
#include <exception>
#include <filesystem>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "engine/hypervisor/simulated/scenario.h"
#include "engine/observers/json.h"
#include "tests/integration/cli/process.h"
#include "tests/integration/cli/scratch_files.h"
#include "tests/lab/contests.h"
#include "tests/lab/coordination.h"
#include "tests/lab/guest.h"
#include "tests/lab/guest/load.h"
#include "tests/tool_command_line.h"

namespace {

using namespace memcoord;
using lab::Contest;
using lab::contests;
using lab::planned_seconds;
using lab::seconds_of;
using observers::Json;

const std::string kNoPolicy = "none";
/// All memory from the start: what it costs that the guests share the machine's cores.
const std::string kAllMemory = "all-memory";

bool has_memcoord(const std::string& policy) {
  return policy != kNoPolicy && policy != kAllMemory;
}

constexpr MemorySize kMaximum = lab::kContestMaximum;
constexpr MemorySize kSwap = lab::kContestSwap;
constexpr std::chrono::seconds kPatience{400};

/// The result of one policy.
struct LabResult {
  double over = 0;   ///< seconds beyond their plans, all guests
  double worst = 0;  ///< of one guest
  double swapped = 0;
  int finished = 0;
  int killed = 0;
  int unfinished = 0;  ///< guests that were not done at the time limit
  double stalled = 0;  ///< simulated, a share
  double deficit = 0;  ///< simulated, GiB-hours
  int simulated_oom = 0;
  [[nodiscard]] double mean_over() const { return finished > 0 ? over / finished : 0; }
};

void add_guest(LabResult& result, const lab::Guest& guest, double planned) {
  const std::string said = guest.console();
  const std::size_t at = said.find("lab: plan done after");
  double took = 0;
  double swapped = 0;
  if (at == std::string::npos ||
      std::sscanf(said.c_str() + at, "lab: plan done after %lf s, swapped %lf", &took, &swapped) !=
          2) {
    ++(guest.was_oom_killed() ? result.killed : result.unfinished);
    return;
  }
  ++result.finished;
  result.over += std::max(0.0, took - planned);
  result.worst = std::max(result.worst, took - planned);
  result.swapped += swapped;
}

/// `journal`: where the run's journal is kept; empty: nowhere.
void play(const Contest& contest, const std::string& policy, std::chrono::seconds boot,
          const std::string& journal, LabResult& result) {
  const lab::LabHost host;
  const std::time_t begin = std::time(nullptr) + boot.count();
  const MemorySize initial = policy == kAllMemory ? kMaximum : contest.initial;
  std::vector<lab::GuestSpec> specs;
  for (const auto& [name, load] : contest.loads) {
    lab::GuestSpec spec = lab::guest_of(name, load, initial);
    spec.maximum = kMaximum;
    spec.swap = kSwap;
    spec.more = fmt::format("pace=work begin={}", begin);
    specs.push_back(spec);
  }
  const lab::Guests guests = lab::boot(host, specs);
  for (const auto& guest : guests) (void)guest->wait_for_actual(initial);
  if (std::time(nullptr) + 3 > begin) throw std::runtime_error("the guests took too long to boot");
  std::unique_ptr<lab::Coordination> run;
  if (has_memcoord(policy)) {
    const std::string options =
        fmt::format("--policy {} --host-memory {}KiB 1", policy, contest.budget().kib());
    run = std::make_unique<lab::Coordination>(host, options);
  }
  for (const auto& guest : guests) (void)guest->wait_for("lab: plan done", kPatience);
  if (run && run->end() != 0) throw std::runtime_error(policy + ": " + run->errors());
  if (run && !journal.empty()) run->copy_journal(journal);
  for (const auto& guest : guests) {
    add_guest(result, *guest, planned_seconds(contest.loads.at(guest->name())));
  }
}

/// The contest as a scenario file (docs/simulator.md).
std::string scenario_text(const Contest& contest) {
  std::string text = fmt::format(
      "return {{ host = {{ total = {} * MiB, base = 0 }}, duration = 70, domains = {{\n",
      (contest.memory + simulated::Model().process_overhead * contest.loads.size()).kib() / 1024);
  for (const auto& [name, load] : contest.loads) {
    std::string demand = "{ 0, 0 }";
    double at = 0;
    for (const lab::Leg& leg : lab::read_plan(load)) {
      at += seconds_of(leg);
      demand += fmt::format(", {{ {:.1f}, {} * MiB }}", at, leg.mib);
    }
    text += fmt::format(
        "{{ name = \"{}\", maximum = {} * MiB, initial = {} * MiB, swap = {} * MiB, "
        "demand = {{ {} }} }},\n",
        name, kMaximum.kib() / 1024, contest.initial.kib() / 1024, kSwap.kib() / 1024, demand);
  }
  return text + "} }\n";
}

using LabResults = std::map<std::string, LabResult>;

void simulate(const Contest& contest, const std::vector<std::string>& policies,
              LabResults& results) {
  if (std::none_of(policies.begin(), policies.end(), has_memcoord)) return;
  testing::ScratchFiles files;
  const std::string file = files.write(contest.name + ".lua", scenario_text(contest));
  std::vector<std::string> arguments{"compare",     "--json", "--interval", "1",
                                     "--scenarios", file,     "--policies"};
  for (const std::string& policy : policies) {
    if (has_memcoord(policy)) arguments.push_back(policy);
  }
  const auto finished = testing::run_memcoord(arguments);
  if (finished.exit_code != 0) throw std::runtime_error(finished.errors);
  for (const Json& row : Json::parse(finished.output).value().items()) {
    const std::string name = row.at("policy").string();
    const auto found = results.find(name == "static sizing" ? kNoPolicy : name);
    if (found == results.end()) continue;
    found->second.stalled = row.at("stalled").number();
    found->second.deficit = row.at("deficit_gib_hours").number();
    found->second.simulated_oom = static_cast<int>(row.at("oom").number());
  }
}

/// Policies that lost no workload come first, then those whose guests were delayed less.
bool is_better(const LabResult& a, const LabResult& b) {
  const int lost_by_a = a.killed + a.unfinished;
  const int lost_by_b = b.killed + b.unfinished;
  return lost_by_a != lost_by_b ? lost_by_a < lost_by_b : a.mean_over() < b.mean_over();
}

/// Counts the pairs of policies that the lab and the simulator put in the same order, of the pairs
/// that differ clearly in both.
std::string agreement(const LabResults& results) {
  constexpr double kClearlySeconds = 1;
  constexpr double kClearlyStalled = 0.01;
  int same = 0;
  int pairs = 0;
  for (auto a = results.begin(); a != results.end(); ++a) {
    for (auto b = std::next(a); b != results.end(); ++b) {
      const double over = a->second.mean_over() - b->second.mean_over();
      const double stalled = a->second.stalled - b->second.stalled;
      if (std::abs(over) < kClearlySeconds || std::abs(stalled) < kClearlyStalled) continue;
      ++pairs;
      if ((over < 0) == (stalled < 0)) ++same;
    }
  }
  return fmt::format("{} of {} pairs that differ clearly are in the same order", same, pairs);
}

void print(const Contest& contest, const LabResults& results) {
  fmt::print("\n{}: {}\n{:<14} {:>11} {:>9} {:>12} {:>7} {:>11}   {:>9} {:>13} {:>4}\n",
             contest.name, contest.summary, "", "LATE, MEAN", "WORST", "SWAPPED MiB", "KILLED",
             "UNFINISHED", "SIMULATED", "DEFICIT GiBh", "OOM");
  std::vector<std::pair<std::string, LabResult>> rows(results.begin(), results.end());
  std::stable_sort(rows.begin(), rows.end(),
                   [](const auto& a, const auto& b) { return is_better(a.second, b.second); });
  for (const auto& [name, result] : rows) {
    fmt::print("{:<14} {:>9.1f} s {:>7.1f} s {:>12.0f} {:>7} {:>11}   {:>7.2f} % {:>13.4f} {:>4}\n",
               name, result.mean_over(), result.worst, result.swapped, result.killed,
               result.unfinished, 100 * result.stalled, result.deficit, result.simulated_oom);
  }
  fmt::print("{}\n", agreement(results));
}

/// Every bundled policy, "none" and "all-memory".
std::vector<std::string> all_policies() {
  const auto finished = testing::run_memcoord({"policies", "--json"});
  if (finished.exit_code != 0) throw std::runtime_error(finished.errors);
  std::vector<std::string> names;
  for (const Json& policy : Json::parse(finished.output).value().items()) {
    names.push_back(policy.at("name").string());
  }
  names.push_back(kNoPolicy);
  names.push_back(kAllMemory);
  return names;
}

struct Arguments {
  std::vector<std::string> policies;
  std::vector<std::string> contests;
  int runs = 1;
  std::chrono::seconds boot = lab::kUsualBoot;
  std::string keep;
};

void compare(const Arguments& arguments) {
  if (!arguments.keep.empty()) std::filesystem::create_directories(arguments.keep);
  for (const Contest& contest : contests()) {
    const auto& wanted = arguments.contests;
    if (std::find(wanted.begin(), wanted.end(), contest.name) == wanted.end()) continue;
    LabResults results;
    for (int run = 1; run <= arguments.runs; ++run) {
      for (const std::string& policy : arguments.policies) {
        fmt::print(stderr, "{}: {}, run {} of {}\n", contest.name, policy, run, arguments.runs);
        LabResult& result = results[policy];
        const std::string name = fmt::format("{}-{}-{}.jsonl", contest.name, policy, run);
        play(contest, policy, arguments.boot,
             arguments.keep.empty() ? "" : arguments.keep + "/" + name, result);
        fmt::print(stderr, "  so far {:.1f} s late, {:.0f} MiB swapped, {} killed\n",
                   result.mean_over(), result.swapped, result.killed);
      }
    }
    simulate(contest, arguments.policies, results);
    print(contest, results);
    (void)std::fflush(stdout);
  }
}

}  // namespace

int main(int argc, char** argv) {
  try {
    Arguments arguments;
    const std::vector<std::string> policies = all_policies();
    cli::Command tool("compare_policies",
                      "Compares policies on real guests that demand more than the host has");
    cli::add_list(tool, {"--policies", "NAME...", "bundled ones, none and all-memory; default all"},
                  testing::into_known(arguments.policies, policies));
    cli::add_list(tool, {"--contests", "NAME...", "default all"},
                  testing::into_known(arguments.contests, lab::contest_names()));
    cli::add_option(tool, {"--runs", "N", "of each"},
                    cli::into(arguments.runs, testing::parse_count));
    cli::add_option(tool, {"--keep", "FOLDER", "keep the runs' journals there"},
                    cli::into_text(arguments.keep));
    lab::add_boot_option(tool, arguments.boot);
    if (const auto code = testing::ends_with(tool, argc, argv)) return *code;
    if (arguments.policies.empty()) arguments.policies = policies;
    if (arguments.contests.empty()) arguments.contests = lab::contest_names();
    compare(arguments);
    return 0;
  } catch (const std::exception& error) {
    fmt::print(stderr, "compare_policies: {}\n", error.what());
    return 1;
  }
}
