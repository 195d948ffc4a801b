#include <algorithm>

#include "engine/hypervisor/simulated/scenario.h"

namespace memcoord::simulated {

double Plan::at(Duration time, std::size_t& cursor) const {
  if (points_.empty()) return 0;
  if (cursor >= points_.size() || points_[cursor].at > time) cursor = 0;
  while (cursor + 1 < points_.size() && points_[cursor + 1].at <= time) ++cursor;
  const Point& here = points_[cursor];
  const auto size = static_cast<double>(here.size.kib());
  if (shape_ == Shape::step || cursor + 1 == points_.size() || time <= here.at) return size;
  const Point& next = points_[cursor + 1];
  const double part = static_cast<double>((time - here.at).count()) /
                      static_cast<double>((next.at - here.at).count());
  return size + (static_cast<double>(next.size.kib()) - size) * part;
}

MemorySize Plan::largest() const {
  MemorySize most;
  for (const Point& point : points_) most = std::max(most, point.size);
  return most;
}

}  // namespace memcoord::simulated
