#include "engine/core/history.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

namespace memcoord {
namespace {

double number(const std::optional<MemorySize>& size) {
  return size ? static_cast<double>(size->kib()) : std::numeric_limits<double>::quiet_NaN();
}

/// A figure of a sample. Early ticks stand closer together than a second: such a sample weighs as
/// much of one as the time since the sample before it is of a second.
struct Weighted {
  MonotonicTime at;
  double value;
  double weight;
};

template <class Visit>
void each_in(const SampleRing& ring, Field field, MonotonicTime oldest, Visit visit) {
  for (std::size_t i = ring.size(); i-- > 0;) {
    const Sample& sample = ring[i];
    if (sample.at < oldest) return;
    if (std::isnan(sample[field])) continue;
    const double weight = i == 0 ? 1.0 : std::min(1.0, seconds_of(sample.at - ring[i - 1].at));
    visit(Weighted{sample.at, sample[field], weight});
  }
}

}  // namespace

void SampleRing::push(const Sample& sample, std::size_t capacity) {
  constexpr std::size_t kFewest = 4;
  capacity = std::max<std::size_t>(capacity, 2);
  if (slots_.size() > capacity) {
    while (size_ > capacity) drop_oldest();
    resize(capacity);
  } else if (size_ == slots_.size() && size_ < capacity) {
    // By half as much again, so that a young domain holds little.
    resize(std::min(capacity, std::max(kFewest, size_ + size_ / 2)));
  }
  if (size_ == slots_.size()) drop_oldest();
  slots_[slot(size_)] = sample;
  ++size_;
}

void SampleRing::resize(std::size_t slots) {
  std::vector<Sample> fresh(slots);
  for (std::size_t i = 0; i < size_; ++i) fresh[i] = (*this)[i];
  slots_ = std::move(fresh);
  first_ = 0;
}

void DomainSamples::observe(const Domain& domain, const CounterRates& rates, MonotonicTime at,
                            const Retention& retention) {
  const GuestStatistics& guest = domain.guest;
  const Sample sample{at,
                      {static_cast<double>(domain.actual.kib()), number(guest.available),
                       number(guest.unused), number(guest.usable), number(guest.disk_caches),
                       number(domain.rss), rates[0], rates[1], rates[2], rates[3]}};
  const MonotonicTime oldest = at - retention.window;
  recent_.push(sample, retention.recent);
  recent_.drop_older_than(oldest);
  if (older_.empty() || at - older_.back().at >= retention.distance) {
    older_.push(sample, retention.older);
  }
  older_.drop_older_than(oldest);
}

bool DomainSamples::reaches_past_recent(Duration window) const {
  return !older_.empty() && latest().at - window < recent_[0].at && older_[0].at < recent_[0].at;
}

/// Visits samples that stand equally far apart, or weigh by their distance, so that no time counts
/// more than another.
template <class Visit>
void DomainSamples::each_evenly(Field field, Duration window, Visit visit) const {
  if (recent_.empty()) return;
  const MonotonicTime oldest = latest().at - window;
  if (!reaches_past_recent(window)) return each_in(recent_, field, oldest, visit);
  if (older_.back().at != latest().at && !std::isnan(latest()[field])) {
    visit(Weighted{latest().at, latest()[field], 1.0});
  }
  each_in(older_, field, oldest, visit);
}

/// Visits every sample of the window.
template <class Visit>
void DomainSamples::each_at_all(Field field, Duration window, Visit visit) const {
  if (recent_.empty()) return;
  const MonotonicTime oldest = latest().at - window;
  each_in(recent_, field, oldest, visit);
  if (reaches_past_recent(window)) each_in(older_, field, oldest, visit);
}

std::optional<double> DomainSamples::average(Field field, Duration window) const {
  double sum = 0;
  double weights = 0;
  each_evenly(field, window, [&](const Weighted& one) {
    sum += one.value * one.weight;
    weights += one.weight;
  });
  if (weights <= 0) return std::nullopt;
  return sum / weights;
}

std::optional<double> DomainSamples::maximum(Field field, Duration window) const {
  std::optional<double> most;
  each_at_all(field, window,
              [&](const Weighted& one) { most = most ? std::max(*most, one.value) : one.value; });
  return most;
}

std::optional<double> DomainSamples::minimum(Field field, Duration window) const {
  std::optional<double> least;
  each_at_all(field, window, [&](const Weighted& one) {
    least = least ? std::min(*least, one.value) : one.value;
  });
  return least;
}

std::optional<double> DomainSamples::quantile(Field field, double q, Duration window) const {
  std::vector<Weighted> samples;
  each_evenly(field, window, [&](const Weighted& one) { samples.push_back(one); });
  if (samples.empty() || std::isnan(q)) return std::nullopt;
  std::sort(samples.begin(), samples.end(),
            [](const Weighted& a, const Weighted& b) { return a.value < b.value; });
  // Ranks are as far apart as two samples weigh in the mean: one where all weigh the same.
  const auto apart = [&](std::size_t i) { return (samples[i].weight + samples[i + 1].weight) / 2; };
  double ranks = 0;
  for (std::size_t i = 0; i + 1 < samples.size(); ++i) ranks += apart(i);
  double left = std::clamp(q, 0.0, 1.0) * ranks;
  std::size_t below = 0;
  while (below + 1 < samples.size() && left >= apart(below)) left -= apart(below++);
  if (below + 1 == samples.size()) return samples[below].value;
  const double part = left / apart(below);
  return samples[below].value + (samples[below + 1].value - samples[below].value) * part;
}

std::optional<double> DomainSamples::slope(Field field, Duration window) const {
  std::size_t samples = 0;
  double n = 0;
  double sum_t = 0;
  double sum_v = 0;
  double sum_tt = 0;
  double sum_tv = 0;
  if (recent_.empty()) return std::nullopt;
  const MonotonicTime newest = latest().at;
  each_evenly(field, window, [&](const Weighted& one) {
    const double t = seconds_of(one.at - newest);
    ++samples;
    n += one.weight;
    sum_t += t * one.weight;
    sum_v += one.value * one.weight;
    sum_tt += t * t * one.weight;
    sum_tv += t * one.value * one.weight;
  });
  const double spread = n * sum_tt - sum_t * sum_t;
  if (samples < 2 || spread <= 0) return std::nullopt;
  return (n * sum_tv - sum_t * sum_v) / spread;
}

DomainSamples::Retention History::retention(std::size_t domains) const {
  // Many domains share one budget of samples, so that the whole stays bounded.
  constexpr std::size_t kFewest = 30;
  const std::size_t share = bounds_.all_samples / std::max<std::size_t>(domains, 1);
  const std::size_t samples = std::min(bounds_.samples, std::max(share, kFewest));
  const std::size_t recent = std::max<std::size_t>(samples / 3, 2);
  const std::size_t older = std::max<std::size_t>(samples - std::min(samples, recent), 2);
  return {recent, older, bounds_.window, bounds_.window / static_cast<Duration::rep>(older)};
}

void History::observe(const Snapshot& snapshot) {
  line_up_with(snapshot);
  const DomainSamples::Retention kept = retention(snapshot.domains.size());
  const BalloonTracker::Observation observation{snapshot.taken_at, snapshot.wall_time,
                                                host_.empty()};
  for (std::size_t i = 0; i < snapshot.domains.size(); ++i) {
    const Domain& domain = snapshot.domains[i];
    DomainHistory& past = pasts_[i];
    past.balloon.observe(domain, observation);
    if (past.balloon.is_new()) past.samples = DomainSamples();
    past.samples.observe(domain, past.balloon.reports().rates(), snapshot.taken_at, kept);
  }
  follow_host(snapshot);
}

void History::follow_host(const Snapshot& snapshot) {
  HostObservation now{obtainable(snapshot.host), MemorySize(), snapshot.host.swap_free,
                      MemorySize(), snapshot.taken_at};
  for (const DomainHistory& past : pasts_) {
    now.resident += past.balloon.last_rss().value_or(MemorySize());
  }
  host_pace_ = {};
  if (const HostObservation* before = host_before(now.at)) {
    now.others = taken_by_others(*before, now);
    host_pace_ = {now.resident - before->resident, now.others, before->others, now.at - before->at};
    // An observation in between shows as well whether the others went on.
    const HostObservation& last = host_.back();
    if (before->at < last.at && last.at < now.at) {
      const double first_part = seconds_of(last.at - before->at) / seconds_of(now.at - before->at);
      const MemorySize steady = std::min(taken_by_others(*before, last).scaled(1 / first_part),
                                         taken_by_others(last, now).scaled(1 / (1 - first_part)));
      host_pace_.others_before = std::max(before->others, steady);
    }
  }
  host_.push_back(now);
}

/// What others than the domains have taken from the host between two observations.
MemorySize History::taken_by_others(const HostObservation& before, const HostObservation& now) {
  // What the domains gave back has gone to others as far as the host does not have it.
  const MemorySize taken = before.obtainable + before.resident - (now.obtainable + now.resident);
  if (!now.swap_free || !before.swap_free) return taken;
  // Where the host has nothing left, the swap that goes shows what is taken.
  return std::max(taken, *before.swap_free - *now.swap_free);
}

/// The newest observation that is a second old, else the oldest. Drops those before it.
const History::HostObservation* History::host_before(MonotonicTime now) {
  if (host_.empty()) return nullptr;
  const auto after = std::find_if(host_.begin() + 1, host_.end(), [&](const HostObservation& one) {
    return now - one.at < kAboutASecond;
  });
  host_.erase(host_.begin(), after - 1);
  return &host_.front();
}

/// Brings the pasts into the snapshot's order: new domains get one, gone ones lose theirs.
void History::line_up_with(const Snapshot& snapshot) {
  const auto same = [](const DomainHistory& past, const Domain& domain) {
    return past.uuid == domain.uuid();
  };
  if (std::equal(pasts_.begin(), pasts_.end(), snapshot.domains.begin(), snapshot.domains.end(),
                 same)) {
    return;
  }
  std::vector<DomainHistory> lined_up(snapshot.domains.size());
  std::unordered_map<Uuid, std::size_t> positions;
  positions.reserve(snapshot.domains.size());
  for (std::size_t i = 0; i < snapshot.domains.size(); ++i) {
    const Uuid& uuid = snapshot.domains[i].uuid();
    const auto found = positions_.find(uuid);
    const bool first = positions.try_emplace(uuid, i).second;
    if (first && found != positions_.end()) lined_up[i] = std::move(pasts_[found->second]);
    lined_up[i].uuid = uuid;
  }
  pasts_ = std::move(lined_up);
  positions_ = std::move(positions);
}

void History::record(std::span<const Outcome> outcomes, MonotonicTime at, WallTime wall_time) {
  for (const Outcome& outcome : outcomes) {
    const auto found = positions_.find(outcome.domain);
    if (found != positions_.end()) pasts_[found->second].balloon.record(outcome, at, wall_time);
  }
}

void History::settle(std::span<const Outcome> late, MonotonicTime at, WallTime wall_time) {
  for (const Outcome& outcome : late) {
    const auto found = positions_.find(outcome.domain);
    if (found != positions_.end()) pasts_[found->second].balloon.settle(outcome, at, wall_time);
  }
}

bool History::any_moved() const {
  return std::any_of(pasts_.begin(), pasts_.end(), [](const DomainHistory& past) {
    return past.balloon.before_first_move().has_value();
  });
}

const DomainHistory* History::find(const Uuid& uuid) const {
  const auto found = positions_.find(uuid);
  return found == positions_.end() ? nullptr : &pasts_[found->second];
}

const DomainHistory& History::search(const Uuid& uuid) const {
  static const DomainHistory kEmpty;
  const DomainHistory* found = find(uuid);
  return found != nullptr ? *found : kEmpty;
}

}  // namespace memcoord
