#include "bindings/testing/world_table.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "bindings/document.h"
#include "bindings/sandbox.h"
#include "engine/core/names.h"

namespace memcoord::bindings::testing {
namespace {

constexpr MemorySize kUnsaidHost = MemorySize::from_gib(64);
constexpr MemorySize kUnsaidActual = MemorySize::from_gib(1);
constexpr MemorySize kUnsaidUnused = MemorySize::from_mib(200);
constexpr int kMostNodes = 1024;

std::string shown(const Value& value) {
  if (const auto* flag = value.as<bool>()) return *flag ? "true" : "false";
  if (const auto* integer = value.as<std::int64_t>()) return std::to_string(*integer);
  if (const auto* number = value.as<double>()) return std::to_string(*number);
  if (const auto* text = value.as<std::string>()) return "'" + printable(*text, 40) + "'";
  return std::string(value.kind());
}

/// Reads one table field by field; the first thing that is wrong is kept, and nothing is read after
/// it.
class Fields {
 public:
  Fields(const Value& table, std::string where, const TableOrigin& origin, std::string name = {})
      : table_(table), where_(std::move(where)), origin_(origin), name_(std::move(name)) {
    if (!table_.as<Value::Table>()) {
      wrong("", where_ + " is " + std::string(table_.kind()) + " where a table is expected", "");
    }
  }

  [[nodiscard]] const Status& status() const { return status_; }

  /// Refuses every field that was not asked for.
  void done() {
    const auto* table = table_.as<Value::Table>();
    if (!status_ || !table) return;
    for (const auto& [key, value] : table->fields) {
      if (std::find(known_.begin(), known_.end(), key) != known_.end()) continue;
      std::sort(known_.begin(), known_.end());
      const auto near = nearest_name(key, known_);
      std::string hint = near ? "did you mean '" + *near + "'?" : "known are ";
      for (std::size_t i = 0; !near && i < known_.size(); ++i) {
        hint += (i == 0 ? "" : ", ") + known_[i];
      }
      return wrong(key, "unknown key '" + printable(key, 40) + "' in " + where_, hint);
    }
    if (!table->items.empty()) {
      wrong("", "a value without a name in " + where_, "write name = value");
    }
  }

  /// Null where it is not said.
  const Value* field(const char* key) {
    known_.emplace_back(key);
    return status_ ? table_.field(key) : nullptr;
  }

  bool size(const char* key, MemorySize& into) {
    std::optional<MemorySize> read;
    if (!size(key, read)) return false;
    into = *read;
    return true;
  }

  bool size(const char* key, std::optional<MemorySize>& into) {
    const Value* value = field(key);
    if (!value) return false;
    if (const auto* kib = value->as<std::int64_t>(); kib && *kib >= 0) {
      into = MemorySize::from_kib(static_cast<std::uint64_t>(*kib));
      return true;
    }
    if (const auto* text = value->as<std::string>()) {
      if (const auto size = MemorySize::parse(*text)) {
        into = *size;
        return true;
      }
    }
    wrong(key, where_ + ": " + key + " = " + shown(*value) + " is no size of memory",
          "write 512*MiB or \"512MiB\": a whole number of KiB, not negative");
    return false;
  }

  bool number(const char* key, double least, double& into) {
    const Value* value = field(key);
    if (!value) return false;
    double number = NAN;
    if (const auto* integer = value->as<std::int64_t>()) number = static_cast<double>(*integer);
    if (const auto* given = value->as<double>()) number = *given;
    if (!std::isfinite(number) || number < least) {
      wrong(key, where_ + ": " + key + " = " + shown(*value) + " is not what it takes",
            least < 0 ? "give a number" : "give a number, 0 or more");
      return false;
    }
    into = number;
    return true;
  }

  bool flag(const char* key, bool& into) {
    const Value* value = field(key);
    if (!value) return false;
    if (const auto* given = value->as<bool>()) {
      into = *given;
      return true;
    }
    wrong(key, where_ + ": " + key + " = " + shown(*value) + " is neither true nor false", "");
    return false;
  }

  bool text(const char* key, std::string& into) {
    const Value* value = field(key);
    if (!value) return false;
    if (const auto* given = value->as<std::string>()) {
      into = *given;
      return true;
    }
    wrong(key, where_ + ": " + key + " = " + shown(*value) + " is no text", "");
    return false;
  }

  void wrong(std::string_view key, std::string message, std::string hint) {
    if (!status_) return;
    status_ = fail(ErrorCode::invalid_input, place_of(key), std::move(message), std::move(hint));
  }

 private:
  /// The line of `key =` at or after the one that names the domain, else the call's own.
  [[nodiscard]] std::string place_of(std::string_view key) const {
    std::size_t from = static_cast<std::size_t>(std::max(origin_.line, 1));
    if (!name_.empty()) {
      const auto named = line_with(origin_.source, "\"" + name_ + "\"", from);
      if (named) from = *named;
    }
    const auto line = key.empty() ? std::nullopt : line_that_assigns(origin_.source, key, from);
    return origin_.file + ":" + std::to_string(line.value_or(from));
  }

  const Value& table_;
  std::string where_;
  const TableOrigin& origin_;
  std::string name_;
  std::vector<std::string> known_;
  Status status_;
};

constexpr std::array<DomainState, 8> kStates{
    DomainState::running, DomainState::paused,    DomainState::shutting_down, DomainState::shut_off,
    DomainState::crashed, DomainState::migrating, DomainState::busy,          DomainState::hung};

void read_state(Fields& fields, const std::string& where, DomainState& into) {
  std::string given;
  if (!fields.text("state", given)) return;
  std::vector<std::string> names;
  for (const DomainState state : kStates) {
    names.emplace_back(to_text(state));
    if (names.back() != given) continue;
    into = state;
    return;
  }
  const auto near = nearest_name(given, names);
  std::string all;
  for (const std::string& name : names) all += (all.empty() ? "give one of " : ", ") + name;
  fields.wrong("state", where + ": no state '" + printable(given, 40) + "'",
               near ? "did you mean '" + *near + "'?" : all);
}

void read_labels(Fields& fields, const std::string& where, DomainSettings& settings) {
  const Value* labels = fields.field("labels");
  if (!labels) return;
  const auto* table = labels->as<Value::Table>();
  if (!table || !table->items.empty()) {
    return fields.wrong("labels", where + ": labels is no table by name",
                        "write labels = { tier = \"web\" }");
  }
  settings.labels.clear();
  for (const auto& [key, value] : table->fields) {
    const auto* text = value.as<std::string>();
    if (!text) {
      return fields.wrong(key, std::string(where).append(": the label ") + key + " is no text", "");
    }
    settings.labels[key] = *text;
  }
}

/// A list of numbers: { 0, 1 }.
void read_nodes(Fields& fields, const std::string& where, NodeSet& nodes) {
  const Value* given = fields.field("nodes");
  if (!given) return;
  const auto* list = given->as<Value::Table>();
  nodes.clear();
  for (const Value& item : list ? list->items : decltype(list->items){}) {
    const auto* number = item.as<std::int64_t>();
    if (!number || *number < 0 || *number >= kMostNodes) {
      return fields.wrong("nodes", where + ": " + shown(item) + " is no number of a node", "");
    }
    nodes.push_back(static_cast<int>(*number));
  }
  if (!list || !list->fields.empty()) {
    return fields.wrong("nodes", where + ": nodes is no list", "write nodes = { 0 }");
  }
  std::sort(nodes.begin(), nodes.end());
  nodes.erase(std::unique(nodes.begin(), nodes.end()), nodes.end());
}

void read_settings(Fields& fields, const std::string& where, DomainSettings& settings) {
  fields.size("minimum", settings.minimum);
  fields.number("weight", 0, settings.weight);
  double priority = settings.priority;
  if (fields.number("priority", -1e6, priority)) settings.priority = static_cast<int>(priority);
  fields.flag("exclude", settings.exclude);
  read_labels(fields, where, settings);
}

/// `known`: the domain was there in the tick before.
void read_figures(Fields& fields, StagedDomain& d, bool known) {
  MemorySize actual;
  if (fields.size("actual", actual)) {
    if (known && actual != d.actual) {
      resize(d, actual);
      d.resized = true;
    }
    d.actual = actual;
    // Every page of a balloon that the author sizes counts as touched, unless the author says so.
    d.rss.reset();
  }
  fields.size("maximum", d.maximum);
  fields.size("unused", d.unused);
  fields.size("usable", d.usable);
  fields.size("available", d.available);
  fields.size("disk_caches", d.disk_caches);
  fields.size("rss", d.rss);
  fields.number("swap_in", 0, d.swap_in);
  fields.number("swap_out", 0, d.swap_out);
  fields.number("major_faults", 0, d.major_faults);
  fields.number("minor_faults", 0, d.minor_faults);
}

void check_figures(Fields& fields, const StagedDomain& d) {
  const auto within = [&](const char* key, std::optional<MemorySize> part, const char* whole_key,
                          MemorySize whole) {
    if (!part || *part <= whole) return;
    fields.wrong(key,
                 d.name + ": " + key + " " + part->text() + " is more than its " + whole_key + " " +
                     whole.text(),
                 "");
  };
  within("unused", d.unused, "actual", d.actual);
  within("usable", d.usable, "actual", d.actual);
  within("available", d.available, "actual", d.actual);
  within("rss", d.rss, "actual", d.actual);
  within("actual", d.actual, "maximum", d.maximum);
}

/// What a domain is where the test does not say: small things that no policy minds.
StagedDomain unsaid(std::string name, const Value& table, const Host& host) {
  StagedDomain d;
  d.name = std::move(name);
  d.actual = kUnsaidActual;
  d.maximum = host.total;
  d.unused = kUnsaidUnused;
  if (const Value* actual = table.field("actual")) {
    if (const auto* kib = actual->as<std::int64_t>(); kib && *kib >= 0) {
      d.unused = std::min(d.unused, MemorySize::from_kib(static_cast<std::uint64_t>(*kib)));
    }
  }
  return d;
}

Status lay_over_domain(StagedWorld& world, const Value& table, const TableOrigin& origin) {
  const Value* named = table.field("name");
  const auto* name = named ? named->as<std::string>() : nullptr;
  if (!name || name->empty()) {
    Fields fields(table, "a domain", origin);
    fields.wrong("", "a domain without a name", "write { name = \"web\", ... }");
    return fields.status();
  }
  const std::string where = "domain " + printable(*name, 60);
  Fields fields(table, where, origin, *name);
  fields.field("name");
  bool gone = false;
  fields.flag("gone", gone);
  StagedDomain* known = world.find(*name);
  StagedDomain d = known ? *known : unsaid(*name, table, world.host);
  read_figures(fields, d, known != nullptr);
  read_settings(fields, where, d.settings);
  read_state(fields, where, d.state);
  read_nodes(fields, where, d.nodes);
  fields.flag("deflates_by_itself", d.deflates_by_itself);
  fields.flag("free_page_reporting", d.free_page_reporting);
  fields.flag("silent", d.silent);
  fields.flag("follows", d.follows);
  fields.done();
  check_figures(fields, d);
  if (gone && !known) fields.wrong("gone", where + " is gone, but was never there", "");
  if (!fields.status()) return fields.status();
  if (gone) {
    std::erase_if(world.domains, [&](const StagedDomain& one) { return one.name == *name; });
  } else if (known) {
    *known = std::move(d);
  } else {
    world.domains.push_back(std::move(d));
  }
  return {};
}

Status lay_over_domains(StagedWorld& world, const Value& list, const TableOrigin& origin) {
  const auto* table = list.as<Value::Table>();
  if (!table || !table->fields.empty()) {
    Fields fields(list, "domains", origin);
    fields.wrong("domains", "domains is no list",
                 "write domains = { { name = \"web\", ... }, ... }");
    return fields.status();
  }
  std::vector<std::string> names;
  for (const Value& one : table->items) {
    if (auto laid = lay_over_domain(world, one, origin); !laid) return laid;
    names.push_back(*one.field("name")->as<std::string>());
  }
  std::sort(names.begin(), names.end());
  const auto twice = std::adjacent_find(names.begin(), names.end());
  if (twice != names.end()) {
    Fields fields(list, "domains", origin);
    fields.wrong("domains", "domain " + *twice + " stands there twice", "");
    return fields.status();
  }
  return {};
}

/// A list of tables: { { total = 4 * GiB, free = 1 * GiB }, ... }, node 0 first.
Status lay_over_cells(Fields& host_fields, Host& host, const TableOrigin& origin) {
  const Value* given = host_fields.field("cells");
  if (!given) return {};
  const auto* list = given->as<Value::Table>();
  if (!list || !list->fields.empty()) {
    host_fields.wrong("cells", "host: cells is no list",
                      "write cells = { { total = 4 * GiB, free = 1 * GiB }, ... }");
    return host_fields.status();
  }
  host.cells.clear();
  for (const Value& item : list->items) {
    const int id = static_cast<int>(host.cells.size());
    NumaCell cell{id, {}, {}};
    Fields fields(item, "cell " + std::to_string(id), origin);
    fields.size("total", cell.total);
    fields.size("free", cell.free);
    fields.size("available", cell.available);
    fields.done();
    if (!fields.status()) return fields.status();
    host.cells.push_back(cell);
  }
  return {};
}

Status lay_over_host(Host& host, const Value& table, const TableOrigin& origin) {
  Fields fields(table, "host", origin);
  if (fields.size("total", host.total) && !table.field("free")) host.free = host.total / 2;
  fields.size("free", host.free);
  fields.size("available", host.available);
  fields.size("buffers", host.buffers);
  fields.size("cached", host.cached);
  fields.size("swap_free", host.swap_free);
  fields.size("page_size", host.page_size);
  fields.size("merged", host.merged);
  if (auto cells = lay_over_cells(fields, host, origin); !cells) return cells;
  fields.done();
  if (host.free > host.total) {
    fields.wrong("free",
                 "host: free " + host.free.text() + " is more than its total " + host.total.text(),
                 "");
  }
  return fields.status();
}

/// Up to the end of the year 9999, the last that a journal can tell.
void read_time(Fields& fields, WallTime& into) {
  constexpr double kMost = 253402300799;
  double time = 0;
  if (!fields.number("time", 0, time)) return;
  if (time > kMost) {
    return fields.wrong("time", "time = " + std::to_string(time) + " is no time of a tick",
                        "give seconds since 1970, UTC");
  }
  into =
      WallTime(std::chrono::duration_cast<WallTime::duration>(std::chrono::duration<double>(time)));
}

}  // namespace

StagedWorld default_world() {
  StagedWorld world;
  world.host.total = kUnsaidHost;
  world.host.free = kUnsaidHost / 2;
  return world;
}

Status lay_over(StagedWorld& world, const Value& table, const TableOrigin& origin) {
  Fields fields(table, "the world of a tick", origin);
  double seconds = std::chrono::duration<double>(world.interval).count();
  if (fields.number("seconds", 0.001, seconds) && seconds > 1e9) {
    fields.wrong("seconds",
                 "seconds = " + std::to_string(seconds) + " is no time from tick to tick",
                 "give at most 1e9");
  }
  read_time(fields, world.time);
  const Value* host = fields.field("host");
  const Value* domains = fields.field("domains");
  fields.field("limits");
  fields.done();
  if (!fields.status()) return fields.status();
  world.interval = std::chrono::duration_cast<Duration>(std::chrono::duration<double>(seconds));
  if (host) {
    if (auto laid = lay_over_host(world.host, *host, origin); !laid) return laid;
  }
  return domains ? lay_over_domains(world, *domains, origin) : Status();
}

Result<Limits> limits_in(const Value& table, const TableOrigin& origin) {
  Limits limits;
  const Value* given = table.field("limits");
  if (!given) return limits;
  Fields fields(*given, "limits", origin);
  fields.size("domain_floor", limits.domain_floor);
  fields.size("host_floor", limits.host_floor);
  fields.size("host_memory", limits.host_memory);
  fields.number("max_release", 0, limits.max_release);
  fields.number("overcommit", 0, limits.overcommit);
  std::string headroom;
  if (fields.text("headroom", headroom)) {
    int kind = 0;
    while (kind < kHeadroomCount && to_text(static_cast<Headroom>(kind)) != headroom) ++kind;
    if (kind < kHeadroomCount) {
      limits.headroom = static_cast<Headroom>(kind);
    } else {
      fields.wrong("headroom", "limits: headroom = " + shown(*given->field("headroom")),
                   "give \"larger\", \"unused\" or \"usable\"");
    }
  }
  fields.done();
  if (!fields.status()) return fail(fields.status().error());
  auto checked = Limits::checked(limits);
  if (!checked) {
    Fields refused(*given, "limits", origin);
    refused.wrong("limits", checked.error().text(), "");
    return fail(refused.status().error());
  }
  return *checked;
}

}  // namespace memcoord::bindings::testing
