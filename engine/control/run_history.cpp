#include "engine/control/run_history.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "engine/core/host_stack.h"
#include "engine/observers/memory_use.h"

namespace memcoord::control {
namespace {

using Figure = RunHistory::Figure;

constexpr Figure kUnknown = std::numeric_limits<Figure>::quiet_NaN();

Figure figure_of(MemorySize size) {
  return static_cast<Figure>(size.kib());
}
Figure figure_of(const std::optional<MemorySize>& size) {
  return size ? figure_of(*size) : kUnknown;
}

RunHistory::HostPoint host_point(const Tick& tick) {
  const HostStack stack = stack_of(tick);
  return {figure_of(stack.used),      figure_of(stack.backed), figure_of(stack.unbacked),
          figure_of(stack.grantable), figure_of(stack.floor),  figure_of(stack.reserved)};
}

}  // namespace

void RunHistory::observe(const Tick& tick) {
  if (tick.sample_error || tick.restoring) return;
  const std::lock_guard lock(mutex_);
  ++turn_;
  newest_ = {tick.snapshot.taken_at, tick.snapshot.wall_time};
  const bool begins = begin_point(tick.snapshot.taken_at);
  add_host(tick, begins);
  auto silent = tick.not_reporting.begin();
  for (const Domain& domain : tick.snapshot.domains) {
    const bool reports = silent == tick.not_reporting.end() || *silent != domain.uuid();
    if (!reports) ++silent;
    add_domain(domain, tick, begins, reports);
  }
  add_moves(tick);
  if (domains_.size() == tick.snapshot.domains.size()) return;
  std::erase_if(domains_, [&](const auto& entry) { return entry.second.turn != turn_; });
}

/// Begins the next point if the tick is past the newest one. Returns whether it does.
bool RunHistory::begin_point(MonotonicTime at) {
  if (count_ == 0) origin_ = at;
  const bool begins =
      count_ == 0 || (at - origin_) / kDistance > (at_[slot(count_ - 1)] - origin_) / kDistance;
  if (begins) ++count_;
  at_[slot(count_ - 1)] = at;
  return begins;
}

void RunHistory::add_host(const Tick& tick, bool begins) {
  const HostPoint now = host_point(tick);
  const std::pair left(tick.grantable, tick.account.shortfall);
  if (begins && count_ > 1) host_[slot(count_ - 2)] = tightest_;
  host_[slot(count_ - 1)] = now;
  const bool tighter = left.first < host_left_.first ||
                       (left.first == host_left_.first && left.second >= host_left_.second);
  if (!begins && !tighter) return;
  host_left_ = left;
  tightest_ = now;
}

void RunHistory::put(DomainPast& past, std::uint64_t point, const DomainPoint& figures) {
  past.actual[slot(point)] = figures.actual;
  past.used[slot(point)] = figures.used;
  past.rss[slot(point)] = figures.rss;
}

void RunHistory::add_domain(const Domain& domain, const Tick& tick, bool begins, bool reports) {
  const std::uint64_t point = count_ - 1;
  const auto [found, is_new] = domains_.try_emplace(domain.uuid());
  DomainPast& past = found->second;
  past.turn = turn_;
  if (is_new) past.first = point;
  if (begins && !is_new) put(past, point - 1, past.tightest);
  const auto use = reports ? observers::use_of(domain) : std::nullopt;
  const auto left =
      reports ? headroom_of(domain, tick.limits.headroom) : std::optional<MemorySize>();
  const DomainPoint now{figure_of(domain.actual), use ? figure_of(use->used) : kUnknown,
                        figure_of(domain.rss), figure_of(left)};
  put(past, point, now);
  const bool first = begins || is_new || std::isnan(past.tightest.headroom);
  // A comparison with NaN is false.
  if (first || now.headroom <= past.tightest.headroom) past.tightest = now;
  const Figure most = figure_of(domain.maximum);
  if (!past.maximum.empty() && past.maximum.back().second == most) return;
  if (past.maximum.size() == kMaximumChanges) past.maximum.erase(past.maximum.begin());
  past.maximum.emplace_back(point, most);
}

void RunHistory::add_moves(const Tick& tick) {
  const WallTime now = tick.snapshot.wall_time;
  for (const Outcome& outcome : tick.outcomes) {
    const bool dry_run = outcome.kind == Outcome::Kind::dry_run;
    const bool moved = dry_run || outcome.kind == Outcome::Kind::applied;
    const auto found = domains_.find(outcome.domain);
    if (!moved || found == domains_.end()) continue;
    auto& moves = found->second.moves;
    // A grow that waits for memory is sent in steps.
    if (!moves.empty() && moves.back().time == now) {
      moves.back().to = figure_of(outcome.to);
      continue;
    }
    if (moves.size() == kMoves) moves.erase(moves.begin());
    if (moves.empty()) moves.reserve(kMoves);
    moves.push_back({now, figure_of(outcome.from), figure_of(outcome.to), dry_run});
  }
}

/// The oldest point that is kept and younger than the window.
std::uint64_t RunHistory::first_kept() const {
  std::uint64_t first = count_ > kPoints ? count_ - kPoints : 0;
  while (first < count_ && newest_.first - at_[slot(first)] > kWindow) ++first;
  return first;
}

RunHistory::Points RunHistory::points() const {
  const std::lock_guard lock(mutex_);
  Points points;
  points.first = first_kept();
  for (std::uint64_t point = points.first; point < count_; ++point) {
    const auto age =
        std::chrono::duration_cast<WallTime::duration>(newest_.first - at_[slot(point)]);
    points.times.push_back(newest_.second - age);
    points.host.push_back(host_[slot(point)]);
  }
  return points;
}

std::optional<RunHistory::DomainCurves> RunHistory::of(const Uuid& domain,
                                                       const Points& points) const {
  const std::size_t size = points.times.size();
  DomainCurves curves;
  for (auto* curve : {&curves.actual, &curves.used, &curves.rss, &curves.maximum}) {
    curve->assign(size, kUnknown);
  }
  const std::lock_guard lock(mutex_);
  const auto found = domains_.find(domain);
  if (found == domains_.end()) return std::nullopt;
  const DomainPast& past = found->second;
  curves.moves = past.moves;
  const std::uint64_t oldest = std::max(past.first, first_kept());
  for (std::size_t i = 0; i < size; ++i) {
    const std::uint64_t point = points.first + i;
    if (point < oldest) continue;
    curves.actual[i] = past.actual[slot(point)];
    curves.used[i] = past.used[slot(point)];
    curves.rss[i] = past.rss[slot(point)];
    for (const auto& [since, most] : past.maximum) {
      if (since <= point || std::isnan(curves.maximum[i])) curves.maximum[i] = most;
    }
  }
  return curves;
}

std::size_t RunHistory::memory() const {
  const std::lock_guard lock(mutex_);
  using Entry = decltype(domains_)::value_type;
  // A node of the map has a link and the hash besides.
  constexpr std::size_t kNode = sizeof(Entry) + 2 * sizeof(void*);
  std::size_t bytes = sizeof(*this) + domains_.bucket_count() * sizeof(void*);
  for (const auto& [uuid, past] : domains_) {
    bytes += kNode + past.moves.capacity() * sizeof(Move) +
             past.maximum.capacity() * sizeof(past.maximum.front());
  }
  return bytes;
}

}  // namespace memcoord::control
