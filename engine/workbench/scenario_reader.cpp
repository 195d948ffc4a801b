#include "engine/workbench/scenario_reader.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>
#include <random>
#include <utility>

namespace memcoord::workbench {
namespace {

using bindings::Value;
using simulated::Plan;

constexpr double kMaxSeconds = 1e9;
constexpr const char* kPointsHint = "write {{0, 50*MiB}, {20, 300*MiB}}: seconds and sizes";

std::string shown(const Value& value) {
  if (const auto* integer = value.as<std::int64_t>()) return std::to_string(*integer);
  if (const auto* number = value.as<double>()) return std::to_string(*number);
  if (const auto* text = value.as<std::string>()) return "'" + text->substr(0, 40) + "'";
  return std::string(value.kind());
}

Duration duration_from(double seconds) {
  // 520.8 has no exact binary form; cut off, it would be 520.799999.
  return std::chrono::round<Duration>(std::chrono::duration<double>(seconds));
}

std::optional<double> number_of(const Value& value) {
  if (const auto* integer = value.as<std::int64_t>()) return static_cast<double>(*integer);
  if (const auto* number = value.as<double>()) {
    if (std::isfinite(*number)) return *number;
  }
  return std::nullopt;
}

using Points = std::vector<Plan::Point>;

constexpr std::size_t kMaxPoints = 1'000'000;

/// The settings of generators; each uses some of them.
struct Wave {
  MemorySize low;
  MemorySize high = MemorySize::from_mib(256);
  Duration period = std::chrono::seconds(60);
  Duration width = std::chrono::seconds(5);  ///< of a burst
  Duration step = std::chrono::seconds(10);  ///< between the points of a walk or a diurnal curve
  Duration phase{};
};

/// A number from 0 up to, but not including, 1. The standard library's distributions differ between
/// implementations, its engines do not; a seed gives the same bytes everywhere.
double chance(std::mt19937_64& random) {
  return static_cast<double>(random() >> 11U) / 9007199254740992.0;
}

MemorySize between(const Wave& wave, double part) {
  return wave.low + (wave.high - wave.low).scaled(std::clamp(part, 0.0, 1.0));
}

Points steps(const Wave& wave, Duration duration, std::mt19937_64&) {
  Points points;
  bool high = false;
  for (Duration at = wave.phase; at <= duration && points.size() < kMaxPoints;
       at += wave.period / 2) {
    points.push_back({at, high ? wave.high : wave.low});
    high = !high;
  }
  return points;
}

Points sawtooth(const Wave& wave, Duration duration, std::mt19937_64&) {
  Points points;
  for (Duration at = wave.phase; at <= duration && points.size() < kMaxPoints; at += wave.period) {
    points.push_back({at, wave.low});
    points.push_back({at + wave.period - Duration(1), wave.high});
  }
  return points;
}

Points bursts(const Wave& wave, Duration duration, std::mt19937_64& random) {
  Points points{{Duration(), wave.low}};
  for (Duration at = wave.phase; at <= duration && points.size() < kMaxPoints; at += wave.period) {
    const auto room = std::max<Duration>(wave.period - wave.width, Duration(1));
    const auto late =
        Duration(static_cast<Duration::rep>(chance(random) * static_cast<double>(room.count())));
    if (at + late <= points.back().at) continue;
    points.push_back({at + late, between(wave, 0.5 + chance(random) / 2)});
    points.push_back({at + late + wave.width, wave.low});
  }
  return points;
}

Points diurnal(const Wave& wave, Duration duration, std::mt19937_64& random) {
  Points points;
  for (Duration at{}; at <= duration && points.size() < kMaxPoints; at += wave.step) {
    const double turn =
        static_cast<double>((at + wave.phase).count()) / static_cast<double>(wave.period.count());
    const double height = 0.5 - 0.5 * std::cos(2 * std::numbers::pi * turn);
    points.push_back({at, between(wave, height * 0.9 + chance(random) * 0.1)});
  }
  return points;
}

Points leak(const Wave& wave, Duration duration, std::mt19937_64&) {
  return {{wave.phase, wave.low}, {std::max(duration, wave.phase + Duration(1)), wave.high}};
}

Points walk(const Wave& wave, Duration duration, std::mt19937_64& random) {
  Points points;
  double part = 0.5;
  for (Duration at{}; at <= duration && points.size() < kMaxPoints; at += wave.step) {
    points.push_back({at, between(wave, part)});
    part = std::clamp(part + (chance(random) - 0.5) * 0.3, 0.0, 1.0);
  }
  return points;
}

struct Generator {
  const char* name;
  Points (*make)(const Wave&, Duration, std::mt19937_64&);
  Plan::Shape shape;
};

constexpr std::array<Generator, 6> kGenerators{{{"steps", steps, Plan::Shape::step},
                                                {"sawtooth", sawtooth, Plan::Shape::ramp},
                                                {"bursts", bursts, Plan::Shape::step},
                                                {"diurnal", diurnal, Plan::Shape::ramp},
                                                {"leak", leak, Plan::Shape::ramp},
                                                {"walk", walk, Plan::Shape::ramp}}};

}  // namespace

std::optional<MemorySize> size_of(const Value& value) {
  if (const auto* kib = value.as<std::int64_t>()) {
    if (*kib < 0) return std::nullopt;
    return MemorySize::from_kib(static_cast<std::uint64_t>(*kib));
  }
  if (const auto* number = value.as<double>()) {
    if (!(*number >= 0) || *number > 9e15) return std::nullopt;
    return MemorySize::from_kib(static_cast<std::uint64_t>(*number));
  }
  if (const auto* text = value.as<std::string>()) {
    const auto size = MemorySize::parse_with_unit_or_kib(*text);
    if (size) return *size;
  }
  return std::nullopt;
}

TableReader::TableReader(const bindings::Document& document, const Value& table, std::string where,
                         std::optional<Error>& error)
    : document_(document), table_(table), where_(std::move(where)), error_(error) {
  if (!error_ && !table_.as<Value::Table>()) {
    error_ = Error{ErrorCode::invalid_input,
                   document_.name(),
                   where_ + " is " + std::string(table_.kind()) + " where a table is expected",
                   {},
                   {}};
  }
}

void TableReader::allow(const std::vector<std::string>& keys) {
  if (failed()) return;
  if (auto checked = bindings::check_keys(document_, table_, keys, where_); !checked) {
    error_ = checked.error();
  }
}

void TableReader::wrong(const char* key, std::string message, std::string hint) {
  if (failed()) return;
  error_ = Error{ErrorCode::invalid_input,
                 document_.place_of(key),
                 where_ + ": " + std::move(message),
                 std::move(hint),
                 {}};
}

void TableReader::size(const char* key, MemorySize& value) {
  std::optional<MemorySize> read;
  size(key, read);
  if (read) value = *read;
}

void TableReader::size(const char* key, std::optional<MemorySize>& value) {
  const Value* given = field(key);
  if (failed() || !given) return;
  const auto read = size_of(*given);
  if (!read) {
    wrong(key, std::string(key) + " = " + shown(*given) + " is not a size of memory",
          "write 512*MiB or \"512MiB\"; sizes are not negative");
    return;
  }
  value = *read;
}

void TableReader::seconds(const char* key, Duration& value) {
  std::optional<Duration> read;
  seconds(key, read);
  if (read) value = *read;
}

void TableReader::seconds(const char* key, std::optional<Duration>& value) {
  const Value* given = field(key);
  if (failed() || !given) return;
  const auto read = number_of(*given);
  if (!read || *read < 0 || *read > kMaxSeconds) {
    wrong(key, std::string(key) + " = " + shown(*given) + " is not a time in seconds, 0 or more");
    return;
  }
  value = duration_from(*read);
}

void TableReader::number(const char* key, double& value) {
  const Value* given = field(key);
  if (failed() || !given) return;
  const auto read = number_of(*given);
  if (!read) {
    wrong(key, std::string(key) + " = " + shown(*given) + " is not a number");
    return;
  }
  value = *read;
}

void TableReader::whole(const char* key, std::int64_t minimum, std::int64_t& value) {
  const Value* given = field(key);
  if (failed() || !given) return;
  const auto* read = given->as<std::int64_t>();
  if (!read || *read < minimum) {
    wrong(key, std::string(key) + " = " + shown(*given) + " is not a whole number of at least " +
                   std::to_string(minimum));
    return;
  }
  value = *read;
}

void TableReader::flag(const char* key, bool& value) {
  const Value* given = field(key);
  if (failed() || !given) return;
  if (const auto* read = given->as<bool>()) {
    value = *read;
  } else {
    wrong(key, std::string(key) + " = " + shown(*given) + " is neither true nor false");
  }
}

void TableReader::text(const char* key, std::string& value) {
  const Value* given = field(key);
  if (failed() || !given) return;
  if (const auto* read = given->as<std::string>()) {
    value = *read;
  } else {
    wrong(key, std::string(key) + " = " + shown(*given) + " is not a string");
  }
}

void TableReader::plan(const char* key, Duration duration, std::uint64_t seed, Plan& value) {
  const Value* given = field(key);
  if (failed() || !given) return;
  const auto* table = given->as<Value::Table>();
  if (!table) {
    wrong(key, std::string(key) + " is " + std::string(given->kind()), kPointsHint);
  } else {
    value = table->fields.empty() ? points(key, *table) : generated(*given, duration, seed);
  }
}

Plan TableReader::points(const char* key, const Value::Table& list) {
  Points points;
  for (const Value& item : list.items) {
    const auto* pair = item.as<Value::Table>();
    const bool whole = pair && pair->items.size() == 2 && pair->fields.empty();
    const auto seconds = whole ? number_of(pair->items[0]) : std::nullopt;
    const auto size = whole ? size_of(pair->items[1]) : std::nullopt;
    if (!seconds || *seconds < 0 || *seconds > kMaxSeconds || !size) {
      wrong(key,
            "point " + std::to_string(points.size() + 1) + " of " + key + " is not {seconds, size}",
            kPointsHint);
      return {};
    }
    const Duration at = duration_from(*seconds);
    if (!points.empty() && at <= points.back().at) {
      wrong(key, "the times of " + std::string(key) + " do not rise", kPointsHint);
      return {};
    }
    points.push_back({at, *size});
  }
  return {std::move(points), Plan::Shape::ramp};
}

Plan TableReader::generated(const Value& table, Duration duration, std::uint64_t seed) {
  TableReader reader(document_, table, "a demand of " + where_, error_);
  reader.allow({"generator", "low", "high", "period", "width", "step", "phase", "seed"});
  std::string name;
  Wave wave;
  auto own_seed = static_cast<std::int64_t>(seed);
  reader.text("generator", name);
  reader.size("low", wave.low);
  reader.size("high", wave.high);
  reader.seconds("period", wave.period);
  reader.seconds("width", wave.width);
  reader.seconds("step", wave.step);
  reader.seconds("phase", wave.phase);
  reader.whole("seed", 0, own_seed);
  if (wave.period <= Duration(1)) reader.wrong("period", "a period of 0 s");
  if (wave.step <= Duration(1)) reader.wrong("step", "a step of 0 s");
  if (wave.high < wave.low) reader.wrong("high", "high is less than low");
  const auto* found = std::find_if(kGenerators.begin(), kGenerators.end(),
                                   [&](const Generator& one) { return name == one.name; });
  if (found == kGenerators.end()) {
    reader.wrong("generator", "unknown generator '" + name.substr(0, 40) + "'",
                 "the known generators are steps, sawtooth, bursts, diurnal, leak, walk");
  }
  if (failed()) return {};
  std::mt19937_64 random(static_cast<std::uint64_t>(own_seed));
  return {found->make(wave, duration, random), found->shape};
}

}  // namespace memcoord::workbench
