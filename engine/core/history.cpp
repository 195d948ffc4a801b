#include "engine/core/history.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

namespace memcoord {
namespace {

constexpr double kNone = std::numeric_limits<double>::quiet_NaN();

double number(const std::optional<MemorySize>& size) {
  return size ? static_cast<double>(size->kib()) : kNone;
}

double count(const std::optional<MemorySize>& size) {
  return number(size);
}
double count(const std::optional<std::uint64_t>& n) {
  return n ? static_cast<double>(*n) : kNone;
}

/// Growth a second of a counter; none where either end is missing or the counter went back.
template <class Counter>
double rate(const Counter& before, const Counter& now, double seconds) {
  if (!before || !now || seconds <= 0 || *now < *before) return kNone;
  return (count(now) - count(before)) / seconds;
}

bool went_back(const GuestStatistics& before, const GuestStatistics& now) {
  const auto less = [](const auto& a, const auto& b) { return a && b && *b < *a; };
  return less(before.minor_faults, now.minor_faults) || less(before.swap_in, now.swap_in) ||
         less(before.swap_out, now.swap_out) || less(before.major_faults, now.major_faults);
}

double seconds_between(MonotonicTime from, MonotonicTime to) {
  return std::chrono::duration<double>(to - from).count();
}

}  // namespace

void SampleRing::push(const Sample& sample, std::size_t capacity) {
  capacity = std::max<std::size_t>(capacity, 2);
  if (size_ < capacity && size_ == slots_.size()) {
    // Grow by unrolling, so that a young domain holds little.
    std::rotate(slots_.begin(), slots_.begin() + static_cast<std::ptrdiff_t>(first_), slots_.end());
    first_ = 0;
    slots_.resize(std::min(capacity, std::max<std::size_t>(4, slots_.size() * 2)));
  }
  if (size_ == slots_.size()) drop_oldest();
  slots_[(first_ + size_) % slots_.size()] = sample;
  ++size_;
}

void SampleRing::drop_older_than(MonotonicTime oldest) {
  while (size_ > 1 && slots_[first_].at < oldest) drop_oldest();
}

void SampleRing::drop_oldest() {
  first_ = (first_ + 1) % slots_.size();
  --size_;
}

template <class Visit>
void DomainHistory::each_within(Field field, Duration window, Visit visit) const {
  if (samples_.empty()) return;
  const MonotonicTime newest = samples_.back().at;
  for (std::size_t i = samples_.size(); i-- > 0;) {
    const Sample& sample = samples_[i];
    if (newest - sample.at > window) return;
    if (!std::isnan(sample[field])) visit(sample.at, sample[field]);
  }
}

std::optional<double> DomainHistory::average(Field field, Duration window) const {
  double sum = 0;
  std::size_t n = 0;
  each_within(field, window, [&](MonotonicTime, double value) {
    sum += value;
    ++n;
  });
  if (n == 0) return std::nullopt;
  return sum / static_cast<double>(n);
}

std::optional<double> DomainHistory::maximum(Field field, Duration window) const {
  std::optional<double> most;
  each_within(field, window,
              [&](MonotonicTime, double value) { most = most ? std::max(*most, value) : value; });
  return most;
}

std::optional<double> DomainHistory::minimum(Field field, Duration window) const {
  std::optional<double> least;
  each_within(field, window, [&](MonotonicTime, double value) {
    least = least ? std::min(*least, value) : value;
  });
  return least;
}

std::optional<double> DomainHistory::quantile(Field field, double q, Duration window) const {
  std::vector<double> values;
  each_within(field, window, [&](MonotonicTime, double value) { values.push_back(value); });
  if (values.empty() || std::isnan(q)) return std::nullopt;
  std::sort(values.begin(), values.end());
  const double rank = std::clamp(q, 0.0, 1.0) * static_cast<double>(values.size() - 1);
  const auto below = static_cast<std::size_t>(rank);
  const std::size_t above = std::min(below + 1, values.size() - 1);
  const double part = rank - static_cast<double>(below);
  return values[below] + (values[above] - values[below]) * part;
}

std::optional<double> DomainHistory::slope(Field field, Duration window) const {
  double n = 0;
  double sum_t = 0;
  double sum_v = 0;
  double sum_tt = 0;
  double sum_tv = 0;
  if (samples_.empty()) return std::nullopt;
  const MonotonicTime newest = samples_.back().at;
  each_within(field, window, [&](MonotonicTime at, double value) {
    const double t = seconds_between(newest, at);
    n += 1;
    sum_t += t;
    sum_v += value;
    sum_tt += t * t;
    sum_tv += t * value;
  });
  const double spread = n * sum_tt - sum_t * sum_t;
  if (n < 2 || spread <= 0) return std::nullopt;
  return (n * sum_tv - sum_t * sum_v) / spread;
}

bool DomainHistory::ignores_shrinks() const {
  return last_move_ && last_move_->target < last_move_->from && !last_move_->progressed &&
         last_move_->samples_since >= 2 && reported_since_move_;
}

MemorySize DomainHistory::claim(const Domain& now) const {
  if (!last_move_ || last_move_->reached || last_move_->target < last_move_->from) {
    return now.actual;
  }
  return std::max(now.actual, last_move_->target);
}

void DomainHistory::follow_move(const Domain& domain) {
  if (!last_move_) return;
  BalloonMove& move = *last_move_;
  ++move.samples_since;
  const bool shrink = move.target < move.from;
  if (shrink ? domain.actual < move.from : domain.actual > move.from) move.progressed = true;
  if (shrink ? domain.actual <= move.target : domain.actual >= move.target) {
    if (!move.reached) move.reached = move.progressed = true;
  }
}

void DomainHistory::follow_report(const Domain& domain, MonotonicTime now) {
  const auto& report = domain.guest.last_update;
  if (!report) return;
  if (last_report_ != report) {
    // The first report seen may be of any age.
    if (last_report_) {
      ++reports_since_move_;
      report_changed_at_ = now;
      report_not_before_ = samples_.back().at;
    }
    last_report_ = report;
  }
  if (reported_since_move_ || !awaiting_since_) return;
  // libvirt stamps whole seconds, cut off: a report is surely later only when its second is.
  const WallTime moved = *awaiting_since_;
  const bool whole = report->time_since_epoch() % std::chrono::seconds(1) == Duration::zero();
  const WallTime next_second =
      std::chrono::ceil<std::chrono::seconds>(moved + std::chrono::milliseconds(1));
  const bool later = whole ? *report >= next_second : *report > moved;
  // Two new reports are proof enough where the host's clock is not ours.
  reported_since_move_ = later || reports_since_move_ >= 2;
}

void DomainHistory::await_report(WallTime since) {
  awaiting_since_ = since;
  reported_since_move_ = false;
  reports_since_move_ = 0;
}

/// Someone else - an administrator, the guest itself - has moved the balloon.
void DomainHistory::notice_foreign_move(const Domain& domain, WallTime wall_time) {
  if (samples_.empty() || domain.actual == last_actual_) return;
  const bool ours = last_move_ && !last_move_->reached &&
                    (last_move_->target < last_move_->from ? domain.actual < last_actual_
                                                           : domain.actual > last_actual_);
  if (!ours) await_report(wall_time);
}

void DomainHistory::notice_self_deflation(const Domain& domain, MonotonicTime now) {
  const bool past_target = !last_move_ || domain.actual > last_move_->target;
  if (!samples_.empty() && domain.deflates_by_itself && domain.actual > last_actual_ &&
      past_target) {
    deflated_by_itself_at_ = now;
  }
}

void DomainHistory::notice_reboot(const Domain& domain, MonotonicTime now) {
  const bool counters = !samples_.empty() && went_back(last_guest_, domain.guest);
  const bool seen = domain.started_at && domain.started_at != last_started_at_;
  if (counters) rebooted_at_ = now;
  if (seen) rebooted_at_ = *domain.started_at;
  last_started_at_ = domain.started_at ? domain.started_at : last_started_at_;
}

Sample DomainHistory::sample_of(const Domain& domain, MonotonicTime now) const {
  const GuestStatistics& guest = domain.guest;
  Sample sample;
  sample.at = now;
  const auto set = [&](Field field, double value) {
    sample.values[static_cast<std::size_t>(field)] = value;
  };
  set(Field::actual, static_cast<double>(domain.actual.kib()));
  set(Field::available, number(guest.available));
  set(Field::unused, number(guest.unused));
  set(Field::usable, number(guest.usable));
  set(Field::disk_caches, number(guest.disk_caches));
  set(Field::rss, number(domain.rss));
  const double seconds = samples_.empty() ? 0 : seconds_between(last_guest_at_, now);
  // Counters move with the guest's reports; between two of them the last rate still stands.
  const bool new_report = is_new_report(guest);
  const auto set_rate = [&](Field field, const auto& before, const auto& after) {
    set(field, new_report ? rate(before, after, seconds) : samples_.back()[field]);
  };
  set_rate(Field::swap_in, last_guest_.swap_in, guest.swap_in);
  set_rate(Field::swap_out, last_guest_.swap_out, guest.swap_out);
  set_rate(Field::major_faults, last_guest_.major_faults, guest.major_faults);
  set_rate(Field::minor_faults, last_guest_.minor_faults, guest.minor_faults);
  return sample;
}

bool DomainHistory::is_new_report(const GuestStatistics& guest) const {
  return samples_.empty() || !guest.last_update || guest.last_update != last_guest_.last_update;
}

void DomainHistory::take(const Domain& domain, const Look& look) {
  const MonotonicTime now = look.at;
  notice_reboot(domain, now);
  notice_foreign_move(domain, look.wall_time);
  notice_self_deflation(domain, now);
  follow_move(domain);
  follow_report(domain, now);
  if (domain.rss) last_rss_ = domain.rss;
  const Sample sample = sample_of(domain, now);
  if (is_new_report(domain.guest)) {
    last_guest_ = domain.guest;
    last_guest_at_ = now;
  }
  last_actual_ = domain.actual;
  samples_.push(sample, look.capacity);
  samples_.drop_older_than(now - look.window);
}

void History::observe(const Snapshot& snapshot) {
  ++generation_;
  // Many domains share one budget of samples, so that the whole stays bounded.
  const std::size_t share = bounds_.all_samples / std::max<std::size_t>(snapshot.domains.size(), 1);
  const std::size_t capacity = std::min(bounds_.samples, std::max<std::size_t>(share, 30));
  for (const Domain& domain : snapshot.domains) {
    DomainHistory& history = domains_[domain.uuid()];
    history.generation_ = generation_;
    history.take(domain, {snapshot.taken_at, snapshot.wall_time, capacity, bounds_.window});
  }
  if (domains_.size() > snapshot.domains.size()) {
    std::erase_if(domains_,
                  [&](const auto& entry) { return entry.second.generation_ != generation_; });
  }
}

void History::record(std::span<const Outcome> outcomes, MonotonicTime at, WallTime wall_time) {
  for (const Outcome& outcome : outcomes) {
    if (outcome.kind != Outcome::Kind::applied) continue;
    const auto found = domains_.find(outcome.domain);
    if (found == domains_.end()) continue;
    DomainHistory& history = found->second;
    history.last_move_ = BalloonMove{outcome.from, outcome.to, at, wall_time};
    history.await_report(wall_time);
  }
}

const DomainHistory* History::find(const Uuid& uuid) const {
  const auto found = domains_.find(uuid);
  return found == domains_.end() ? nullptr : &found->second;
}

}  // namespace memcoord
