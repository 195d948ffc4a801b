#include <algorithm>

#include "engine/hypervisor/simulated/scenario.h"

namespace memcoord::simulated {

namespace {

/// The last point that is not after `time`, or the first.
void find(const std::vector<Plan::Point>& points, Duration time, std::size_t& cursor) {
  if (cursor >= points.size() || points[cursor].at > time) cursor = 0;
  while (cursor + 1 < points.size() && points[cursor + 1].at <= time) ++cursor;
}

}  // namespace

double Plan::at(Duration time, std::size_t& cursor) const {
  if (points_.empty()) return 0;
  find(points_, time, cursor);
  const Point& here = points_[cursor];
  const auto size = static_cast<double>(here.size.kib());
  if (shape_ == Shape::step || cursor + 1 == points_.size() || time <= here.at) return size;
  const Point& next = points_[cursor + 1];
  const double part = static_cast<double>((time - here.at).count()) /
                      static_cast<double>((next.at - here.at).count());
  return size + (static_cast<double>(next.size.kib()) - size) * part;
}

Duration Plan::steady_until(Duration time, std::size_t& cursor) const {
  if (points_.empty()) return Duration::max();
  find(points_, time, cursor);
  std::size_t here = cursor;
  if (time < points_[here].at) return points_[here].at;
  const bool ramps = shape_ == Shape::ramp;
  // Points of one size after another are one stretch.
  while (here + 1 < points_.size() && points_[here + 1].size == points_[here].size) ++here;
  if (here + 1 == points_.size()) return Duration::max();
  if (!ramps) return points_[here + 1].at;
  return std::max(time, points_[here].at);
}

MemorySize Plan::largest() const {
  MemorySize most;
  for (const Point& point : points_) most = std::max(most, point.size);
  return most;
}

void shorten_periods(Scenario& scenario, Duration interval) {
  for (ScenarioDomain& domain : scenario.domains) {
    if (is_too_long(domain.period, interval)) domain.period = statistics_period(interval);
  }
}

}  // namespace memcoord::simulated
