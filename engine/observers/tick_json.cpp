#include "engine/observers/tick_json.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <ctime>
#include <memory>
#include <nlohmann/json.hpp>
#include <type_traits>
#include <unordered_map>
#include <utility>
#include <vector>

#include "engine/core/fields.h"
#include "engine/core/printable.h"
#include "engine/core/time.h"

namespace memcoord::observers {
namespace {

// The library itself rather than Json: it sorts a line's names, and replay reads millions of lines
// without a copy of each value.
using nlohmann::json;

// --- writing ---

template <class T>
json json_of(const T& value);

template <class T>
constexpr bool kIsList = false;
template <class T>
constexpr bool kIsList<std::vector<T>> = fields::kIsListed<T>;

/// Whether a field is as in a new record.
template <class Record, class Member>
bool is_default(const Record& record, Member Record::*member) {
  static const Record kNew{};
  if constexpr (kIsList<Member>)
    return (record.*member).empty();
  else
    return record.*member == kNew.*member;
}

template <class Record>
void write_fields(json& out, const Record& record) {
  fields::each<Record>([&](const auto& entry) {
    const auto& value = record.*entry.member;
    if constexpr (fields::kIsOptional<std::remove_cvref_t<decltype(value)>>) {
      if (value) out[entry.name] = json_of(*value);
    } else if (entry.always || !is_default(record, entry.member)) {
      out[entry.name] = json_of(value);
    }
  });
}

template <class T>
constexpr bool kIsListOfNamed = false;
template <class T>
constexpr bool kIsListOfNamed<std::vector<T>> = fields::kHasDomainName<T>;

/// Adds the names of domains to a tick's records about them.
void write_names(json& out, const Tick& tick) {
  std::unordered_map<Uuid, const std::string*> names;
  for (const Domain& domain : tick.snapshot.domains) names.emplace(domain.uuid(), &domain.name());
  fields::each<Tick>([&](const auto& entry) {
    const auto& records = tick.*entry.member;
    if constexpr (kIsListOfNamed<std::remove_cvref_t<decltype(records)>>) {
      for (std::size_t i = 0; i < records.size(); ++i) {
        const auto name = names.find(records[i].domain);
        if (name != names.end()) out[entry.name][i]["name"] = *name->second;
      }
    }
  });
}

/// JSON has a domain's identity and a tick's snapshot in the same object.
void write_rest(json&, const auto&) {}
void write_rest(json& out, const Domain& domain) {
  write_fields(out, *domain.identity);
}
void write_rest(json& out, const Tick& tick) {
  write_fields(out, tick.snapshot);
  write_names(out, tick);
}

template <class T>
json json_of(const T& value) {
  if constexpr (fields::kIsListed<T>) {
    json out = json::object();
    write_fields(out, value);
    write_rest(out, value);
    return out;
  } else if constexpr (kIsList<T>) {
    json out = json::array();
    for (const auto& item : value) out.push_back(json_of(item));
    return out;
  } else if constexpr (std::is_same_v<T, MemorySize>) {
    return value.kib();
  } else if constexpr (std::is_same_v<T, Duration>) {
    return seconds_of(value);
  } else if constexpr (std::is_same_v<T, MonotonicTime>) {
    return seconds_of(value.time_since_epoch());
  } else if constexpr (std::is_same_v<T, WallTime>) {
    return iso_text(value);
  } else if constexpr (std::is_same_v<T, Uuid>) {
    return value.text();
  } else if constexpr (std::is_enum_v<T>) {
    return to_text(value);
  } else {
    return value;
  }
}

// --- reading: a missing or wrong field throws within this file, and is an Error outside it ---

[[noreturn]] void wrong(std::string_view name, const std::string& what) {
  throw std::invalid_argument("'" + std::string(name) + "' " + what);
}

std::uint64_t whole_number(const json& value, std::string_view name, const char* of) {
  if (!value.is_number_unsigned()) wrong(name, std::string("is no whole number") + of);
  return value.get<std::uint64_t>();
}

/// The value of a field, named in the error for a value of another type.
template <class T>
T value_in(const json& value, std::string_view name) {
  try {
    return value.get<T>();
  } catch (const json::type_error&) {
    wrong(name, std::string("has a value of the type ") + value.type_name());
  }
}

/// No time of a run passes it, and sums and multiples of such times do not overflow.
constexpr double kMaxSeconds = 1e10;

Duration duration_in(const json& value, std::string_view name) {
  const auto number = value_in<double>(value, name);
  if (!std::isfinite(number) || std::abs(number) > kMaxSeconds) wrong(name, "is no time");
  return Duration(std::llround(number * 1e6));
}

WallTime wall_time_in(const json& value, std::string_view name) {
  const auto text = value_in<std::string>(value, name);
  std::tm parts{};
  int ms = 0;
  const int read =
      std::sscanf(text.c_str(), "%4d-%2d-%2dT%2d:%2d:%2d.%3dZ", &parts.tm_year, &parts.tm_mon,
                  &parts.tm_mday, &parts.tm_hour, &parts.tm_min, &parts.tm_sec, &ms);
  parts.tm_year -= 1900;
  parts.tm_mon -= 1;
  const WallTime time =
      WallTime(std::chrono::seconds(timegm(&parts))) + std::chrono::milliseconds(ms);
  // timegm() takes month 99 as one eight years later: a time that reads back differently is none.
  if (read != 7 || iso_text(time) != text) wrong(name, "is no time");
  return time;
}

int int_in(const json& value, std::string_view name) {
  const auto number = value_in<std::int64_t>(value, name);
  if (!std::in_range<int>(number)) wrong(name, "is out of range");
  return static_cast<int>(number);
}

Uuid uuid_in(const json& value, std::string_view name) {
  const auto uuid = Uuid::parse(value_in<std::string>(value, name));
  if (!uuid) throw std::invalid_argument(uuid.error().text());
  return *uuid;
}

template <class Enum>
Enum enum_in(const json& value, std::string_view name) {
  const auto text = value_in<std::string>(value, name);
  const auto known = from_text<Enum>(text);
  if (!known) wrong(name, "is '" + text.substr(0, 40) + "'");
  return *known;
}

// Conditions on a whole record.
void settle(auto&) {}
void settle(Limits& limits) {
  const int periods = limits.stale_after_periods;
  if (periods < 0 || periods > 100) wrong("stale_after_periods", "is not between 0 and 100");
}
void settle(NodeBinding& binding) {
  // Node sets are sorted.
  std::sort(binding.nodes.begin(), binding.nodes.end());
}
void settle(DomainIdentity& identity) {
  if (identity.name.empty()) wrong("name", "of domain " + identity.uuid.text() + " is empty");
}
void settle(Snapshot& snapshot) {
  std::unordered_map<Uuid, const std::string*> names;
  for (const Domain& domain : snapshot.domains) {
    const auto [twin, is_new] = names.emplace(domain.uuid(), &domain.name());
    if (is_new) continue;
    wrong("domains", "has '" + *twin->second + "' and '" + domain.name() + "' with one UUID");
  }
}

template <class T>
T read(const json& value, std::string_view name);

template <class Record>
void read_fields(const json& in, Record& record) {
  fields::each<Record>([&](const auto& entry) {
    using Member = typename std::remove_cvref_t<decltype(entry)>::Type;
    auto& member = record.*entry.member;
    if constexpr (fields::kIsOptional<Member>) {
      const auto found = in.find(entry.name);
      if (found != in.end()) member = read<typename Member::value_type>(*found, entry.name);
    } else if (entry.always) {
      member = read<Member>(in.at(entry.name), entry.name);
    } else if (const auto found = in.find(entry.name); found != in.end()) {
      member = read<Member>(*found, entry.name);
    }
  });
  settle(record);
}

void read_rest(const json&, const auto&) {}
void read_rest(const json& in, Domain& domain) {
  DomainIdentity identity;
  read_fields(in, identity);
  domain.identity = std::make_shared<const DomainIdentity>(std::move(identity));
}
void read_rest(const json& in, Tick& tick) {
  read_fields(in, tick.snapshot);
}

template <class T>
T read(const json& value, std::string_view name) {
  if constexpr (fields::kIsListed<T>) {
    if (!value.is_object()) wrong(name, "is no object");
    T record{};
    read_fields(value, record);
    read_rest(value, record);
    return record;
  } else if constexpr (kIsList<T>) {
    if (!value.is_array()) wrong(name, "is no array");
    T list;
    list.reserve(value.size());
    for (const json& item : value) list.push_back(read<typename T::value_type>(item, name));
    return list;
  } else if constexpr (std::is_same_v<T, MemorySize>) {
    return MemorySize::from_kib(whole_number(value, name, " of KiB"));
  } else if constexpr (std::is_same_v<T, std::uint64_t>) {
    return whole_number(value, name, "");
  } else if constexpr (std::is_same_v<T, int>) {
    return int_in(value, name);
  } else if constexpr (std::is_same_v<T, Duration>) {
    return duration_in(value, name);
  } else if constexpr (std::is_same_v<T, MonotonicTime>) {
    return MonotonicTime(duration_in(value, name));
  } else if constexpr (std::is_same_v<T, WallTime>) {
    return wall_time_in(value, name);
  } else if constexpr (std::is_same_v<T, Uuid>) {
    return uuid_in(value, name);
  } else if constexpr (std::is_enum_v<T>) {
    return enum_in<T>(value, name);
  } else {
    return value_in<T>(value, name);
  }
}

/// A parsed line can take a hundred times its size in memory. So the line's depth and its number of
/// values are counted first. A tick of 10,000 domains has a million values, five levels deep.
bool has_the_size_of_a_tick(std::string_view line) {
  constexpr std::size_t kDeepest = 32;
  constexpr std::size_t kMaxValues = 2'000'000;
  std::size_t depth = 0;
  std::size_t values = 0;
  bool within_text = false;
  for (std::size_t i = 0; i < line.size(); ++i) {
    const char c = line[i];
    if (within_text) {
      if (c == '\\') ++i;
      within_text = c != '"';
      continue;
    }
    within_text = c == '"';
    const bool opens = c == '[' || c == '{';
    if (opens || c == ',') ++values;
    if (opens) ++depth;
    if ((c == ']' || c == '}') && depth > 0) --depth;
    if (depth > kDeepest || values > kMaxValues) return false;
  }
  return true;
}

}  // namespace

std::string iso_text(WallTime time) {
  const auto whole = std::chrono::floor<std::chrono::seconds>(time);
  const auto ms = (time - whole).count();
  const std::time_t stamp = whole.time_since_epoch().count();
  std::tm parts{};
  gmtime_r(&stamp, &parts);
  std::array<char, 80> text{};
  std::snprintf(text.data(), text.size(), "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ",
                parts.tm_year + 1900, parts.tm_mon + 1, parts.tm_mday, parts.tm_hour, parts.tm_min,
                parts.tm_sec, static_cast<int>(ms));
  return text.data();
}

std::string to_json_line(const Tick& tick) {
  // The format comes first, so that a journal's first bytes identify it.
  const std::string fields = json_of(tick).dump(-1, ' ', false, json::error_handler_t::replace);
  return printable_json("{\"format\":\"" + std::string(kJournalFormat) + "\",\"version\":" +
                        std::to_string(kJournalVersion) + "," + fields.substr(1));
}

Result<Tick> tick_from_json_line(std::string_view line, const std::string& where) {
  if (!has_the_size_of_a_tick(line)) {
    return fail(ErrorCode::invalid_input, where,
                "damaged: it nests too deep, or has too many values");
  }
  try {
    const json in = json::parse(line);
    if (in.value("format", std::string()) != kJournalFormat) {
      return fail(ErrorCode::unsupported, where, "not a line of a memcoord journal");
    }
    if (in.value("version", 0) != kJournalVersion) {
      return fail(ErrorCode::unsupported, where,
                  "journal version " + in.at("version").dump() + " is not known",
                  "this memcoord reads version 1");
    }
    return read<Tick>(in, "tick");
  } catch (const json::exception& problem) {
    // The library's messages start with "[json.exception...] ".
    const std::string what = problem.what();
    const std::size_t start = what.find("] ");
    return fail(ErrorCode::invalid_input, where,
                "damaged: " + (start == std::string::npos ? what : what.substr(start + 2)));
  } catch (const std::exception& problem) {
    return fail(ErrorCode::invalid_input, where, std::string("damaged: ") + problem.what());
  }
}

}  // namespace memcoord::observers
