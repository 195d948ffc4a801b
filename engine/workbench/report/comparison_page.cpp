// The page of a comparison of policies.

#include <fmt/core.h>

#include <algorithm>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "engine/files/atomic_file.h"
#include "engine/observers/json.h"
#include "engine/workbench/report/page.h"
#include "engine/workbench/report/record_json.h"
#include "engine/workbench/report/report.h"

namespace memcoord::workbench {
namespace report {
namespace {

using observers::Json;

// The part of each run that the page keeps: enough for charts a third of a screen wide.
constexpr std::size_t kMoments = 300;
constexpr std::size_t kDomains = 8;

const ComparisonCell* cell_of(const ComparisonRow& row, std::size_t scenario) {
  return scenario < row.cells.size() ? &row.cells[scenario] : nullptr;
}

/// The best value of each figure among the policies; none if all policies have the same value.
std::vector<std::optional<double>> best_of(const Comparison& comparison, std::size_t scenario) {
  std::vector<std::optional<double>> best(figures_of({}).size());
  std::vector<bool> differ(best.size(), false);
  for (const ComparisonRow& row : comparison.rows) {
    const ComparisonCell* cell = cell_of(row, scenario);
    if (row.kind != ComparisonRow::Kind::policy || cell == nullptr || !cell->score) continue;
    const auto figures = figures_of(*cell->score);
    for (std::size_t i = 0; i < figures.size(); ++i) {
      if (best[i] && *best[i] != figures[i].value) differ[i] = true;
      best[i] = std::min(best[i].value_or(figures[i].value), figures[i].value);
    }
  }
  for (std::size_t i = 0; i < best.size(); ++i) {
    if (!differ[i]) best[i].reset();
  }
  return best;
}

std::string row_text(const ComparisonRow& row, const ComparisonCell* cell,
                     const std::vector<std::optional<double>>& best, bool first_baseline) {
  const bool policy = row.kind == ComparisonRow::Kind::policy;
  std::string out = policy           ? "<tr>"
                    : first_baseline ? "<tr class=\"baseline first\">"
                                     : "<tr class=\"baseline\">";
  out += "<td class=\"name\">" + escaped(row.name) + "</td>";
  if (cell == nullptr || !cell->score) {
    const std::string problem = cell == nullptr ? std::string() : cell->problem;
    return out + fmt::format("<td class=\"left missing\" colspan=\"{}\">{}</td></tr>\n",
                             best.size(), problem.empty() ? "does not apply" : escaped(problem));
  }
  const auto figures = figures_of(*cell->score);
  for (std::size_t i = 0; i < figures.size(); ++i) {
    const bool marked = policy && best[i] && *best[i] == figures[i].value;
    out += fmt::format("<td{} data-v=\"{}\">{}</td>", marked ? " class=\"best\"" : "",
                       figures[i].value, figures[i].text);
  }
  out += "</tr>\n";
  if (!cell->problem.empty()) {
    out += fmt::format(
        "<tr class=\"more\"><td></td><td class=\"left bad\" colspan=\"{}\">{}</td></tr>\n",
        best.size(), escaped(cell->problem));
  }
  return out;
}

std::string scenario_table(const Comparison& comparison, std::size_t scenario) {
  std::string out = "<div class=\"wide\"><table class=\"data sorts\">\n<thead><tr><th>policy</th>";
  for (const Figure& figure : figures_of({})) {
    out += fmt::format("<th title=\"{}\">{}</th>", escaped(figure.meaning), figure.name);
  }
  out += "</tr></thead>\n<tbody>\n";
  const auto best = best_of(comparison, scenario);
  bool baselines = false;
  for (const ComparisonRow& row : comparison.rows) {
    const bool baseline = row.kind != ComparisonRow::Kind::policy;
    out += row_text(row, cell_of(row, scenario), best, baseline && !baselines);
    baselines = baselines || baseline;
  }
  return out + "</tbody></table></div>\n";
}

std::string scenario_section(const Comparison& comparison, std::size_t at) {
  const ComparedScenario& scenario = comparison.scenarios[at];
  return fmt::format(
             "<section id=\"scenario-{}\" class=\"scenario\">\n<h2>{} <small>{}</small></h2>\n"
             "<ul class=\"meta\">{}{}{}</ul>\n",
             at, escaped(scenario.name), escaped(scenario.summary),
             item("host", scenario.host_total.text(comparison.units)),
             item("domains", std::to_string(scenario.domains)),
             item("duration", time_text(scenario.duration))) +
         scenario_table(comparison, at) +
         fmt::format("<div id=\"curves-{}\" hidden></div>\n</section>\n", at);
}

/// Positions of the domains with the most kills, then stalls, under any policy.
std::vector<std::size_t> worst_domains(const std::vector<const RunRecord*>& records) {
  std::map<std::size_t, std::pair<int, double>> worst_of;
  for (const RunRecord* record : records) {
    for (std::size_t i = 0; i < record->domains.size(); ++i) {
      auto& worst = worst_of[i];
      worst = std::max(worst, std::pair(record->domains[i].oom_kills, record->domains[i].stalled));
    }
  }
  std::vector<std::pair<std::pair<int, double>, std::size_t>> order;
  order.reserve(worst_of.size());
  for (const auto& [place, worst] : worst_of) order.emplace_back(worst, place);
  std::stable_sort(order.begin(), order.end(),
                   [](const auto& a, const auto& b) { return a.first > b.first; });
  std::vector<std::size_t> picks;
  for (const auto& [worst, place] : order) {
    if (picks.size() < kDomains) picks.push_back(place);
  }
  return picks;
}

void write_scenario(const Comparison& comparison, std::size_t at, const files::WritePiece& write) {
  const ComparedScenario& scenario = comparison.scenarios[at];
  std::vector<const RunRecord*> records;
  std::vector<std::string> names;
  for (const ComparisonRow& row : comparison.rows) {
    const ComparisonCell* cell = cell_of(row, at);
    if (cell == nullptr || !cell->record) continue;
    records.push_back(cell->record.get());
    names.push_back(row.name);
  }
  const MemorySize floor = records.empty() ? MemorySize() : records.front()->limits.host_floor;
  write("{\"name\":" + script_json(scenario.name) +
        fmt::format(",\"hostTotal\":{},\"hostFloor\":{},\"records\":[", scenario.host_total.kib(),
                    floor.kib()));
  const auto picks = worst_domains(records);
  for (std::size_t i = 0; i < records.size(); ++i) {
    write(i > 0 ? ",\n" : "\n");
    RunRecord part = downsampled(*records[i], kMoments);
    part.policy = names[i];
    write_compared_record(part, picks, write);
  }
  write("]}");
}

std::string rows_json(const Comparison& comparison) {
  auto rows = Json::array();
  for (const ComparisonRow& row : comparison.rows) {
    auto cells = Json::array();
    for (std::size_t s = 0; s < comparison.scenarios.size(); ++s) {
      auto figures = Json::array();
      const ComparisonCell* cell = cell_of(row, s);
      if (cell != nullptr && cell->score) {
        for (const Figure& figure : figures_of(*cell->score)) {
          figures.push_back(Json::array({figure.value, figure.text}));
        }
      }
      cells.push_back(std::move(figures));
    }
    rows.push_back(
        Json::object({{"name", row.name},
                      {"kind", row.kind == ComparisonRow::Kind::policy ? "policy" : "baseline"},
                      {"cells", std::move(cells)}}));
  }
  return script_json(rows);
}

void write_comparison_data(const Comparison& comparison, const files::WritePiece& write) {
  auto figures = Json::array();
  for (const Figure& figure : figures_of({})) {
    figures.push_back(Json::object({{"name", figure.name}, {"meaning", figure.meaning}}));
  }
  write("{\"units\":\"" + std::string(to_text(comparison.units)) +
        "\",\"rules\":" + rule_names_json());
  write(",\n\"figures\":" + script_json(figures) + ",\n\"rows\":" + rows_json(comparison));
  write(",\n\"scenarios\":[");
  for (std::size_t s = 0; s < comparison.scenarios.size(); ++s) {
    write(s > 0 ? ",\n" : "\n");
    write_scenario(comparison, s, write);
  }
  write("]}");
}

std::string comparison_page_start(const Comparison& comparison) {
  const auto policies = std::count_if(
      comparison.rows.begin(), comparison.rows.end(),
      [](const ComparisonRow& row) { return row.kind == ComparisonRow::Kind::policy; });
  return page_start({"Policies compared", "Policies compared",
                     "Smaller is better in every figure. A dot marks the best policies of each "
                     "column where the policies differ.",
                     item("policies", std::to_string(policies)) +
                         item("scenarios", std::to_string(comparison.scenarios.size())) +
                         item("interval", time_text(comparison.interval)) +
                         item("headroom metric", to_text(comparison.headroom))});
}

void write_comparison_page(const Comparison& comparison, const files::WritePiece& write) {
  write(comparison_page_start(comparison));
  write(
      "<section id=\"overview\" hidden>\n<h2>All scenarios</h2>\n"
      "<div class=\"seg noprint\"></div>\n<div class=\"wide\"><table class=\"data\"></table>"
      "</div>\n</section>\n");
  write(keys_help(""));
  for (std::size_t s = 0; s < comparison.scenarios.size(); ++s) {
    write(scenario_section(comparison, s));
  }
  write_page_end(write,
                 [&](const files::WritePiece& piece) { write_comparison_data(comparison, piece); },
                 {kComparisonJs});
}

}  // namespace
}  // namespace report

Status write_comparison_report(const Comparison& comparison, const std::filesystem::path& path) {
  return files::write_atomically(path, [&](const files::WritePiece& write) -> Status {
    report::write_comparison_page(comparison, write);
    return {};
  });
}

}  // namespace memcoord::workbench
