#include "tests/workbench/random_demand.h"

#include <algorithm>
#include <chrono>
#include <utility>
#include <vector>

namespace memcoord::testing {
namespace {

using simulated::Plan;

/// Points in rising order of time, one for each tenth of a second at most.
class DemandPoints {
 public:
  explicit DemandPoints(const DemandRange& range) : range_(range) {}

  void add(std::int64_t at, std::int64_t mib) {
    if (at > range_.until || (!points_.empty() && at <= last_)) return;
    points_.push_back(point(at, std::clamp(mib, range_.low, range_.high)));
    last_ = at;
  }
  /// Holds the size `from` until `at` and then goes to `to` within `takes`.
  void go(std::int64_t at, std::int64_t takes, std::int64_t from, std::int64_t to) {
    add(at, from);
    add(at + takes, to);
  }
  Plan plan() { return {std::move(points_), Plan::Shape::ramp}; }

 private:
  DemandRange range_;
  std::vector<Plan::Point> points_;
  std::int64_t last_ = 0;
};

Plan walk(Dice& dice, const DemandRange& range, std::int64_t width) {
  DemandPoints points(range);
  const std::int64_t step = dice.between(20, 200);
  std::int64_t size = range.low + dice.between(0, width / 2);
  for (std::int64_t at = range.from; at <= range.until; at += step) {
    points.add(at, size);
    const std::int64_t most = std::max<std::int64_t>(width / 6, 1);
    size = std::clamp(size + dice.between(-most, most), range.low, range.low + width);
  }
  return points.plan();
}

Plan rise(Dice& dice, const DemandRange& range) {
  const std::int64_t length = range.until - range.from;
  Surge one;
  one.at = range.from + dice.between(length / 20, length / 3);
  one.takes = dice.spread(100, std::max<std::int64_t>(length / 2, 101));
  one.stays = dice.between(length / 20, length / 4);
  one.falls = dice.between(5, 600);
  return surge(one, range);
}

Plan falls(Dice& dice, const DemandRange& range) {
  DemandPoints points(range);
  const std::int64_t length = range.until - range.from;
  points.add(range.from, range.high);
  // Compilers differ in the order in which they evaluate arguments.
  const std::int64_t takes = dice.spread(5, 1800);
  const std::int64_t at = range.from + dice.between(length / 20, length / 2);
  points.go(at, takes, range.high, range.low);
  return points.plan();
}

Plan jumps(Dice& dice, const DemandRange& range) {
  DemandPoints points(range);
  const std::int64_t calm = dice.spread(150, 2400);
  const std::int64_t width = range.high - range.low;
  const std::int64_t smallest = std::max<std::int64_t>(width / 16, 1);
  points.add(range.from, range.low);
  std::int64_t at = range.from + dice.between(calm / 4, calm * 2);
  while (at < range.until) {
    const std::int64_t height = dice.spread(smallest, std::max(width, smallest + 1));
    const std::int64_t takes = dice.chance(60) ? dice.between(1, 10) : dice.spread(10, 150);
    const std::int64_t stays = dice.spread(50, 1200);
    points.go(at, takes, range.low, range.low + height);
    at += takes + stays;
    points.go(at, dice.between(1, 50), range.low + height, range.low);
    at += 50 + dice.between(calm / 4, calm * 2);
  }
  return points.plan();
}

Plan waves(Dice& dice, const DemandRange& range) {
  DemandPoints points(range);
  const std::int64_t period = dice.spread(400, 4800);
  const std::int64_t up = dice.between(period / 40 + 1, period / 3);
  const std::int64_t down = dice.between(period / 40 + 1, period / 3);
  std::int64_t at = range.from + dice.between(0, period);
  points.add(range.from, range.low);
  for (; at < range.until; at += period) {
    points.go(at, up, range.low, range.high);
    points.go(at + period / 2, down, range.high, range.low);
  }
  return points.plan();
}

}  // namespace

Plan::Point point(std::int64_t tenths, std::int64_t mib) {
  return {std::chrono::milliseconds(100 * tenths),
          MemorySize::from_mib(static_cast<std::uint64_t>(mib))};
}

std::string_view name_of(Habit habit) {
  switch (habit) {
    case Habit::calm:
      return "calm";
    case Habit::walk:
      return "walks";
    case Habit::rise:
      return "rises";
    case Habit::jumps:
      return "jumps";
    case Habit::waves:
      return "waves";
    case Habit::falls:
      return "falls";
  }
  return "guest";
}

Plan random_demand(Dice& dice, Habit habit, const DemandRange& range) {
  const std::int64_t width = range.high - range.low;
  switch (habit) {
    case Habit::walk:
      return walk(dice, range, width);
    case Habit::rise:
      return rise(dice, range);
    case Habit::jumps:
      return jumps(dice, range);
    case Habit::waves:
      return waves(dice, range);
    case Habit::falls:
      return falls(dice, range);
    case Habit::calm:
      break;
  }
  return walk(dice, range, std::max<std::int64_t>(width / 16, 1));
}

Plan surge(const Surge& surge, const DemandRange& range) {
  DemandPoints points(range);
  points.add(range.from, range.low);
  points.go(surge.at, surge.takes, range.low, range.high);
  points.go(surge.at + surge.takes + surge.stays, surge.falls, range.high, range.low);
  return points.plan();
}

}  // namespace memcoord::testing
