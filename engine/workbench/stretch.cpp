#include "engine/workbench/stretch.h"

#include <algorithm>
#include <vector>

namespace memcoord::workbench {
namespace {

/// Each `group` stretches become one.
template <class Moment>
std::vector<Moment> in_groups(const std::vector<Moment>& moments, std::size_t group) {
  std::vector<Moment> out;
  out.reserve(moments.size() / group + 1);
  for (std::size_t i = 0; i < moments.size(); ++i) {
    if (i % group == 0) {
      out.push_back(moments[i]);
    } else {
      out.back() = merged(out.back(), moments[i]);
    }
  }
  return out;
}

}  // namespace

DomainMoment merged(const DomainMoment& a, const DomainMoment& b) {
  if (!a.active) return b;
  if (!b.active) return a;
  return {true,
          b.actual,
          std::max(a.need, b.need),
          std::min(a.unused, b.unused),
          std::min(a.usable, b.usable),
          a.stalled || b.stalled,
          a.oom || b.oom,
          a.rules | b.rules};
}

HostMoment merged(const HostMoment& a, const HostMoment& b) {
  return {std::min(a.free, b.free), b.granted, std::max(a.need, b.need)};
}

RunRecord thinned(const RunRecord& record, std::size_t most_moments) {
  RunRecord thin = record;
  const std::size_t most = std::max<std::size_t>(1, most_moments);
  const std::size_t group = (record.times.size() + most - 1) / most;
  if (group <= 1) return thin;
  thin.times.clear();
  for (std::size_t i = 0; i < record.times.size(); ++i) {
    if (i % group == group - 1 || i + 1 == record.times.size()) {
      thin.times.push_back(record.times[i]);
    }
  }
  thin.host = in_groups(record.host, group);
  for (DomainRecord& domain : thin.domains) domain.moments = in_groups(domain.moments, group);
  return thin;
}

}  // namespace memcoord::workbench
