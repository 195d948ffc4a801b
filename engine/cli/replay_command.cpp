// memcoord replay: the decisions of a policy at recorded ticks.

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <memory>

#include "engine/cli/command.h"
#include "engine/cli/commands.h"
#include "engine/cli/help.h"
#include "engine/cli/journal_reading.h"
#include "engine/cli/policy_loader.h"
#include "engine/cli/run_options.h"
#include "engine/cli/terminal.h"
#include "engine/cli/workbench_commands.h"
#include "engine/core/printable.h"
#include "engine/observers/journal.h"
#include "engine/observers/journal_files.h"
#include "engine/observers/json.h"
#include "engine/workbench/replay.h"

namespace memcoord::cli {
namespace {

using namespace workbench;
using observers::Json;

struct ReplayOptions {
  std::vector<std::string> journals;
  std::string policy{kDefaultPolicy};
  std::map<std::string, std::string> settings;
  PolicyLimitOptions policy_limits;
  Limits limits;
  bool all = false;
  bool json = false;
};

/// Totals over all journals.
struct Counts {
  std::uint64_t runs = 0;
  std::uint64_t ticks = 0;
  std::uint64_t not_sampled = 0;
  std::uint64_t different_ticks = 0;
  std::uint64_t alike = 0;
  std::uint64_t different = 0;
  std::uint64_t without_answer = 0;
  std::uint64_t moves_then = 0;
  std::uint64_t moves_now = 0;
};

bool moves(const std::optional<Decision>& decision) {
  return decision && !decision->holds();
}

void count(Counts& counts, const ReplayedTick& tick) {
  if (tick.restoring) return;
  ++counts.ticks;
  if (tick.begins_run) ++counts.runs;
  if (!tick.sampled) ++counts.not_sampled;
  if (tick.policy_error) ++counts.without_answer;
  bool different = false;
  for (const ReplayedDomain& domain : tick.domains) {
    ++(domain.alike ? counts.alike : counts.different);
    different = different || !domain.alike;
    if (moves(domain.then)) ++counts.moves_then;
    if (moves(domain.now)) ++counts.moves_now;
  }
  if (different) ++counts.different_ticks;
}

std::string time_text(WallTime time) {
  // A system_clock of nanoseconds ends in 2262, but a journal's years go up to 9999.
  const std::time_t stamp =
      std::chrono::floor<std::chrono::seconds>(time).time_since_epoch().count();
  return fmt::format("{:%F %T}", fmt::gmtime(stamp));
}

/// The longest text that a line shows, in bytes: a journal's texts may have any length.
constexpr std::size_t kLongest = 200;

std::string target_text(const std::optional<Decision>& decision, Units units, int digits) {
  return moves(decision) ? decision->target.text(units, digits) : "holds";
}

MemorySize target_of(const std::optional<Decision>& decision, MemorySize actual) {
  return moves(decision) ? decision->target : actual;
}

/// The digits that distinguish the three sizes of a line.
int digits_for(const ReplayedDomain& domain, Units units) {
  const MemorySize then = target_of(domain.then, domain.actual);
  const MemorySize now = target_of(domain.now, domain.actual);
  return std::max({digits_to_tell_apart(domain.actual, then, units),
                   digits_to_tell_apart(domain.actual, now, units),
                   digits_to_tell_apart(then, now, units)});
}

/// The policy's reason and the rules that limited the decision.
std::string why_text(const std::optional<Decision>& decision) {
  if (!decision) return {};
  std::string text = decision->why;
  for (const RuleHit& hit : decision->rules) {
    text += (text.empty() ? "" : "; ") + std::string(to_text(hit.rule));
  }
  return excerpt(text, kLongest);
}

void print_heading() {
  standard_output() << fmt::format("{:>7}  {:<19}  {:<20}  {:>10}  {:>10}  {:>10}  {}", "TICK",
                                   "TIME (UTC)", "DOMAIN", "HAD", "THEN", "NOW",
                                   "WHY THEN | WHY NOW")
                    << '\n';
}

void print_new_run(const std::string& journal, const ReplayedTick& tick) {
  standard_output() << fmt::format("{:>7}  {:<19}  a new run of memcoord begins: {}", tick.number,
                                   time_text(tick.wall_time), excerpt(journal, kLongest))
                    << '\n';
}

void print_replayed(const ReplayedTick& tick, bool all, Units units) {
  for (const ReplayedDomain& domain : tick.domains) {
    if (domain.alike && !all) continue;
    const std::string then = why_text(domain.then);
    const std::string now = why_text(domain.now);
    const int digits = digits_for(domain, units);
    standard_output() << fmt::format("{:>7}  {:<19}  {:<20}  {:>10}  {:>10}  {:>10}  {} | {}",
                                     tick.number, time_text(tick.wall_time),
                                     excerpt(domain.name, kLongest),
                                     domain.actual.text(units, digits),
                                     target_text(domain.then, units, digits),
                                     target_text(domain.now, units, digits),
                                     then.empty() ? "-" : then, now.empty() ? "-" : now)
                      << '\n';
  }
}

Json decision_json(const std::optional<Decision>& decision) {
  if (!decision) return nullptr;
  auto rules = Json::array();
  for (const RuleHit& hit : decision->rules) rules.push_back(to_text(hit.rule));
  return Json::object({{"target_kib", decision->target.kib()},
                       {"proposed_kib", decision->proposed.kib()},
                       {"why", decision->why},
                       {"rules", std::move(rules)}});
}

void print_replayed_json(const std::string& journal, const ReplayedTick& tick) {
  Json json = Json::object({{"journal", journal}, {"run", tick.run}, {"tick", tick.number}});
  auto domains = Json::array();
  for (const ReplayedDomain& domain : tick.domains) {
    domains.push_back(Json::object({{"name", domain.name},
                                    {"actual_kib", domain.actual.kib()},
                                    {"then", decision_json(domain.then)},
                                    {"now", decision_json(domain.now)},
                                    {"alike", domain.alike}}));
  }
  json.set("domains", std::move(domains));
  if (tick.policy_error) json.set("policy_error", tick.policy_error->text());
  standard_output() << json.line() << '\n';
}

void print_summary(const ReplayOptions& options, const Counts& counts) {
  TextOut out = standard_output();
  if (counts.different > 0 || counts.runs > 1 || options.all) out << '\n';
  out << fmt::format(
             "{} in {} ticks{}: {} decisions differ (in {} ticks), {} are alike; moves then {}, "
             "now {}",
             options.policy, counts.ticks,
             counts.runs > 1 ? fmt::format(" of {} runs", counts.runs) : "", counts.different,
             counts.different_ticks, counts.alike, counts.moves_then, counts.moves_now)
      << '\n';
  if (counts.not_sampled > 0) {
    out << counts.not_sampled
        << " ticks have no sample of the host, so a replay decides nothing in them" << '\n';
  }
}

class Session {
 public:
  explicit Session(const ReplayOptions& options)
      : options_(options), loader_(with_simulation_time(options.policy_limits)) {}

  Result<ExitCode> go();

 private:
  Result<std::unique_ptr<Policy>> fresh_policy() const;
  Status play();

  const ReplayOptions& options_;
  PolicyLoader loader_;
  Counts counts_;
  std::optional<Error> policy_error_;
};

Result<std::unique_ptr<Policy>> Session::fresh_policy() const {
  return loader_.load(options_.policy, options_.settings);
}

Status Session::play() {
  auto reader =
      observers::JournalReader::open({options_.journals.begin(), options_.journals.end()});
  if (!reader) return fail(reader.error());
  std::optional<Limits> limits;
  Limits untouched;
  untouched.units = options_.limits.units;
  if (options_.limits != untouched) limits = options_.limits;
  Replay replay([this] { return fresh_policy(); }, limits);
  while (true) {
    const auto recorded = reader->next();
    print_notes(reader->drain_notes());
    if (!recorded) return fail(recorded.error());
    if (!*recorded) return {};
    const auto tick = replay.take(**recorded);
    if (!tick) return fail(tick.error());
    count(counts_, *tick);
    if (tick->restoring) continue;
    if (tick->policy_error && !policy_error_) policy_error_ = tick->policy_error;
    if (options_.json) {
      print_replayed_json(reader->file().string(), *tick);
      continue;
    }
    if (counts_.ticks == 1) print_heading();
    if (tick->begins_run && counts_.runs > 1) print_new_run(reader->file().string(), *tick);
    print_replayed(*tick, options_.all, options_.limits.units);
  }
}

Result<ExitCode> Session::go() {
  if (auto policy = fresh_policy(); !policy) return fail(policy.error());
  if (Status played = play(); !played) return fail(played.error());
  // Nothing but records of a restoration.
  if (counts_.ticks == 0) return fail(observers::no_ticks(options_.journals.front()));
  if (!options_.json) print_summary(options_, counts_);
  if (!policy_error_) return ExitCode::ok;
  Error error = *policy_error_;
  error.message +=
      fmt::format(" (no answer in {} of {} ticks)", counts_.without_answer, counts_.ticks);
  report(error);
  return ExitCode::failed;
}

}  // namespace

void add_replay_command(Command& program) {
  const auto options = std::make_shared<ReplayOptions>();
  Command& command = program.add(
      "replay", "Compare the recorded decisions of a journal with the decisions of another policy.",
      [options] { return Session(*options).go(); });
  add_journals_argument(command, options->journals);
  add_option(
      command,
      {"-p,--policy", "FILE|NAME", "the policy: a Lua file or a bundled one; default adaptive"},
      into_text(options->policy));
  add_set_option(command, options->settings);
  add_flag(command, {"--all", "also show the decisions that are alike"}, options->all);
  add_flag(command, {"--json", "print each tick as a line of JSON"}, options->json);
  add_units_option(command, options->limits.units);
  add_guard_options(command, options->limits);
  add_policy_limit_options(command, options->policy_limits, "Limits", kSimulationTimeText);
  command.footer = examples_text({
      {"memcoord replay --policy mine.lua ticks.jsonl",
       "show where your own policy decides differently"},
      {"memcoord replay -p halving --set starved_below=200MiB *.jsonl", "read several journals"},
  });
}

}  // namespace memcoord::cli
