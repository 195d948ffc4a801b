#include <algorithm>
#include <array>
#include <cmath>
#include <string>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "bindings/document.h"
#include "bindings/sandbox.h"
#include "bindings/testing/test_tables.h"
#include "engine/core/fields.h"
#include "engine/core/names.h"
#include "engine/core/time.h"

namespace memcoord::bindings::testing {
namespace {

constexpr MemorySize kDefaultHost = MemorySize::from_gib(64);
constexpr MemorySize kDefaultActual = MemorySize::from_gib(1);
constexpr MemorySize kDefaultUnused = MemorySize::from_mib(200);
constexpr int kMaxNodes = 1024;

// --- the plain fields of a domain's table; engine/core/fields.h lists those of the others ---

/// A key, and the member that its value sets.
struct WorldField {
  const char* key;
  std::variant<MemorySize MockDomain::*, std::optional<MemorySize> MockDomain::*,
               double MockDomain::*, bool MockDomain::*>
      member;
};

constexpr auto kWorldFields = std::to_array<WorldField>({
    {"maximum", &MockDomain::maximum},
    {"unused", &MockDomain::unused},
    {"usable", &MockDomain::usable},
    {"available", &MockDomain::available},
    {"rss", &MockDomain::rss},
    {"swap_in", &MockDomain::swap_in},
    {"swap_out", &MockDomain::swap_out},
    {"major_faults", &MockDomain::major_faults},
    {"minor_faults", &MockDomain::minor_faults},
    {"deflates_by_itself", &MockDomain::deflates_by_itself},
    {"free_page_reporting", &MockDomain::free_page_reporting},
    {"silent", &MockDomain::silent},
    {"follows", &MockDomain::follows},
});

// --- reading a table ---

std::string shown(const Value& value) {
  if (const auto* flag = value.as<bool>()) return *flag ? "true" : "false";
  if (const auto* integer = value.as<std::int64_t>()) return std::to_string(*integer);
  if (const auto* number = value.as<double>()) return std::to_string(*number);
  if (const auto* text = value.as<std::string>()) return "'" + printable(*text, 40) + "'";
  return std::string(value.kind());
}

/// Reads one table field by field, up to the first error.
class Fields {
 public:
  Fields(const Value& table, std::string where, const TableOrigin& origin, std::string name = {})
      : table_(table), where_(std::move(where)), origin_(origin), name_(std::move(name)) {
    if (!table_.as<Value::Table>()) {
      wrong("", where_ + " is " + std::string(table_.kind()) + " where a table is expected", "");
    }
  }

  [[nodiscard]] const Status& status() const { return status_; }

  /// Refuses every field that has not been read.
  void done() {
    const auto* table = table_.as<Value::Table>();
    if (!status_ || !table) return;
    for (const auto& [key, value] : table->fields) {
      if (std::find(known_.begin(), known_.end(), key) != known_.end()) continue;
      std::sort(known_.begin(), known_.end());
      const auto near = suggest_name(key, known_);
      std::string hint = near ? "did you mean '" + *near + "'?" : "the known keys are ";
      for (std::size_t i = 0; !near && i < known_.size(); ++i) {
        hint += (i == 0 ? "" : ", ") + known_[i];
      }
      return wrong(key, "unknown key '" + printable(key, 40) + "' in " + where_, hint);
    }
    if (!table->items.empty()) {
      wrong("", "a value without a name in " + where_, "write name = value");
    }
  }

  /// Null if the table does not have the field.
  const Value* field(std::string_view key) {
    known_.emplace_back(key);
    return status_ ? table_.field(key) : nullptr;
  }

  /// Each read() sets its target and returns true. If the table does not have the field, or its
  /// value is wrong, the target stays as it is and read() returns false.
  bool read(std::string_view key, MemorySize& into) {
    std::optional<MemorySize> size;
    if (!read(key, size)) return false;
    into = *size;
    return true;
  }

  bool read(std::string_view key, std::optional<MemorySize>& into) {
    const Value* value = field(key);
    if (!value) return false;
    if (const auto* kib = value->as<std::int64_t>(); kib && *kib >= 0) {
      into = MemorySize::from_kib(static_cast<std::uint64_t>(*kib));
      return true;
    }
    if (const auto* text = value->as<std::string>()) {
      if (const auto size = MemorySize::parse_with_unit_or_kib(*text)) {
        into = *size;
        return true;
      }
    }
    return refuse(key, *value, "is not a size of memory",
                  "write 512*MiB or \"512MiB\": a whole number of KiB, not negative");
  }

  bool read(std::string_view key, double& into, double minimum = 0) {
    const Value* value = field(key);
    if (!value) return false;
    double number = NAN;
    if (const auto* integer = value->as<std::int64_t>()) number = static_cast<double>(*integer);
    if (const auto* given = value->as<double>()) number = *given;
    if (!std::isfinite(number) || number < minimum) {
      return refuse(key, *value, "is not a valid number",
                    minimum < 0 ? "give a number" : "give a number, 0 or more");
    }
    into = number;
    return true;
  }

  bool read(std::string_view key, bool& into) {
    return read_as(key, into, "is neither true nor false");
  }
  bool read(std::string_view key, std::string& into) {
    return read_as(key, into, "is not a string");
  }

  /// Reads every size and number of a record that has a list of its fields.
  template <class Record>
  void read_listed(Record& into) {
    fields::each<Record>([&](const auto& entry) {
      using Member = typename std::decay_t<decltype(entry)>::Type;
      if constexpr (std::is_same_v<Member, MemorySize> || std::is_same_v<Member, double> ||
                    std::is_same_v<Member, std::optional<MemorySize>>) {
        read(entry.plain_name(), into.*entry.member);
      }
    });
  }

  void wrong(std::string_view key, std::string message, std::string hint) {
    if (!status_) return;
    status_ = fail(ErrorCode::invalid_input, place_of(key), std::move(message), std::move(hint));
  }

 private:
  template <class T>
  bool read_as(std::string_view key, T& into, const char* otherwise) {
    const Value* value = field(key);
    if (!value) return false;
    if (const auto* given = value->as<T>()) {
      into = *given;
      return true;
    }
    return refuse(key, *value, otherwise, "");
  }

  bool refuse(std::string_view key, const Value& value, const char* why, const char* hint) {
    wrong(key, where_ + ": " + std::string(key) + " = " + shown(value) + " " + why, hint);
    return false;
  }

  /// The line of `key =` at or after the line that names the domain, otherwise the line of the
  /// call.
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

/// A text that names a value of an enumeration.
template <class Enum>
void read_name(Fields& table, const char* key, const std::string& where, Enum& into) {
  std::string given;
  if (!table.read(key, given)) return;
  if (const auto value = from_text<Enum>(given)) {
    into = *value;
    return;
  }
  std::vector<std::string> names;
  names.reserve(static_cast<std::size_t>(kCountOf<Enum>));
  for (int i = 0; i < kCountOf<Enum>; ++i) names.emplace_back(to_text(static_cast<Enum>(i)));
  std::string all;
  for (const std::string& name : names) {
    all += (all.empty() ? "give one of \"" : ", \"") + name + "\"";
  }
  const auto near = suggest_name(given, names);
  table.wrong(key, where + ": no " + key + " '" + printable(given, 40) + "'",
              near ? "did you mean '" + *near + "'?" : all);
}

void read_labels(Fields& fields, const std::string& where, DomainSettings& settings) {
  const Value* labels = fields.field("labels");
  if (!labels) return;
  const auto* table = labels->as<Value::Table>();
  if (!table || !table->items.empty()) {
    return fields.wrong("labels", where + ": labels is not a table by name",
                        "write labels = { tier = \"web\" }");
  }
  settings.labels.clear();
  for (const auto& [key, value] : table->fields) {
    const auto* text = value.as<std::string>();
    if (!text) {
      return fields.wrong(key, std::string(where).append(": the label ") + key + " is not a string",
                          "");
    }
    settings.labels[key] = *text;
  }
}

/// A list of node numbers: { 0, 1 }.
void read_nodes(Fields& fields, const std::string& where, NodeSet& nodes) {
  const Value* given = fields.field("nodes");
  if (!given) return;
  const auto* list = given->as<Value::Table>();
  nodes.clear();
  for (const Value& item : list ? list->items : decltype(list->items){}) {
    const auto* number = item.as<std::int64_t>();
    if (!number || *number < 0 || *number >= kMaxNodes) {
      return fields.wrong("nodes", where + ": " + shown(item) + " is not the number of a node", "");
    }
    nodes.push_back(static_cast<int>(*number));
  }
  if (!list || !list->fields.empty()) {
    return fields.wrong("nodes", where + ": nodes is not a list", "write nodes = { 0 }");
  }
  std::sort(nodes.begin(), nodes.end());
  nodes.erase(std::unique(nodes.begin(), nodes.end()), nodes.end());
}

void read_settings(Fields& fields, const std::string& where, DomainSettings& settings) {
  fields.read("minimum", settings.minimum);
  fields.read("weight", settings.weight);
  fields.read("exclude", settings.exclude);
  double priority = settings.priority;
  if (fields.read("priority", priority, -1e6)) settings.priority = static_cast<int>(priority);
  read_labels(fields, where, settings);
}

/// `known`: the domain was in the world of the previous tick.
void read_figures(Fields& table, MockDomain& d, bool known) {
  MemorySize actual;
  if (table.read("actual", actual)) {
    if (known && actual != d.actual) {
      resize(d, actual);
      d.resized = true;
    }
    d.actual = actual;
    // Every page of a balloon that a test sizes counts as touched, unless the test gives an rss.
    d.rss.reset();
  }
  for (const WorldField& one : kWorldFields) {
    std::visit([&](auto member) { table.read(one.key, d.*member); }, one.member);
  }
  fields::each<GuestStatistics>([&](const auto& entry) {
    using Member = typename std::decay_t<decltype(entry)>::Type;
    const auto has_name = [&](const WorldField& one) { return one.key == entry.plain_name(); };
    if constexpr (std::is_same_v<Member, std::optional<MemorySize>>) {
      if (std::any_of(kWorldFields.begin(), kWorldFields.end(), has_name)) return;
      table.read(entry.plain_name(), d.guest.*entry.member);
    }
  });
}

void check_figures(Fields& fields, const MockDomain& d) {
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

/// A domain's defaults: small, and neither short nor wasteful.
MockDomain default_domain(std::string name, const Value& table, const Host& host) {
  MockDomain d;
  d.name = std::move(name);
  d.actual = kDefaultActual;
  d.maximum = host.total;
  d.unused = kDefaultUnused;
  if (const Value* actual = table.field("actual")) {
    if (const auto* kib = actual->as<std::int64_t>(); kib && *kib >= 0) {
      d.unused = std::min(d.unused, MemorySize::from_kib(static_cast<std::uint64_t>(*kib)));
    }
  }
  return d;
}

Status lay_over_domain(MockWorld& world, const Value& table, const TableOrigin& origin) {
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
  fields.read("gone", gone);
  MockDomain* known = world.find(*name);
  MockDomain d = known ? *known : default_domain(*name, table, world.host);
  read_figures(fields, d, known != nullptr);
  read_settings(fields, where, d.settings);
  read_name(fields, "state", where, d.state);
  read_nodes(fields, where, d.nodes);
  fields.done();
  check_figures(fields, d);
  if (gone && !known) fields.wrong("gone", where + " is gone, but was not in the tick before", "");
  if (!fields.status()) return fields.status();
  if (gone) {
    std::erase_if(world.domains, [&](const MockDomain& one) { return one.name == *name; });
  } else if (known) {
    *known = std::move(d);
  } else {
    world.domains.push_back(std::move(d));
  }
  return {};
}

Status lay_over_domains(MockWorld& world, const Value& list, const TableOrigin& origin) {
  const auto* table = list.as<Value::Table>();
  if (!table || !table->fields.empty()) {
    Fields fields(list, "domains", origin);
    fields.wrong("domains", "domains is not a list",
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
    fields.wrong("domains", "domain " + *twice + " is listed twice", "");
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
    host_fields.wrong("cells", "host: cells is not a list",
                      "write cells = { { total = 4 * GiB, free = 1 * GiB }, ... }");
    return host_fields.status();
  }
  host.cells.clear();
  for (const Value& item : list->items) {
    const int id = static_cast<int>(host.cells.size());
    NumaCell cell{id, {}, {}};
    Fields fields(item, "cell " + std::to_string(id), origin);
    fields.read_listed(cell);
    fields.done();
    if (!fields.status()) return fields.status();
    host.cells.push_back(cell);
  }
  return {};
}

Status lay_over_host(Host& host, const Value& table, const TableOrigin& origin) {
  Fields fields(table, "host", origin);
  fields.read_listed(host);
  if (table.field("total") && !table.field("free")) host.free = host.total / 2;
  if (auto cells = lay_over_cells(fields, host, origin); !cells) return cells;
  fields.done();
  if (host.free > host.total) {
    fields.wrong("free",
                 "host: free " + host.free.text() + " is more than its total " + host.total.text(),
                 "");
  }
  return fields.status();
}

/// Up to the end of the year 9999, the last year that a journal can write.
void read_time(Fields& fields, WallTime& into) {
  constexpr double kMost = 253402300799;
  double time = 0;
  if (!fields.read("time", time)) return;
  if (time > kMost) {
    return fields.wrong("time", "time = " + std::to_string(time) + " is not the time of a tick",
                        "give seconds since 1970, UTC");
  }
  into =
      WallTime(std::chrono::duration_cast<WallTime::duration>(std::chrono::duration<double>(time)));
}

}  // namespace

MockWorld default_world() {
  MockWorld world;
  world.host.total = kDefaultHost;
  world.host.free = kDefaultHost / 2;
  return world;
}

Status lay_over(MockWorld& world, const Value& table, const TableOrigin& origin) {
  Fields fields(table, "the world of a tick", origin);
  double seconds = seconds_of(world.interval);
  if (fields.read("seconds", seconds, 0.001) && seconds > 1e9) {
    fields.wrong("seconds",
                 "seconds = " + std::to_string(seconds) + " is not a time from tick to tick",
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
  fields.read_listed(limits);
  read_name(fields, "headroom", "limits", limits.headroom);
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
