#include "tests/workbench/random_scenario.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "engine/hypervisor/simulated/guest.h"
#include "tests/workbench/dice.h"
#include "tests/workbench/random_demand.h"

namespace memcoord::testing {
namespace {

using simulated::Plan;
using simulated::Scenario;
using simulated::ScenarioDomain;
using std::chrono::milliseconds;

/// What a guest's kernel and its QEMU take besides its workload, and some MiB more.
constexpr std::int64_t kKernel = 130;
constexpr std::int64_t kProcess = 30;
constexpr std::int64_t kHostBase = 300;
constexpr std::int64_t kHostFloor = 200;

enum class Kind {
  mixture,
  boot_storm,
  correlated,
  elephants,
  page_cache,
  rises,
  jumps,
  comings,
};

/// A kind in proportion to how often it is there.
constexpr std::array<Kind, 20> kKinds{
    Kind::mixture,    Kind::mixture,    Kind::mixture,    Kind::mixture,    Kind::boot_storm,
    Kind::boot_storm, Kind::boot_storm, Kind::correlated, Kind::correlated, Kind::correlated,
    Kind::elephants,  Kind::elephants,  Kind::elephants,  Kind::page_cache, Kind::page_cache,
    Kind::rises,      Kind::rises,      Kind::jumps,      Kind::jumps,      Kind::comings};

std::string summary_of(Kind kind) {
  switch (kind) {
    case Kind::mixture:
      return "a mixture";
    case Kind::boot_storm:
      return "a boot storm";
    case Kind::correlated:
      return "correlated rises";
    case Kind::elephants:
      return "elephants among mice";
    case Kind::page_cache:
      return "page cache";
    case Kind::rises:
      return "steady rises and falls";
    case Kind::jumps:
      return "jumps";
    case Kind::comings:
      return "guests that come and go";
  }
  return {};
}

std::int64_t mib(MemorySize size) {
  return static_cast<std::int64_t>(size.kib() / 1024);
}
MemorySize mib_size(std::int64_t mib) {
  return MemorySize::from_mib(static_cast<std::uint64_t>(mib));
}
Duration tenths(std::int64_t count) {
  return milliseconds(100 * count);
}

/// A plan's size in MiB, rounded up. Plan::at() computes with doubles.
std::int64_t size_at(const Plan& plan, Duration at) {
  const auto& points = plan.points();
  const auto next =
      std::upper_bound(points.begin(), points.end(), at,
                       [](Duration time, const Plan::Point& p) { return time < p.at; });
  if (points.empty()) return 0;
  if (next == points.begin()) return mib(points.front().size);
  const Plan::Point& before = *std::prev(next);
  if (next == points.end()) return mib(before.size);
  const std::int64_t from = mib(before.size);
  const std::int64_t change = mib(next->size) - from;
  const std::int64_t passed = (at - before.at) / milliseconds(100);
  const std::int64_t whole = (next->at - before.at) / milliseconds(100);
  return from + change * passed / whole + (change > 0 ? 1 : 0);
}

/// Draws one scenario, part by part.
class Draft {
 public:
  Draft(std::uint64_t seed, std::uint64_t number) : dice_(seed, number) {
    kind_ = dice_.one_of<Kind>(kKinds);
    until_ = dice_.spread(3000, 18000);
    scenario_.name = "random-" + std::to_string(number);
    scenario_.duration = tenths(until_);
    scenario_.host_base = mib_size(kHostBase);
    constexpr std::array<std::int64_t, 3> kPeriods{1, 5, 10};
    period_ = dice_.one_of<std::int64_t>(kPeriods);
    swapping_ = dice_.between(0, 2);
    caching_ = kind_ == Kind::page_cache ? 85 : 15;
    weighted_ = dice_.chance(20);
    ranked_ = dice_.chance(15);
    large_ = dice_.spread(2, 16) * 1024;
  }

  Scenario finish() {
    const std::int64_t count = dice_.spread(2, 40);
    common_at_ = dice_.between(until_ / 10, until_ / 2);
    common_takes_ = dice_.spread(30, 3000);
    common_stays_ = dice_.between(until_ / 20, until_ / 3);
    for (std::int64_t i = 0; i < count; ++i) add_domain(i, count);
    size_host();
    return std::move(scenario_);
  }

 private:
  void add_domain(std::int64_t place, std::int64_t count);
  void set_times(ScenarioDomain& domain, std::int64_t place, std::int64_t count);
  void set_demand(ScenarioDomain& domain, std::int64_t place);
  void set_cache(ScenarioDomain& domain, const DemandRange& range);
  void set_settings(ScenarioDomain& domain);
  Habit habit(std::int64_t place);
  std::int64_t maximum_of(std::int64_t place);
  [[nodiscard]] bool starts_late(const ScenarioDomain& domain) const {
    return domain.start > Duration();
  }
  [[nodiscard]] std::int64_t need_at(Duration at) const;
  void size_host();
  void share_out(std::int64_t capacity);

  Dice dice_;
  Scenario scenario_;
  Kind kind_ = Kind::mixture;
  std::int64_t until_ = 0;  ///< tenths of a second
  std::int64_t period_ = 1;
  std::int64_t swapping_ = 0;  ///< 0: no guest has swap, 1: some have, 2: all
  std::int64_t caching_ = 0;   ///< percent of the guests that read files
  bool weighted_ = false;
  bool ranked_ = false;
  std::int64_t large_ = 0;  ///< MiB that no ordinary guest's maximum passes
  std::int64_t common_at_ = 0;
  std::int64_t common_takes_ = 0;
  std::int64_t common_stays_ = 0;
};

Habit Draft::habit(std::int64_t place) {
  constexpr std::array kAny{Habit::calm,  Habit::calm,  Habit::walk,  Habit::walk, Habit::rise,
                            Habit::jumps, Habit::jumps, Habit::waves, Habit::falls};
  constexpr std::array kElephant{Habit::jumps, Habit::rise, Habit::waves};
  constexpr std::array kMouse{Habit::calm, Habit::walk, Habit::walk, Habit::jumps};
  constexpr std::array kSteady{Habit::rise, Habit::rise, Habit::falls, Habit::calm};
  constexpr std::array kJumps{Habit::jumps, Habit::jumps, Habit::jumps, Habit::calm};
  switch (kind_) {
    case Kind::elephants:
      return place < 2 ? dice_.one_of<Habit>(kElephant) : dice_.one_of<Habit>(kMouse);
    case Kind::rises:
      return dice_.one_of<Habit>(kSteady);
    case Kind::jumps:
      return dice_.one_of<Habit>(kJumps);
    default:
      return dice_.one_of<Habit>(kAny);
  }
}

std::int64_t Draft::maximum_of(std::int64_t place) {
  if (kind_ == Kind::elephants) {
    return place < 2 ? dice_.spread(8, 48) * 1024 : dice_.spread(4, 16) * 128;
  }
  return dice_.spread(4, large_ / 128) * 128;
}

void Draft::set_times(ScenarioDomain& domain, std::int64_t place, std::int64_t count) {
  const bool storms = kind_ == Kind::boot_storm && 2 * place >= count;
  const bool comes = kind_ == Kind::comings ? dice_.chance(60) : dice_.chance(5);
  if (storms) {
    domain.start = tenths(common_at_ + dice_.between(0, 300));
  } else if (comes) {
    domain.start = tenths(dice_.between(1, until_ * 3 / 4));
  }
  if (comes && dice_.chance(70)) {
    domain.stop = domain.start + tenths(dice_.spread(300, until_));
  }
}

void Draft::set_cache(ScenarioDomain& domain, const DemandRange& range) {
  if (!dice_.chance(caching_)) return;
  const std::int64_t most = mib(domain.maximum) - kKernel;
  const Habit reads = dice_.chance(50) ? Habit::rise : Habit::walk;
  const std::int64_t high = dice_.between(most / 4, most);
  domain.cache = random_demand(dice_, reads, {range.from, range.until, 0, high});
}

void Draft::set_demand(ScenarioDomain& domain, std::int64_t place) {
  const std::int64_t most = mib(domain.maximum) - kKernel;
  DemandRange range{domain.start / milliseconds(100), until_, 0, 0};
  range.low = most * dice_.between(5, 35) / 100;
  range.high = std::max(range.low + 1, most * dice_.between(40, 100) / 100);
  Habit chosen = habit(place);
  Surge common{common_at_ + dice_.between(0, 100), common_takes_, common_stays_,
               dice_.between(10, 600)};
  const bool joins = kind_ == Kind::correlated && dice_.chance(75);
  const bool boots = starts_late(domain) && dice_.chance(kind_ == Kind::boot_storm ? 80 : 30);
  if (boots) {
    common.at = range.from + dice_.between(5, 50);
    common.takes = dice_.spread(20, 300);
    common.stays = dice_.chance(50) ? until_ : dice_.between(50, 600);
  }
  if (joins || boots) {
    domain.name = boots ? "boots" : "joins";
    domain.demand = surge(common, range);
  } else {
    domain.name = name_of(chosen);
    domain.demand = random_demand(dice_, chosen, range);
  }
  domain.name += (place < 9 ? "0" : "") + std::to_string(place + 1);
  set_cache(domain, range);
}

void Draft::set_settings(ScenarioDomain& domain) {
  domain.period = std::chrono::seconds(period_);
  if (swapping_ == 2 || (swapping_ == 1 && dice_.chance(50))) {
    domain.swap = mib_size(dice_.chance(50) ? mib(domain.maximum) : mib(domain.maximum) / 4);
  }
  if (weighted_) domain.settings.weight = static_cast<double>(dice_.between(1, 4));
  if (ranked_) domain.settings.priority = static_cast<int>(dice_.between(0, 2));
}

void Draft::add_domain(std::int64_t place, std::int64_t count) {
  ScenarioDomain domain;
  domain.maximum = mib_size(maximum_of(place));
  set_times(domain, place, count);
  set_demand(domain, place);
  set_settings(domain);
  scenario_.domains.push_back(std::move(domain));
}

/// The memory that all running guests and their QEMUs need, MiB.
std::int64_t Draft::need_at(Duration at) const {
  std::int64_t sum = 0;
  for (const ScenarioDomain& domain : scenario_.domains) {
    if (at < domain.start || (domain.stop && at >= *domain.stop)) continue;
    sum += size_at(domain.demand, at) + kKernel + kProcess;
  }
  return sum;
}

void Draft::size_host() {
  std::int64_t peak = 0;
  for (std::int64_t at = 0; at < until_; at += 5) peak = std::max(peak, need_at(tenths(at)));
  const std::int64_t luck = dice_.between(1, 100);
  const bool scarce = luck <= 33;
  const bool tight = !scarce && luck <= 62;
  const std::int64_t percent =
      scarce ? dice_.between(62, 97) : (tight ? dice_.between(101, 105) : dice_.between(105, 130));
  const std::int64_t least = need_at(Duration()) * 102 / 100;
  const std::int64_t capacity = std::max(peak * percent / 100, least) + kHostFloor;
  scenario_.host_total = mib_size(kHostBase + capacity + kHostFloor);
  share_out(capacity);
  scenario_.summary = summary_of(kind_) + ", " + std::to_string(scenario_.domains.size()) +
                      " domains, " +
                      (scarce  ? "too little memory"
                       : tight ? "just enough memory"
                               : "memory to spare");
}

/// Sets the initial sizes: the need, and a part of what is left of the capacity. A few hosts give
/// out more than they have.
void Draft::share_out(std::int64_t capacity) {
  const bool overcommitted = dice_.chance(8);
  const std::int64_t part = dice_.chance(25) ? 0 : dice_.between(30, 100);
  std::int64_t left = capacity - need_at(Duration()) - kHostFloor;
  std::int64_t sharers = 0;
  for (const ScenarioDomain& domain : scenario_.domains) sharers += starts_late(domain) ? 0 : 1;
  for (ScenarioDomain& domain : scenario_.domains) {
    const std::int64_t maximum = mib(domain.maximum);
    const std::int64_t need = size_at(domain.demand, domain.start) + kKernel;
    std::int64_t extra = 0;
    if (starts_late(domain)) {
      extra = (maximum - need) * dice_.between(20, 100) / 100;
    } else if (overcommitted) {
      extra = maximum - need;
    } else {
      extra = std::max<std::int64_t>(left, 0) / sharers * part / 100;
    }
    domain.initial = mib_size(std::clamp(need + extra, need, maximum));
    if (starts_late(domain)) continue;
    left -= mib(domain.initial) - need;
    --sharers;
    left = std::max<std::int64_t>(left, 0);
  }
}

}  // namespace

Scenario random_scenario(std::uint64_t seed, std::uint64_t number) {
  return Draft(seed, number).finish();
}

}  // namespace memcoord::testing
