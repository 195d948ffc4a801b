#include "engine/cli/sweep.h"

#include <fmt/format.h>

#include <filesystem>
#include <optional>
#include <system_error>

#include "engine/cli/command.h"
#include "engine/cli/terminal.h"
#include "engine/cli/version.h"
#include "engine/core/time.h"
#include "engine/files/open_file.h"

namespace memcoord::cli {
namespace {

using workbench::SweepId;

void add_plan(SweepId& id, const simulated::Plan& plan) {
  std::string text = plan.shape() == simulated::Plan::Shape::step ? "step " : "ramp ";
  for (const simulated::Plan::Point& point : plan.points()) {
    text += fmt::format("{} {},", point.at.count(), point.size.kib());
  }
  id.add(text);
}

std::string limits_text(const Limits& limits) {
  return fmt::format("{} {} {} {} {} {}", limits.domain_floor.kib(), limits.host_floor.kib(),
                     limits.max_reclaim, to_text(limits.headroom),
                     limits.host_memory ? limits.host_memory->exact() : "-", limits.overcommit);
}

std::string policy_limits_text(const PolicyLimitOptions& limits) {
  return fmt::format("{} {} {}", limits.time ? seconds_of(*limits.time) : -1,
                     limits.instructions.value_or(-1),
                     limits.memory ? limits.memory->exact() : "-");
}

}  // namespace

void add_sweep_options(Command& command, SweepOptions& options, const std::string& csv_text) {
  add_flag(command, {.names = "--csv", .description = csv_text, .excludes = "--json"}, options.csv);
  add_option(command,
             {"--shard", "I/N",
              "with --csv: only the Ith of N parts, for 'memcoord merge'; each part may run on "
              "another machine"},
             into(options.shard, workbench::parse_shard));
}

Status check_sweep(const SweepOptions& options) {
  if (options.shard.count == 1 || options.csv) return {};
  return fail(ErrorCode::invalid_input, "--shard", "needs --csv", "add --csv");
}

SweepId sweep_id(const WorkbenchOptions& options) {
  SweepId id;
  id.add(kVersion);
  id.add(fmt::format("{} {} {}", options.interval.count(), options.min_interval.count(),
                     options.keep_periods));
  id.add(limits_text(options.limits));
  id.add(policy_limits_text(options.policy_limits));
  for (const auto& [name, value] : options.settings) {
    id.add(name);
    id.add(value);
  }
  return id;
}

void add_to_sweep(SweepId& id, const std::string& label, const bindings::LuaPolicy& policy) {
  id.add(label);
  id.add(policy.source());
}

void add_to_sweep(SweepId& id, const workbench::Trace& trace) {
  std::string times;
  for (const std::chrono::seconds time : trace.times) times += fmt::format("{},", time.count());
  id.add(times);
  for (const workbench::TraceColumn& column : trace.columns) {
    id.add(column.name);
    std::string used = column.provisioned.exact() + " " + column.kernel.exact() + ":";
    for (const MemorySize size : column.used) used += fmt::format("{},", size.kib());
    id.add(used);
  }
}

void add_to_sweep(SweepId& id, const simulated::Scenario& scenario) {
  id.add(scenario.name);
  id.add(scenario.summary);
  id.add(fmt::format("{} {} {} {}", scenario.host_total.kib(), scenario.host_base.kib(),
                     scenario.duration.count(), scenario.seed));
  add_plan(id, scenario.host_use);
  for (const simulated::ScenarioDomain& domain : scenario.domains) {
    id.add(domain.name);
    id.add(fmt::format("{} {} {}", domain.maximum.kib(), domain.initial.kib(), domain.swap.kib()));
    add_plan(id, domain.demand);
    add_plan(id, domain.cache);
  }
}

Status add_scenario_text(SweepId& id, const std::string& file_or_name) {
  std::error_code none;
  if (!std::filesystem::is_regular_file(file_or_name, none)) return {};
  constexpr std::size_t kLargestScenario = std::size_t{16} << 20U;
  const auto text = files::read_up_to(kLargestScenario, file_or_name, "scenario");
  if (!text) return fail(text.error());
  id.add(*text);
  return {};
}

void print_sweep(const SweepTable& table, const workbench::Shard& shard) {
  TextOut out = standard_output();
  if (shard.count > 1) {
    out << workbench::shard_line({table.command, shard, table.rows, table.id}) << '\n';
  }
  out << table.heading << '\n';
  for (const std::size_t cell : shard.cells(table.rows)) out << table.row(cell) << '\n';
}

std::string score_heading() {
  std::string heading;
  for (const std::string& name : score_json({}).names()) heading += "," + name;
  return heading;
}

std::string score_fields(const std::optional<workbench::Score>& score) {
  const observers::Json figures = score_json(score.value_or(workbench::Score{}));
  std::string fields;
  for (const std::string& name : figures.names()) {
    fields += "," + (score ? figures.at(name).line() : "");
  }
  return fields;
}

}  // namespace memcoord::cli
