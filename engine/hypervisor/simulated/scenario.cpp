#include "engine/hypervisor/simulated/scenario.h"

#include <algorithm>

namespace memcoord::simulated {
namespace {

/// Moves the cursor to the last point that is not after `time`, or to the first point.
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
  // Consecutive points of the same size are one steady period.
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

bool ScenarioDomain::has_fault(Fault::Kind kind, Duration at) const {
  return std::any_of(faults.begin(), faults.end(), [&](const Fault& fault) {
    return fault.kind == kind && at >= fault.from && at < fault.until;
  });
}

bool ScenarioDomain::reports(Duration at) const {
  return driver && period > Duration() && !has_fault(Fault::Kind::silent, at) &&
         !has_fault(Fault::Kind::paused, at);
}

MemorySize ScenarioDomain::whole_pages(MemorySize target) const {
  const MemorySize asked = (maximum - target) / kBalloonPage.kib() * kBalloonPage.kib();
  const std::uint64_t kib = std::max(page, kBalloonPage).kib();
  return maximum - (asked + MemorySize::from_kib(kib - 1)) / kib * kib;
}

}  // namespace memcoord::simulated
