#include "tests/workbench/scenario_text.h"

#include <fmt/core.h>

#include <chrono>
#include <cstdint>

namespace memcoord::testing {
namespace {

using simulated::Plan;
using simulated::Scenario;
using simulated::ScenarioDomain;

std::string size_text(MemorySize size) {
  const std::uint64_t kib = size.kib();
  if (kib == 0) return "0";
  if (kib % (1024 * 1024) == 0) return fmt::format("{} * GiB", kib / (1024 * 1024));
  if (kib % 1024 == 0) return fmt::format("{} * MiB", kib / 1024);
  return std::to_string(kib);
}

std::string seconds_text(Duration time) {
  const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(time).count();
  if (ms % 1000 == 0) return std::to_string(ms / 1000);
  if (ms % 100 == 0) return fmt::format("{}.{}", ms / 1000, ms % 1000 / 100);
  return fmt::format("{}.{:03}", ms / 1000, ms % 1000);
}

std::string plan_text(const Plan& plan) {
  std::string text = "{ ";
  for (const Plan::Point& point : plan.points()) {
    if (text.size() > 2) text += ", ";
    text += fmt::format("{{ {}, {} }}", seconds_text(point.at), size_text(point.size));
  }
  return text + " }";
}

std::string domain_text(const ScenarioDomain& domain) {
  std::string text = fmt::format("{{ name = \"{}\", maximum = {}, initial = {}", domain.name,
                                 size_text(domain.maximum), size_text(domain.initial));
  const auto add = [&](const char* key, const std::string& value) {
    text += fmt::format(", {} = {}", key, value);
  };
  if (domain.settings.minimum) add("minimum", size_text(*domain.settings.minimum));
  if (domain.settings.weight != 1) add("weight", fmt::format("{}", domain.settings.weight));
  if (domain.settings.priority != 0) add("priority", std::to_string(domain.settings.priority));
  if (!domain.swap.is_zero()) add("swap", size_text(domain.swap));
  add("period", seconds_text(domain.period));
  if (domain.start > Duration()) add("start", seconds_text(domain.start));
  if (domain.stop) add("stop", seconds_text(*domain.stop));
  if (domain.free_page_reporting) add("free_page_reporting", "true");
  if (domain.touched) add("touched", "true");
  if (!domain.demand.empty()) text += ",\n      demand = " + plan_text(domain.demand);
  if (!domain.cache.empty()) text += ",\n      cache = " + plan_text(domain.cache);
  return text + " },\n";
}

}  // namespace

std::string scenario_text(const Scenario& scenario) {
  std::string host = fmt::format("total = {}, base = {}", size_text(scenario.host_total),
                                 size_text(scenario.host_base));
  if (!scenario.host_swap.is_zero()) host += ", swap = " + size_text(scenario.host_swap);
  std::string text = fmt::format(
      "return {{\n  summary = \"{}\",\n  host = {{ {} }},\n  duration = {},\n  domains = {{\n",
      scenario.summary, host, seconds_text(scenario.duration));
  for (const ScenarioDomain& domain : scenario.domains) text += "    " + domain_text(domain);
  return text + "  },\n}\n";
}

}  // namespace memcoord::testing
