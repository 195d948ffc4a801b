#include "engine/workbench/demand_plan.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>
#include <random>
#include <string>
#include <utility>
#include <vector>

namespace memcoord::workbench {
namespace {

using bindings::Value;
using simulated::Plan;
using Points = std::vector<Plan::Point>;

constexpr std::size_t kMostPoints = 1'000'000;

/// What a generator may be told; each uses some of it.
struct Shape {
  MemorySize low;
  MemorySize high = MemorySize::from_mib(256);
  Duration period = std::chrono::seconds(60);
  Duration width = std::chrono::seconds(5);  ///< of a burst
  Duration step = std::chrono::seconds(10);  ///< of a walk, of a diurnal curve's points
  Duration phase{};
};

/// A number from 0 up to 1. The standard's engines are the same everywhere; its distributions are
/// not, and runs must repeat to the byte.
double chance(std::mt19937_64& random) {
  return static_cast<double>(random() >> 11U) / 9007199254740992.0;
}

MemorySize between(const Shape& shape, double part) {
  return shape.low + (shape.high - shape.low).scaled(std::clamp(part, 0.0, 1.0));
}

Points steps(const Shape& shape, Duration duration, std::mt19937_64&) {
  Points points;
  bool high = false;
  for (Duration at = shape.phase; at <= duration && points.size() < kMostPoints;
       at += shape.period / 2) {
    points.push_back({at, high ? shape.high : shape.low});
    high = !high;
  }
  return points;
}

Points sawtooth(const Shape& shape, Duration duration, std::mt19937_64&) {
  Points points;
  for (Duration at = shape.phase; at <= duration && points.size() < kMostPoints;
       at += shape.period) {
    points.push_back({at, shape.low});
    points.push_back({at + shape.period - Duration(1), shape.high});
  }
  return points;
}

Points bursts(const Shape& shape, Duration duration, std::mt19937_64& random) {
  Points points{{Duration(), shape.low}};
  for (Duration at = shape.phase; at <= duration && points.size() < kMostPoints;
       at += shape.period) {
    const auto room = std::max<Duration>(shape.period - shape.width, Duration(1));
    const auto late =
        Duration(static_cast<Duration::rep>(chance(random) * static_cast<double>(room.count())));
    if (at + late <= points.back().at) continue;
    points.push_back({at + late, between(shape, 0.5 + chance(random) / 2)});
    points.push_back({at + late + shape.width, shape.low});
  }
  return points;
}

Points diurnal(const Shape& shape, Duration duration, std::mt19937_64& random) {
  Points points;
  for (Duration at{}; at <= duration && points.size() < kMostPoints; at += shape.step) {
    const double turn =
        static_cast<double>((at + shape.phase).count()) / static_cast<double>(shape.period.count());
    const double wave = 0.5 - 0.5 * std::cos(2 * std::numbers::pi * turn);
    points.push_back({at, between(shape, wave * 0.9 + chance(random) * 0.1)});
  }
  return points;
}

Points leak(const Shape& shape, Duration duration, std::mt19937_64&) {
  return {{shape.phase, shape.low}, {std::max(duration, shape.phase + Duration(1)), shape.high}};
}

Points walk(const Shape& shape, Duration duration, std::mt19937_64& random) {
  Points points;
  double part = 0.5;
  for (Duration at{}; at <= duration && points.size() < kMostPoints; at += shape.step) {
    points.push_back({at, between(shape, part)});
    part = std::clamp(part + (chance(random) - 0.5) * 0.3, 0.0, 1.0);
  }
  return points;
}

struct Generator {
  const char* name;
  Points (*make)(const Shape&, Duration, std::mt19937_64&);
  Plan::Shape shape;
};

constexpr std::array<Generator, 6> kGenerators{{{"steps", steps, Plan::Shape::step},
                                                {"sawtooth", sawtooth, Plan::Shape::ramp},
                                                {"bursts", bursts, Plan::Shape::step},
                                                {"diurnal", diurnal, Plan::Shape::ramp},
                                                {"leak", leak, Plan::Shape::ramp},
                                                {"walk", walk, Plan::Shape::ramp}}};

Plan generate(TableReader& domain, const bindings::Document& document, const Value& value,
              Duration duration, std::uint64_t seed) {
  std::optional<Error> error;
  TableReader reader(document, value, "a demand of " + domain.where(), error);
  reader.allow({"generator", "low", "high", "period", "width", "step", "phase", "seed"});
  std::string name;
  Shape shape;
  auto own_seed = static_cast<std::int64_t>(seed);
  reader.text("generator", name);
  reader.size("low", shape.low);
  reader.size("high", shape.high);
  reader.seconds("period", shape.period);
  reader.seconds("width", shape.width);
  reader.seconds("step", shape.step);
  reader.seconds("phase", shape.phase);
  reader.whole("seed", 0, own_seed);
  if (shape.period <= Duration(1)) reader.wrong("period", "a period of 0 s");
  if (shape.step <= Duration(1)) reader.wrong("step", "a step of 0 s");
  if (shape.high < shape.low) reader.wrong("high", "high is under low");
  const auto* found = std::find_if(kGenerators.begin(), kGenerators.end(),
                                   [&](const Generator& one) { return name == one.name; });
  if (found == kGenerators.end()) {
    reader.wrong("generator", "unknown generator '" + name.substr(0, 40) + "'",
                 "known are steps, sawtooth, bursts, diurnal, leak, walk");
  }
  if (error) {
    domain.fail_with(*error);
    return {};
  }
  std::mt19937_64 random(static_cast<std::uint64_t>(own_seed));
  return {found->make(shape, duration, random), found->shape};
}

}  // namespace

Plan read_plan(TableReader& domain, const bindings::Document& document, const char* key,
               Duration duration, std::uint64_t seed) {
  const Value* value = domain.field(key);
  if (domain.failed() || !value) return {};
  const auto* table = value->as<Value::Table>();
  if (table && !table->fields.empty()) return generate(domain, document, *value, duration, seed);
  const std::string hint = "write {{0, 50*MiB}, {20, 300*MiB}}: seconds and sizes";
  if (!table) {
    domain.wrong(key, std::string(key) + " is " + std::string(value->kind()), hint);
    return {};
  }
  Points points;
  for (const Value& item : table->items) {
    const auto* pair = item.as<Value::Table>();
    const bool whole = pair && pair->items.size() == 2 && pair->fields.empty();
    const auto seconds = whole ? number_of(pair->items[0]) : std::nullopt;
    const auto size = whole ? size_of(pair->items[1]) : std::nullopt;
    if (!seconds || *seconds < 0 || *seconds > 1e9 || !size) {
      domain.wrong(
          key,
          "point " + std::to_string(points.size() + 1) + " of " + key + " is no {seconds, size}",
          hint);
      return {};
    }
    const auto at = Duration(static_cast<Duration::rep>(*seconds * 1e6));
    if (!points.empty() && at <= points.back().at) {
      domain.wrong(key, "the times of " + std::string(key) + " do not rise", hint);
      return {};
    }
    points.push_back({at, *size});
  }
  return {std::move(points), Plan::Shape::ramp};
}

}  // namespace memcoord::workbench
