// Runs policies on random scenarios, and shows where each was behind the others.
//
//   random_scenarios [--seeds 1-200] [--policies NAME...] [OPTIONS OF memcoord compare]
//   random_scenarios --write N
//   random_scenarios --smallest POLICY [--losses N] ...
//
// The same numbers make the same scenarios on every machine. docs/policies.md has the results.

#include <fmt/core.h>

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "engine/cli/command.h"
#include "engine/cli/policy_loader.h"
#include "engine/cli/workbench_commands.h"
#include "engine/core/text_table.h"
#include "engine/files/atomic_file.h"
#include "engine/workbench/comparison.h"
#include "tests/tool_command_line.h"
#include "tests/workbench/hindsight.h"
#include "tests/workbench/random_scenario.h"
#include "tests/workbench/scenario_text.h"
#include "tests/workbench/smallest_scenario.h"

namespace {

using namespace memcoord;
using cli::share_text;
using testing::Hindsight;
using workbench::ComparedPolicy;
using workbench::Comparison;
using workbench::Score;

/// The fixed set of the benchmark (docs/policies.md): scenarios 1 to 200 of seed 1.
constexpr std::int64_t kBenchmark = 200;

struct Arguments {
  cli::WorkbenchOptions workbench;
  std::int64_t seed = 1;
  std::int64_t first = 1;
  std::int64_t last = kBenchmark;
  std::optional<std::int64_t> write;
  std::vector<std::string> policies;
  std::string csv;
  std::int64_t losses = 10;
  std::string smallest;
};

/// "7" or "1-200".
Status read_range(const std::string& text, Arguments& arguments) {
  const std::size_t dash = text.find('-');
  const auto first = testing::parse_count(text.substr(0, dash));
  const auto last = dash == std::string::npos ? first : testing::parse_count(text.substr(dash + 1));
  if (!first || !last || *last < *first) {
    return fail(ErrorCode::invalid_input, "", "'" + text + "' is not a range of numbers",
                "write 1-200, or one number");
  }
  arguments.first = *first;
  arguments.last = *last;
  return {};
}

template <class T>
T value_of(Result<T> result) {
  if (!result) throw std::runtime_error(result.error().text());
  return *std::move(result);
}

std::vector<ComparedPolicy> policies_of(const Arguments& arguments,
                                        const cli::PolicyLoader& loader) {
  std::vector<std::string> names = arguments.policies;
  if (names.empty()) {
    names = value_of(cli::BundledFiles(cli::BundledKind::policy, cli::data_directories()).names());
  }
  std::vector<ComparedPolicy> policies;
  for (const std::string& name : names) {
    const cli::PolicySpec spec = value_of(cli::parse_policy_spec(name));
    (void)value_of(loader.load(spec.path_or_name, spec.settings));
    const std::string label =
        spec.settings.empty() ? std::filesystem::path(name).stem().string() : name;
    policies.push_back({label, [&loader, spec]() -> Result<std::unique_ptr<Policy>> {
                          return loader.load(spec.path_or_name, spec.settings);
                        }});
  }
  return policies;
}

std::vector<simulated::Scenario> scenarios_of(const Arguments& arguments) {
  std::vector<simulated::Scenario> scenarios;
  for (std::int64_t number = arguments.first; number <= arguments.last; ++number) {
    scenarios.push_back(testing::random_scenario(static_cast<std::uint64_t>(arguments.seed),
                                                 static_cast<std::uint64_t>(number)));
  }
  return scenarios;
}

void print_summary(const Hindsight& hindsight, std::size_t scenarios) {
  constexpr auto kRight = TextTable::Align::right;
  fmt::print("{} scenarios, {} of them with a clairvoyant bound of 0; the bound's mean is {}\n\n",
             scenarios, hindsight.served, share_text(hindsight.bound));
  TextTable table({{"POLICY"},
                   {"STALLED", kRight},
                   {"MEDIAN", kRight},
                   {"99 %", kRight},
                   {"BOUND 0", kRight},
                   {"OOM", kRight},
                   {"HOST OOM", kRight},
                   {"BREACH s", kRight},
                   {"MOVED GiB", kRight},
                   {"BEHIND", kRight},
                   {"BY HOST OOM", kRight},
                   {"FUTILE", kRight}});
  for (const testing::PolicySummary& one : hindsight.policies) {
    table.add_row({one.name, share_text(one.mean), share_text(one.median), share_text(one.high),
                   share_text(one.mean_served), std::to_string(one.guest_kills),
                   std::to_string(one.host_kills), fmt::format("{:.0f}", one.breach_seconds),
                   fmt::format("{:.0f}", one.moved), std::to_string(one.behind),
                   std::to_string(one.behind_kills), std::to_string(one.futile)});
  }
  fmt::print("{}", table.text(false));
}

void print_losses(const Hindsight& hindsight, const Comparison& comparison, std::int64_t most) {
  for (std::size_t row = 0; row < hindsight.policies.size(); ++row) {
    std::int64_t shown = 0;
    for (const testing::Loss& loss : hindsight.losses) {
      if (loss.policy != row || shown == most) continue;
      if (shown++ == 0) fmt::print("\n{} was clearly behind in:\n", hindsight.policies[row].name);
      const auto& own = comparison.rows[row].cells[loss.scenario].score;
      const auto& better = comparison.rows[loss.better].cells[loss.scenario].score;
      const workbench::ComparedScenario& scenario = comparison.scenarios[loss.scenario];
      fmt::print("  {:<12} {:>8} against {:>8} of {:<14} host OOM {} and {}, OOM {} and {}; {}\n",
                 scenario.name, share_text(own->stalled), share_text(better->stalled),
                 hindsight.policies[loss.better].name, own->host_oom, better->host_oom,
                 own->guest_oom, better->guest_oom, scenario.summary);
    }
  }
}

void print_passed(const Hindsight& hindsight, const Comparison& comparison) {
  for (const testing::Loss& run : hindsight.passed) {
    fmt::print("\n{} passed the clairvoyant bound in {} by {}\n",
               hindsight.policies[run.policy].name, comparison.scenarios[run.scenario].name,
               share_text(run.by));
  }
}

std::string csv_text(const Comparison& comparison) {
  std::string text =
      "scenario,policy,domains,seconds,stalled,deficit_gib_hours,oom,host_oom,breach_s,churn_mib_h,"
      "summary\n";
  for (std::size_t place = 0; place < comparison.scenarios.size(); ++place) {
    const workbench::ComparedScenario& scenario = comparison.scenarios[place];
    for (const workbench::ComparisonRow& row : comparison.rows) {
      if (!row.cells[place].score) continue;
      const Score& score = *row.cells[place].score;
      text += fmt::format("{},{},{},{:.1f},{:.8f},{:.6f},{},{},{:.1f},{:.3f},\"{}\"\n",
                          scenario.name, row.name, scenario.domains, seconds_of(scenario.duration),
                          score.stalled, score.deficit, score.guest_oom, score.host_oom,
                          score.breach_seconds, score.churn, scenario.summary);
    }
  }
  return text;
}

/// A line of progress each tenth of the runs.
class Tenths {
 public:
  void show(double share) {
    const int tenth = static_cast<int>(share * 10);
    int before = shown_;
    while (tenth > before) {
      if (!shown_.compare_exchange_weak(before, tenth)) continue;
      fmt::print(stderr, "{} % of the runs done\n", 10 * tenth);
      return;
    }
  }

 private:
  std::atomic<int> shown_ = 0;
};

/// The simulations that shrinking one scenario may take, two for each attempt.
constexpr std::size_t kAttempts = 600;

/// Makes small what one policy loses against another.
class LossSearch {
 public:
  LossSearch(const std::vector<ComparedPolicy>& policies,
             const workbench::SimulationOptions& options)
      : policies_(policies), options_(options) {}

  [[nodiscard]] Score score(const simulated::Scenario& scenario, std::size_t row) const {
    workbench::SimulationOptions options = options_;
    options.dry_run = row >= policies_.size();
    auto policy = options.dry_run ? workbench::hold_everything() : value_of(policies_[row].make());
    return workbench::simulate(scenario, std::move(policy), options).score;
  }
  [[nodiscard]] simulated::Scenario smallest(const simulated::Scenario& scenario,
                                             const testing::Loss& loss) const {
    const auto still_lost = [&](const simulated::Scenario& smaller) {
      return testing::is_loss(score(smaller, loss.policy), score(smaller, loss.better));
    };
    return testing::smallest_scenario(scenario, still_lost, kAttempts);
  }

 private:
  const std::vector<ComparedPolicy>& policies_;
  workbench::SimulationOptions options_;
};

/// Prints the smallest scenario of each of the worst losses of a policy.
void print_smallest(const Arguments& arguments, const Hindsight& hindsight,
                    const std::vector<simulated::Scenario>& scenarios, const LossSearch& search) {
  std::int64_t shown = 0;
  for (const testing::Loss& loss : hindsight.losses) {
    const std::string& name = hindsight.policies[loss.policy].name;
    if (name != arguments.smallest || shown == arguments.losses) continue;
    ++shown;
    const std::string& better = hindsight.policies[loss.better].name;
    fmt::print(stderr, "making {} small, {} against {}\n", scenarios[loss.scenario].name, name,
               better);
    const simulated::Scenario small = search.smallest(scenarios[loss.scenario], loss);
    const Score own = search.score(small, loss.policy);
    const Score other = search.score(small, loss.better);
    fmt::print("\n-- {}: {} stalled {}, OOM {}, host OOM {}; {} {}, {}, {}\n{}",
               scenarios[loss.scenario].name, name, share_text(own.stalled), own.guest_oom,
               own.host_oom, better, share_text(other.stalled), other.guest_oom, other.host_oom,
               testing::scenario_text(small));
    (void)std::fflush(stdout);
  }
  if (shown == 0) fmt::print("\n{} was clearly behind in no scenario\n", arguments.smallest);
}

void check_smallest(const Arguments& arguments, const std::vector<ComparedPolicy>& policies) {
  if (arguments.smallest.empty() || arguments.smallest == "static sizing") return;
  for (const ComparedPolicy& policy : policies) {
    if (policy.label == arguments.smallest) return;
  }
  throw std::runtime_error("--smallest " + arguments.smallest + ": not among the policies");
}

void run(const Arguments& arguments) {
  const cli::PolicyLoader loader(cli::with_simulation_time(arguments.workbench.policy_limits));
  if (!arguments.csv.empty()) {
    const Status writable = files::check_writable(arguments.csv);
    if (!writable) throw std::runtime_error(writable.error().text());
  }
  const std::vector<ComparedPolicy> policies = policies_of(arguments, loader);
  const std::vector<simulated::Scenario> scenarios = scenarios_of(arguments);
  check_smallest(arguments, policies);
  workbench::ComparingOptions options;
  options.simulation = cli::simulation_options(arguments.workbench);
  options.simulation.limits = value_of(Limits::checked(arguments.workbench.limits));
  options.threads = arguments.workbench.jobs;
  Tenths progress;
  const Comparison comparison =
      workbench::compare(policies, scenarios, options,
                         [&](double share, const std::string&) { progress.show(share); });
  if (!arguments.csv.empty()) {
    const auto written =
        files::write_atomically(arguments.csv, [&](const files::WritePiece& write) -> Status {
          write(csv_text(comparison));
          return {};
        });
    if (!written) throw std::runtime_error(written.error().text());
  }
  const Hindsight hindsight = testing::judge(comparison);
  print_summary(hindsight, comparison.scenarios.size());
  print_passed(hindsight, comparison);
  if (arguments.smallest.empty()) return print_losses(hindsight, comparison, arguments.losses);
  print_smallest(arguments, hindsight, scenarios, LossSearch(policies, options.simulation));
}

}  // namespace

int main(int argc, char** argv) {
  try {
    Arguments arguments;
    cli::Command tool("random_scenarios",
                      "Runs policies on random scenarios and shows where each was behind others");
    cli::add_option(tool, {"--write", "N", "print scenario N as a scenario file, and run nothing"},
                    cli::into(arguments.write, testing::parse_count));
    cli::add_option(tool, {"--seeds", "RANGE", "the scenarios' numbers; default 1-200"},
                    [&](const std::string& text) -> Status { return read_range(text, arguments); });
    cli::add_option(tool, {"--seed", "N", "of all scenarios; default 1"},
                    cli::into(arguments.seed, testing::parse_count));
    cli::add_list(tool, {"--policies", "POLICY...", "bundled ones or files; default all bundled"},
                  cli::into_list(arguments.policies));
    cli::add_option(tool, {"--losses", "N", "lost scenarios shown of each policy; default 10"},
                    cli::into(arguments.losses, testing::parse_count));
    cli::add_option(
        tool,
        {"--smallest", "POLICY",
         "print the smallest scenario of each of its worst losses; one of the policies, "
         "or 'static sizing'"},
        cli::into_text(arguments.smallest));
    cli::add_option(tool, {"--csv", "FILE", "write every run's figures there"},
                    cli::into_text(arguments.csv));
    cli::add_comparing_options(tool, arguments.workbench);
    cli::add_periods_option(tool, arguments.workbench);
    cli::add_jobs_option(tool, arguments.workbench);
    if (const auto code = testing::ends_with(tool, argc, argv)) return *code;
    if (arguments.write) {
      fmt::print("{}", testing::scenario_text(
                           testing::random_scenario(static_cast<std::uint64_t>(arguments.seed),
                                                    static_cast<std::uint64_t>(*arguments.write))));
      return 0;
    }
    run(arguments);
    return 0;
  } catch (const std::exception& error) {
    fmt::print(stderr, "random_scenarios: {}\n", error.what());
    return 1;
  }
}
