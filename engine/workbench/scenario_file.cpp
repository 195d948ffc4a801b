#include "engine/workbench/scenario_file.h"

#include <algorithm>
#include <array>
#include <iterator>
#include <set>
#include <utility>

#include "bindings/document.h"
#include "engine/workbench/scenario_reader.h"

namespace memcoord::workbench {
namespace {

using bindings::Document;
using bindings::Value;
using simulated::Fault;
using simulated::Scenario;
using simulated::ScenarioDomain;

/// The file, its first error, and the scenario that it describes.
struct Reading {
  const Document& document;
  std::optional<Error>& error;
  Scenario& scenario;
};

/// { 4 * GiB, 4 * GiB }: the sizes of the host's NUMA nodes, which hold all of its memory.
void read_host_nodes(TableReader& reader, Scenario& scenario) {
  const Value* value = reader.field("nodes");
  if (!value) return;
  const auto* list = value->as<Value::Table>();
  MemorySize sum;
  for (const Value& item : list ? list->items : decltype(list->items){}) {
    const auto size = size_of(item);
    if (!size || size->is_zero())
      return reader.wrong("nodes", "a node's size is not a size of memory");
    scenario.host_nodes.push_back(*size);
    sum += *size;
  }
  if (!list || !list->fields.empty() || scenario.host_nodes.empty()) {
    return reader.wrong("nodes", "nodes is not a list of sizes",
                        "write nodes = { 4 * GiB, 4 * GiB }");
  }
  if (reader.field("total") && scenario.host_total != sum) {
    return reader.wrong("nodes", "the nodes have " + sum.text() + " together, and the host " +
                                     scenario.host_total.text());
  }
  scenario.host_total = sum;
}

void read_host(const Reading& reading, const Value& value) {
  TableReader reader(reading.document, value, "host", reading.error);
  reader.allow({"total", "base", "use", "nodes", "hugepages", "merged", "cached", "swap"});
  reader.size("total", reading.scenario.host_total);
  read_host_nodes(reader, reading.scenario);
  reader.size("base", reading.scenario.host_base);
  const Duration duration = reading.scenario.duration;
  const std::uint64_t seed = reading.scenario.seed;
  reader.plan("use", duration, seed, reading.scenario.host_use);
  reader.plan("merged", duration, seed, reading.scenario.host_merged);
  reader.size("hugepages", reading.scenario.host_hugepages);
  reader.size("cached", reading.scenario.host_cached);
  reader.size("swap", reading.scenario.host_swap);
  if (reading.scenario.host_base > reading.scenario.host_total) {
    reader.wrong("base", "the host itself uses more memory than it has");
  }
}

void read_model(const Reading& reading, const Value& value) {
  simulated::Model& model = reading.scenario.model;
  TableReader reader(reading.document, value, "model", reading.error);
  reader.allow({"kernel_reserved", "kernel_used", "min_watermark", "low_watermark",
                "processor_lists", "inflate_rate", "deflate_rate", "swap_rate", "process_overhead",
                "touch_rate", "restart", "largest_step"});
  reader.size("kernel_reserved", model.kernel_reserved);
  reader.size("kernel_used", model.kernel_used);
  reader.size("min_watermark", model.min_watermark);
  reader.size("low_watermark", model.low_watermark);
  reader.size("processor_lists", model.processor_lists);
  reader.size("inflate_rate", model.inflate_rate);
  reader.size("deflate_rate", model.deflate_rate);
  reader.size("swap_rate", model.swap_rate);
  reader.size("process_overhead", model.process_overhead);
  reader.size("touch_rate", model.touch_rate);
  reader.seconds("restart", model.restart);
  reader.seconds("largest_step", model.largest_step);
  if (model.largest_step < std::chrono::milliseconds(1)) {
    reader.wrong("largest_step", "a step under a millisecond");
  }
}

void read_faults(const Reading& reading, TableReader& domain, std::vector<Fault>& faults) {
  const Value* value = domain.field("faults");
  const auto* list = value ? value->as<Value::Table>() : nullptr;
  if (!value) return;
  if (!list || !list->fields.empty()) {
    domain.wrong("faults", "faults is not a list",
                 "write {{ kind = \"paused\", from = 10, to = 20 }}");
    return;
  }
  constexpr std::array<std::pair<const char*, Fault::Kind>, 6> kKinds{
      {{"silent", Fault::Kind::silent},
       {"paused", Fault::Kind::paused},
       {"hung", Fault::Kind::hung},
       {"stuck", Fault::Kind::stuck},
       {"garbage", Fault::Kind::garbage},
       {"per_report", Fault::Kind::per_report}}};
  for (const Value& item : list->items) {
    TableReader reader(reading.document, item, "a fault of " + domain.where(), reading.error);
    reader.allow({"kind", "from", "to"});
    std::string kind;
    Fault fault;
    fault.until = std::chrono::hours(24 * 365);
    reader.text("kind", kind);
    reader.seconds("from", fault.from);
    reader.seconds("to", fault.until);
    bool known = false;
    for (const auto& [name, one] : kKinds) {
      if (kind != name) continue;
      fault.kind = one;
      known = true;
    }
    if (!known) {
      reader.wrong("kind", "unknown kind '" + kind.substr(0, 40) + "'",
                   "the known kinds are silent, paused, hung, stuck, garbage, per_report");
    }
    faults.push_back(fault);
  }
}

void read_settings(TableReader& reader, DomainSettings& settings) {
  reader.size("minimum", settings.minimum);
  reader.number("weight", settings.weight);
  if (!(settings.weight > 0)) reader.wrong("weight", "a weight of 0 or less");
  std::int64_t priority = 0;
  reader.whole("priority", -1000, priority);
  settings.priority = static_cast<int>(priority);
  reader.flag("exclude", settings.exclude);
  const Value* labels = reader.field("labels");
  const auto* table = labels ? labels->as<Value::Table>() : nullptr;
  for (const auto& [key, value] : table ? table->fields : decltype(table->fields){}) {
    if (const auto* text = value.as<std::string>()) settings.labels[key] = *text;
  }
}

/// { 0, 1 }: the host's NUMA nodes that a domain is bound to.
void read_nodes(TableReader& reader, const Scenario& scenario, NodeSet& nodes) {
  const Value* value = reader.field("nodes");
  if (!value) return;
  const auto* list = value->as<Value::Table>();
  for (const Value& item : list ? list->items : decltype(list->items){}) {
    const auto* node = item.as<std::int64_t>();
    if (!node || *node < 0 || *node >= std::ssize(scenario.host_nodes)) {
      return reader.wrong("nodes", "the host has no such node",
                          "its nodes are counted from 0: host = { nodes = { 4 * GiB, 4 * GiB } }");
    }
    nodes.push_back(static_cast<int>(*node));
  }
  if (!list || !list->fields.empty()) {
    return reader.wrong("nodes", "nodes is not a list of numbers", "write nodes = { 0 }");
  }
  std::sort(nodes.begin(), nodes.end());
  nodes.erase(std::unique(nodes.begin(), nodes.end()), nodes.end());
}

void check_domain(TableReader& reader, const ScenarioDomain& domain) {
  if (domain.name.empty()) reader.wrong("name", "a domain without a name");
  if (domain.maximum.is_zero()) reader.wrong("maximum", "a maximum of 0");
  if (domain.initial > domain.maximum)
    reader.wrong("initial", "initial is larger than the maximum");
  if (domain.demand.largest() > domain.maximum + domain.swap) {
    reader.wrong("demand", "a demand of " + domain.demand.largest().text() +
                               " exceeds its maximum of " + domain.maximum.text() +
                               (domain.swap.is_zero() ? "" : " and its swap"));
  }
  if (domain.stop && *domain.stop <= domain.start)
    reader.wrong("stop", "it stops before it starts");
}

ScenarioDomain read_domain(const Reading& reading, const Value& value, std::size_t place) {
  const Value* name = value.field("name");
  const auto* text = name ? name->as<std::string>() : nullptr;
  const std::string where = text ? "domain '" + *text + "'" : "domain " + std::to_string(place + 1);
  TableReader reader(reading.document, value, where, reading.error);
  reader.allow({"name",       "maximum",  "initial",   "minimum",
                "weight",     "priority", "exclude",   "labels",
                "swap",       "period",   "driver",    "free_page_reporting",
                "demand",     "cache",    "faults",    "start",
                "stop",       "touched",  "hugepages", "process_overhead",
                "hard_limit", "page",     "nodes"});
  ScenarioDomain domain;
  reader.text("name", domain.name);
  reader.size("maximum", domain.maximum);
  domain.initial = domain.maximum;
  reader.size("initial", domain.initial);
  reader.size("swap", domain.swap);
  reader.seconds("period", domain.period);
  reader.size("page", domain.page);
  reader.flag("driver", domain.driver);
  reader.flag("free_page_reporting", domain.free_page_reporting);
  reader.flag("touched", domain.touched);
  reader.flag("hugepages", domain.hugepages);
  reader.size("process_overhead", domain.process_overhead);
  reader.size("hard_limit", domain.hard_limit);
  read_nodes(reader, reading.scenario, domain.nodes);
  reader.seconds("start", domain.start);
  reader.seconds("stop", domain.stop);
  read_settings(reader, domain.settings);
  read_faults(reading, reader, domain.faults);
  const std::uint64_t seed = reading.scenario.seed * 1'000'003 + place;
  reader.plan("demand", reading.scenario.duration, seed, domain.demand);
  reader.plan("cache", reading.scenario.duration, seed + 1, domain.cache);
  check_domain(reader, domain);
  return domain;
}

void read_domains(const Reading& reading, TableReader& top) {
  const Value* value = top.field("domains");
  const auto* list = value ? value->as<Value::Table>() : nullptr;
  if (!list || list->items.empty() || !list->fields.empty()) {
    top.wrong("domains", "domains is not a list of domains",
              "write domains = { { name = \"web\", ... }, ... }");
    return;
  }
  std::set<std::string> names;
  for (const Value& item : list->items) {
    ScenarioDomain domain = read_domain(reading, item, reading.scenario.domains.size());
    if (top.failed()) return;
    if (!names.insert(domain.name).second) {
      top.wrong("name", "two domains are named '" + domain.name + "'");
      return;
    }
    reading.scenario.domains.push_back(std::move(domain));
  }
}

Result<Scenario> read_scenario(const Document& document) {
  Scenario scenario;
  std::optional<Error> error;
  const Reading reading{document, error, scenario};
  TableReader top(document, document.value(), "the scenario", error);
  top.allow({"summary", "host", "duration", "seed", "model", "domains"});
  top.text("summary", scenario.summary);
  top.seconds("duration", scenario.duration);
  if (scenario.duration <= Duration()) top.wrong("duration", "a duration of 0 s");
  std::int64_t seed = 1;
  top.whole("seed", 0, seed);
  scenario.seed = static_cast<std::uint64_t>(seed);
  if (const Value* host = top.field("host")) read_host(reading, *host);
  if (const Value* model = top.field("model")) read_model(reading, *model);
  if (!error) read_domains(reading, top);
  if (error) return fail(std::move(*error));
  scenario.name = std::filesystem::path(document.name()).stem().string();
  return scenario;
}

/// Nothing waits for a scenario: its instructions are limited, and its time only on a machine that
/// has hardly any left for it.
bindings::SandboxLimits scenario_limits() {
  bindings::SandboxLimits limits;
  limits.time = std::chrono::seconds(10);
  return limits;
}

}  // namespace

Result<Scenario> load_scenario(const std::filesystem::path& path) {
  const auto document = Document::load(path.string(), "scenario", scenario_limits());
  if (!document) return fail(document.error());
  return read_scenario(*document);
}

Result<Scenario> load_scenario_text(std::string source, const std::string& name) {
  const auto document = Document::load_text(std::move(source), name, scenario_limits());
  if (!document) return fail(document.error());
  return read_scenario(*document);
}

}  // namespace memcoord::workbench
