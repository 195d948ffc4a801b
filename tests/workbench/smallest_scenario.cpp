#include "tests/workbench/smallest_scenario.h"

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <utility>
#include <vector>

namespace memcoord::testing {
namespace {

using simulated::Plan;
using simulated::Scenario;
using simulated::ScenarioDomain;

constexpr std::uint64_t kRoundMib = 100;

/// The smallest scenario so far, and the attempts that are left.
class Shrinking {
 public:
  Shrinking(Scenario scenario, const StillShows& still_shows, std::size_t attempts)
      : best_(std::move(scenario)), still_shows_(still_shows), left_(attempts) {}

  [[nodiscard]] const Scenario& best() const { return best_; }
  /// Keeps the scenario if it still shows the same.
  bool keeps(Scenario smaller) {
    if (left_ == 0) return false;
    --left_;
    if (!still_shows_(smaller)) return false;
    best_ = std::move(smaller);
    return true;
  }

 private:
  Scenario best_;
  const StillShows& still_shows_;
  std::size_t left_;
};

Scenario without(const Scenario& scenario, std::size_t first, std::size_t count, bool memory_too) {
  Scenario smaller = scenario;
  const auto from = smaller.domains.begin() + static_cast<std::ptrdiff_t>(first);
  const auto to = from + static_cast<std::ptrdiff_t>(count);
  for (auto domain = from; domain != to && memory_too; ++domain) {
    const bool stays = domain->start == Duration();
    if (stays) smaller.host_total -= domain->initial + scenario.model.process_overhead;
  }
  smaller.domains.erase(from, to);
  return smaller;
}

bool drop_domains(Shrinking& shrinking) {
  bool helped = false;
  for (std::size_t count = shrinking.best().domains.size() / 2; count > 0; count /= 2) {
    std::size_t first = 0;
    while (first + count <= shrinking.best().domains.size() &&
           shrinking.best().domains.size() > count) {
      const bool dropped = shrinking.keeps(without(shrinking.best(), first, count, true)) ||
                           shrinking.keeps(without(shrinking.best(), first, count, false));
      if (dropped) {
        helped = true;
      } else {
        first += count;
      }
    }
  }
  return helped;
}

/// The plan up to the scenario's end.
void cut_plan(Plan& plan, Duration end) {
  std::vector<Plan::Point> points = plan.points();
  const auto late =
      std::find_if(points.begin(), points.end(), [&](const auto& p) { return p.at > end; });
  // The first point behind the end stays: the amount changes towards it.
  if (late != points.end()) points.erase(std::next(late), points.end());
  plan = Plan(std::move(points), Plan::Shape::ramp);
}

bool shorten(Shrinking& shrinking) {
  bool helped = false;
  for (const int percent : {50, 75, 90}) {
    while (true) {
      Scenario smaller = shrinking.best();
      const auto seconds = smaller.duration * percent / 100 / std::chrono::seconds(1);
      if (seconds < 10) break;
      smaller.duration = std::chrono::seconds(seconds);
      std::erase_if(smaller.domains,
                    [&](const ScenarioDomain& d) { return d.start >= smaller.duration; });
      for (ScenarioDomain& domain : smaller.domains) {
        cut_plan(domain.demand, smaller.duration);
        cut_plan(domain.cache, smaller.duration);
        if (domain.stop && *domain.stop >= smaller.duration) domain.stop.reset();
      }
      if (smaller.domains.empty() || !shrinking.keeps(std::move(smaller))) break;
      helped = true;
    }
  }
  return helped;
}

/// Tries a change of one domain after the other.
template <class Change>
bool change_domains(Shrinking& shrinking, Change change) {
  bool helped = false;
  for (std::size_t i = 0; i < shrinking.best().domains.size(); ++i) {
    Scenario smaller = shrinking.best();
    if (change(smaller.domains[i]) && shrinking.keeps(std::move(smaller))) helped = true;
  }
  return helped;
}

bool drop_extras(Shrinking& shrinking) {
  bool helped = change_domains(shrinking, [](ScenarioDomain& domain) {
    const bool has = domain.settings != DomainSettings();
    domain.settings = DomainSettings();
    return has;
  });
  helped |= change_domains(shrinking, [](ScenarioDomain& domain) {
    return !std::exchange(domain.cache, Plan()).empty();
  });
  helped |= change_domains(shrinking, [](ScenarioDomain& domain) {
    const bool fits = domain.demand.largest() <= domain.maximum;
    return !std::exchange(domain.swap, MemorySize()).is_zero() && fits;
  });
  helped |= change_domains(shrinking, [](ScenarioDomain& domain) {
    return std::exchange(domain.period, std::chrono::seconds(1)) != std::chrono::seconds(1);
  });
  return helped;
}

/// Drops every second of the inner points, then single ones.
bool thin_plans(Shrinking& shrinking) {
  bool helped = false;
  const auto every_second = [](ScenarioDomain& domain) {
    std::vector<Plan::Point> kept;
    const auto& points = domain.demand.points();
    for (std::size_t i = 0; i < points.size(); ++i) {
      if (i % 2 == 0 || i + 1 == points.size()) kept.push_back(points[i]);
    }
    const bool fewer = kept.size() < points.size();
    domain.demand = Plan(std::move(kept), Plan::Shape::ramp);
    return fewer;
  };
  while (change_domains(shrinking, every_second)) helped = true;
  for (std::size_t place = 0; place < 12; ++place) {
    helped |= change_domains(shrinking, [&](ScenarioDomain& domain) {
      std::vector<Plan::Point> points = domain.demand.points();
      if (points.size() < 2 || place >= points.size()) return false;
      points.erase(points.begin() + static_cast<std::ptrdiff_t>(place));
      domain.demand = Plan(std::move(points), Plan::Shape::ramp);
      return true;
    });
  }
  return helped;
}

MemorySize rounded(MemorySize size) {
  const std::uint64_t mib = size.kib() / 1024;
  return MemorySize::from_mib((mib + kRoundMib / 2) / kRoundMib * kRoundMib);
}

void round_plan(Plan& plan) {
  std::vector<Plan::Point> points;
  for (Plan::Point point : plan.points()) {
    point.at = std::chrono::round<std::chrono::seconds>(point.at);
    point.size = rounded(point.size);
    if (points.empty() || point.at > points.back().at) points.push_back(point);
  }
  plan = Plan(std::move(points), Plan::Shape::ramp);
}

void round_off(Shrinking& shrinking) {
  (void)change_domains(shrinking, [](ScenarioDomain& domain) {
    round_plan(domain.demand);
    round_plan(domain.cache);
    return domain.demand.largest() <= domain.maximum;
  });
  (void)change_domains(shrinking, [](ScenarioDomain& domain) {
    domain.maximum = rounded(domain.maximum);
    domain.initial = std::min(rounded(domain.initial), domain.maximum);
    domain.start = std::chrono::round<std::chrono::seconds>(domain.start);
    return !domain.initial.is_zero() && domain.demand.largest() <= domain.maximum;
  });
  Scenario smaller = shrinking.best();
  smaller.host_total = rounded(smaller.host_total);
  smaller.duration = std::chrono::round<std::chrono::seconds>(smaller.duration);
  (void)shrinking.keeps(std::move(smaller));
}

}  // namespace

Scenario smallest_scenario(Scenario scenario, const StillShows& still_shows, std::size_t attempts) {
  Shrinking shrinking(std::move(scenario), still_shows, attempts);
  bool helped = true;
  while (helped) {
    helped = drop_domains(shrinking);
    helped |= shorten(shrinking);
    helped |= drop_extras(shrinking);
    helped |= thin_plans(shrinking);
  }
  round_off(shrinking);
  return shrinking.best();
}

}  // namespace memcoord::testing
