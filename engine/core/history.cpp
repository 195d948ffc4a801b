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
  return count(Counter(*now - *before)) / seconds;
}

/// Whether the counters look as if counted from 0 again: none has risen, and one has lost at least
/// half. That alone proves no reboot: some drivers report rates, and 32-bit counters wrap.
bool near_zero_again(const GuestStatistics& before, const GuestStatistics& now) {
  bool fell = false;
  const auto rose = [&](const auto& a, const auto& b) {
    if (!a || !b) return false;
    fell = fell || (*b < *a && count(b) <= count(a) / 2);
    return *a < *b;
  };
  return !rose(before.minor_faults, now.minor_faults) &&
         !rose(before.major_faults, now.major_faults) && !rose(before.swap_in, now.swap_in) &&
         !rose(before.swap_out, now.swap_out) && fell;
}

double seconds_between(MonotonicTime from, MonotonicTime to) {
  return std::chrono::duration<double>(to - from).count();
}

/// A guest that has missed so many reports in a row may have been rebooting.
constexpr int kPeriodsOfAGap = 2;
/// After so many looks without a move, a guest that was told to shrink does not follow.
constexpr int kLooksToFollow = 2;

struct Moments {
  WallTime than;
  WallTime seen_at;
};

/// Whether a report's stamp shows that it was made after a moment, on clocks that agree.
bool stamped_later(WallTime stamp, const Moments& moments) {
  using std::chrono::seconds;
  // A stamp from the future: the host's clock is ahead of ours, and nothing follows from it.
  if (stamp > moments.seen_at + seconds(1)) return false;
  // libvirt cuts stamps to whole seconds: a report is surely later only when its second is.
  const bool whole = stamp.time_since_epoch() % seconds(1) == Duration::zero();
  return whole ? stamp > std::chrono::floor<seconds>(moments.than) : stamp > moments.than;
}

template <class Visit>
void each_in(const SampleRing& ring, Field field, MonotonicTime oldest, Visit visit) {
  for (std::size_t i = ring.size(); i-- > 0;) {
    const Sample& sample = ring[i];
    if (sample.at < oldest) return;
    if (!std::isnan(sample[field])) visit(sample.at, sample[field]);
  }
}

}  // namespace

bool DomainHistory::reaches_past_recent(Duration window) const {
  return !older_.empty() && latest().at - window < recent_[0].at && older_[0].at < recent_[0].at;
}

/// Visits samples that stand equally far apart, so that none weighs more than another.
template <class Visit>
void DomainHistory::each_evenly(Field field, Duration window, Visit visit) const {
  if (recent_.empty()) return;
  const MonotonicTime oldest = latest().at - window;
  if (!reaches_past_recent(window)) return each_in(recent_, field, oldest, visit);
  if (older_.back().at != latest().at && !std::isnan(latest()[field])) {
    visit(latest().at, latest()[field]);
  }
  each_in(older_, field, oldest, visit);
}

/// Visits whatever there is.
template <class Visit>
void DomainHistory::each_at_all(Field field, Duration window, Visit visit) const {
  if (recent_.empty()) return;
  const MonotonicTime oldest = latest().at - window;
  each_in(recent_, field, oldest, visit);
  if (reaches_past_recent(window)) each_in(older_, field, oldest, visit);
}

std::optional<double> DomainHistory::average(Field field, Duration window) const {
  double sum = 0;
  std::size_t n = 0;
  each_evenly(field, window, [&](MonotonicTime, double value) {
    sum += value;
    ++n;
  });
  if (n == 0) return std::nullopt;
  return sum / static_cast<double>(n);
}

std::optional<double> DomainHistory::maximum(Field field, Duration window) const {
  std::optional<double> most;
  each_at_all(field, window,
              [&](MonotonicTime, double value) { most = most ? std::max(*most, value) : value; });
  return most;
}

std::optional<double> DomainHistory::minimum(Field field, Duration window) const {
  std::optional<double> least;
  each_at_all(field, window, [&](MonotonicTime, double value) {
    least = least ? std::min(*least, value) : value;
  });
  return least;
}

std::optional<double> DomainHistory::quantile(Field field, double q, Duration window) const {
  std::vector<double> values;
  each_evenly(field, window, [&](MonotonicTime, double value) { values.push_back(value); });
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
  if (recent_.empty()) return std::nullopt;
  const MonotonicTime newest = latest().at;
  each_evenly(field, window, [&](MonotonicTime at, double value) {
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

// Linux takes the balloon out of its total (MemTotal), one for one, so that total plus what the
// kernel keeps for itself is the balloon's size at the time of the report. Some drivers leave the
// total as it is, Linux too where the balloon deflates by itself: of these nothing is concluded
// once a report is surely newer than the balloon's last change.

bool DomainHistory::report_is_of_another_balloon(const Domain& now) const {
  if (!now.guest.available || report_is_newer_than_actual()) return false;
  if (!kernel_share_) return *now.guest.available > now.actual;
  return *now.guest.available + *kernel_share_ + kTotalTolerance < now.actual;
}

void DomainHistory::learn_kernel_share(const Domain& domain) {
  if (!domain.guest.available || !report_is_newer_than_actual()) return;
  if (*domain.guest.available <= domain.actual) {
    kernel_share_ = domain.actual - *domain.guest.available;
  } else {
    kernel_share_.reset();
  }
}

void DomainHistory::follow_move(const Domain& domain) {
  if (!last_move_) return;
  BalloonMove& move = *last_move_;
  const bool shrink = move.target < move.from;
  if (shrink ? domain.actual < move.from : domain.actual > move.from) move.progressed = true;
  // It comes to lie up to a page beside its target; how large its pages are shows where it rests.
  const MemorySize page = domain.actual == last_actual_ ? kLargestGuestPage : kBalloonPage;
  if (shrink ? domain.actual < move.target + page : domain.actual + page > move.target) {
    move.reached = move.progressed = true;
  }
}

/// A balloon that is seen at the target in doubt got there by it, unless it passes there on the way
/// to another one.
void DomainHistory::settle_by_size(const Domain& domain) {
  if (!in_doubt_ || !in_doubt_->only_one || (last_move_ && !last_move_->reached)) return;
  const MoveInDoubt& doubt = *in_doubt_;
  const auto at_target = [&](MemorySize size) {
    return size < doubt.target + kBalloonPage && size + kBalloonPage > doubt.target;
  };
  if (!at_target(domain.actual) || at_target(doubt.from)) return;
  last_move_ = BalloonMove{doubt.from, doubt.target, doubt.at, doubt.wall_time, true, true};
  in_doubt_.reset();
}

void DomainHistory::record(const Outcome& outcome, MonotonicTime at, WallTime wall_time) {
  switch (outcome.kind) {
    case Outcome::Kind::applied:
      if (!before_first_move_) before_first_move_ = outcome.from;
      begin_move(outcome, at, wall_time);
      in_doubt_.reset();
      break;
    case Outcome::Kind::unknown:
      if (!before_first_move_) before_first_move_ = outcome.from;
      in_doubt_ = MoveInDoubt{outcome.from,
                              outcome.to,
                              std::max(outcome.to, in_doubt_ ? in_doubt_->most : MemorySize()),
                              !in_doubt_,
                              at,
                              wall_time};
      break;
    case Outcome::Kind::vanished:
      in_doubt_.reset();
      before_first_move_.reset();
      return;
    default:
      return;
  }
  // The look that led to the move, if at the same moment, came before it.
  await_report(at + Duration(1), wall_time);
}

void DomainHistory::settle(const Outcome& outcome, MonotonicTime at, WallTime wall_time) {
  if (!in_doubt_) return;  // settled by what was seen
  const bool applied = outcome.kind == Outcome::Kind::applied;
  const bool vanished = outcome.kind == Outcome::Kind::vanished;
  if (applied || vanished) return record(outcome, at, wall_time);
  if (!in_doubt_->only_one) return;
  in_doubt_.reset();
  // It was never moved.
  if (!last_move_) before_first_move_.reset();
}

void DomainHistory::follow_report(const Domain& domain, const Look& look) {
  const auto& report = domain.guest.last_update;
  if (!report) return;
  if (last_report_.last_update != report) {
    // The first report that is seen may be of any age.
    if (last_report_.last_update) {
      report_not_before_ = latest().at;
      report_changed_since_move_ = true;
    }
    report_first_seen_at_ = look.at;
  }
  if (reported_since_move_) return;
  // A look that came after the move did not show this report yet: proof, whatever the clocks say.
  const bool surely_later = report_not_before_ && *report_not_before_ >= awaiting_since_;
  reported_since_move_ =
      surely_later ||
      (report_changed_since_move_ &&
       stamped_later(*report, {.than = awaiting_since_wall_time_, .seen_at = look.wall_time}));
}

void DomainHistory::await_report(MonotonicTime since, WallTime wall_time) {
  awaiting_since_ = since;
  awaiting_since_wall_time_ = wall_time;
  reported_since_move_ = false;
  report_changed_since_move_ = false;
}

/// Someone else - an administrator, the guest itself - has moved the balloon.
void DomainHistory::notice_foreign_move(const Domain& domain, const Look& look) {
  if (!recent_.empty() && domain.actual == last_actual_) return;
  actual_changed_at_ = look.at;
  if (recent_.empty()) return;
  const bool ours = last_move_ && !last_move_->reached &&
                    (last_move_->target < last_move_->from ? domain.actual < last_actual_
                                                           : domain.actual > last_actual_);
  if (!ours) await_report(look.at, look.wall_time);
}

void DomainHistory::notice_self_deflation(const Domain& domain, MonotonicTime now) {
  const bool past_target = !last_move_ || domain.actual > last_move_->target;
  if (!recent_.empty() && domain.deflates_by_itself && domain.actual > last_actual_ &&
      past_target) {
    deflated_by_itself_at_ = now;
  }
}

/// Whether the guest missed reports before the one that this look shows.
bool DomainHistory::reports_had_a_gap(const Domain& domain) const {
  if (!report_first_seen_at_ || domain.guest.last_update == last_report_.last_update) return false;
  const Duration period = std::max<Duration>(domain.guest.period, std::chrono::seconds(1));
  return latest().at - *report_first_seen_at_ > period * kPeriodsOfAGap;
}

/// Whether the guest has found an empty balloon, unasked: a kernel that has just booted.
bool DomainHistory::balloon_began_anew(const Domain& domain) const {
  if (recent_.empty() || domain.deflates_by_itself) return false;
  const bool grows = last_move_ && last_move_->target > last_move_->from && !last_move_->reached;
  if (grows) return false;
  const bool emptied =
      domain.actual > last_actual_ && domain.actual + kTotalTolerance >= domain.maximum;
  const auto& total = domain.guest.available;
  // The hypervisor may go on telling the balloon's size from before.
  const bool has_all_back = domain.actual == last_actual_ && kernel_share_ && total &&
                            last_report_.available &&
                            *total > *last_report_.available + kTotalTolerance &&
                            *total + *kernel_share_ > domain.actual + kTotalTolerance;
  return emptied || has_all_back;
}

/// Whether the last report is of before a restore: its counters do not go on in the next one.
bool DomainHistory::last_report_precedes_restore(const Domain& domain) const {
  return domain.restored_at && report_first_seen_at_ &&
         *report_first_seen_at_ <= *domain.restored_at;
}

/// Whether the guest has begun anew since the last look: an event says so, or several signs do.
bool DomainHistory::notice_reboot(const Domain& domain, MonotonicTime now) {
  const bool restored = domain.restored_at && domain.restored_at != last_restored_at_;
  last_restored_at_ = domain.restored_at;
  // A domain is listed before the event that says how it came back: until then it looks started.
  if (restored) rebooted_at_.reset();
  const bool event = domain.started_at && domain.started_at != last_started_at_;
  const bool signs = near_zero_again(last_report_, domain.guest) &&
                     !last_report_precedes_restore(domain) &&
                     (reports_had_a_gap(domain) || balloon_began_anew(domain));
  if (signs) rebooted_at_ = now;
  if (event) rebooted_at_ = last_started_at_ = domain.started_at;
  const bool reports =
      domain.guest.last_update && domain.guest.last_update != last_report_.last_update;
  // A report that comes with the news of a reboot may be of before it; a new process has none such.
  if (event) {
    boots_ = !is_new_ || !reports;
  } else if (reports || restored) {
    boots_ = false;
  }
  return signs || event;
}

Sample DomainHistory::sample_of(const Domain& domain, MonotonicTime now, bool rebooted) const {
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
  // Counters move with the guest's reports; between two of them the last rate still stands.
  const bool same_report = guest.last_update && guest.last_update == last_report_.last_update;
  const bool countable =
      !rebooted && report_first_seen_at_ && !last_report_precedes_restore(domain);
  const double seconds = countable ? seconds_between(*report_first_seen_at_, now) : 0;
  const auto set_rate = [&](Field field, auto counter, const auto& high) {
    const auto& counted = guest.*counter;
    // A counter that is back where it fell from was misread in between: it has risen from there.
    const auto& before = high && counted && *counted >= *high ? high : last_report_.*counter;
    set(field, same_report && !rebooted ? latest()[field] : rate(before, counted, seconds));
  };
  set_rate(Field::swap_in, &GuestStatistics::swap_in, before_fall_.swap_in);
  set_rate(Field::swap_out, &GuestStatistics::swap_out, before_fall_.swap_out);
  set_rate(Field::major_faults, &GuestStatistics::major_faults, before_fall_.major_faults);
  set_rate(Field::minor_faults, &GuestStatistics::minor_faults, before_fall_.minor_faults);
  return sample;
}

void DomainHistory::keep(const Sample& sample, const Look& look) {
  recent_.push(sample, look.recent);
  recent_.drop_older_than(look.at - look.window);
  if (older_.empty() || sample.at - older_.back().at >= look.distance) {
    older_.push(sample, look.older);
  }
  older_.drop_older_than(look.at - look.window);
}

void DomainHistory::begin_move(const Outcome& outcome, MonotonicTime at, WallTime wall_time) {
  const bool shrink = outcome.to + kLargestGuestPage <= outcome.from;
  // A guest that has not moved gets no other chance by being asked again, only by moving.
  if (shrink && !told_to_shrink_) looks_unmoved_ = 0;
  told_to_shrink_ = shrink || (told_to_shrink_ && ignores_shrinks_);
  last_move_ = BalloonMove{outcome.from, outcome.to, at, wall_time};
}

void DomainHistory::notice_who_ignores(const Domain& domain) {
  if (!told_to_shrink_) return;
  if (domain.actual != last_actual_) {
    told_to_shrink_ = ignores_shrinks_ = false;
    return;
  }
  ++looks_unmoved_;
  if (looks_unmoved_ >= kLooksToFollow && reported_since_move_) ignores_shrinks_ = true;
}

/// Another start of a domain is another guest: nothing that was learnt of the last one holds. A
/// target in doubt stays, because it may have been sent after the start; the hypervisor tells when
/// it is over.
void DomainHistory::begin(const Domain& domain, const Look& look) {
  const std::optional<MoveInDoubt> in_doubt = in_doubt_;
  *this = DomainHistory();
  uuid_ = domain.uuid();
  id_ = domain.id;
  if (!look.first) appeared_at_ = look.at;
  if (!in_doubt) return;
  in_doubt_ = in_doubt;
  in_doubt_->from = domain.actual;
  before_first_move_ = domain.actual;
}

void DomainHistory::take_report(const GuestStatistics& report, bool rebooted) {
  if (report.last_update != last_report_.last_update || rebooted) {
    const auto note_fall = [&](auto counter, auto& before_fall) {
      const auto& before = last_report_.*counter;
      const auto& now = report.*counter;
      const bool fell = !rebooted && before && now && *now < *before;
      before_fall = fell ? before : std::nullopt;
    };
    note_fall(&GuestStatistics::swap_in, before_fall_.swap_in);
    note_fall(&GuestStatistics::swap_out, before_fall_.swap_out);
    note_fall(&GuestStatistics::major_faults, before_fall_.major_faults);
    note_fall(&GuestStatistics::minor_faults, before_fall_.minor_faults);
  }
  last_report_ = report;
}

void DomainHistory::take(const Domain& domain, const Look& look) {
  is_new_ = recent_.empty() || domain.id != id_;
  if (is_new_) begin(domain, look);
  const bool rebooted = notice_reboot(domain, look.at);
  notice_foreign_move(domain, look);
  notice_self_deflation(domain, look.at);
  follow_move(domain);
  settle_by_size(domain);
  // Before the report is taken in: rates are made from the one before.
  const Sample sample = sample_of(domain, look.at, rebooted);
  follow_report(domain, look);
  notice_who_ignores(domain);
  learn_kernel_share(domain);
  // A look without a report - a guest that hangs - does not wipe out the last one.
  if (domain.guest.last_update) take_report(domain.guest, rebooted);
  // What another process of it held says nothing.
  if (rebooted) last_rss_.reset();
  if (domain.rss) last_rss_ = domain.rss;
  const bool steady = is_new_ || actual_changed_at_ != look.at;
  const bool reported = is_new_ || report_is_newer_than_actual();
  overhead_.learn(domain, {.steady = steady, .reported = reported});
  last_actual_ = domain.actual;
  keep(sample, look);
}

void History::observe(const Snapshot& snapshot) {
  line_up_with(snapshot);
  // Many domains share one budget of samples, so that the whole stays bounded.
  constexpr std::size_t kFewest = 30;
  const std::size_t share = bounds_.all_samples / std::max<std::size_t>(snapshot.domains.size(), 1);
  const std::size_t samples = std::min(bounds_.samples, std::max(share, kFewest));
  const std::size_t recent = std::max<std::size_t>(samples / 3, 2);
  const std::size_t older = std::max<std::size_t>(samples - std::min(samples, recent), 2);
  const Duration distance = bounds_.window / static_cast<Duration::rep>(older);
  const DomainHistory::Look look{snapshot.taken_at, snapshot.wall_time, recent,     older,
                                 bounds_.window,    distance,           !host_look_};
  for (std::size_t i = 0; i < snapshot.domains.size(); ++i) {
    pasts_[i].take(snapshot.domains[i], look);
  }
  follow_host(snapshot);
}

void History::follow_host(const Snapshot& snapshot) {
  HostLook look{obtainable(snapshot.host), MemorySize(), snapshot.host.swap_free, MemorySize(),
                snapshot.taken_at};
  for (const DomainHistory& past : pasts_) look.held += past.last_rss().value_or(MemorySize());
  host_pace_ = {};
  if (host_look_) {
    // What the domains gave back has gone to others as far as the host does not have it.
    const MemorySize gone = host_look_->obtainable + host_look_->held;
    look.others = gone - (look.obtainable + look.held);
    // A host that has nothing left shows what is taken by the swap that goes.
    if (look.swap_free && host_look_->swap_free) {
      look.others = std::max(look.others, *host_look_->swap_free - *look.swap_free);
    }
    host_pace_ = {look.held - host_look_->held, look.others, host_look_->others,
                  look.at - host_look_->at};
  }
  host_look_ = look;
}

/// Brings the pasts into the snapshot's order: new domains get one, gone ones lose theirs.
void History::line_up_with(const Snapshot& snapshot) {
  const auto same = [](const DomainHistory& past, const Domain& domain) {
    return past.uuid_ == domain.uuid();
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
    lined_up[i].uuid_ = uuid;
  }
  pasts_ = std::move(lined_up);
  positions_ = std::move(positions);
}

void History::record(std::span<const Outcome> outcomes, MonotonicTime at, WallTime wall_time) {
  for (const Outcome& outcome : outcomes) {
    const auto found = positions_.find(outcome.domain);
    if (found != positions_.end()) pasts_[found->second].record(outcome, at, wall_time);
  }
}

void History::settle(std::span<const Outcome> late, MonotonicTime at, WallTime wall_time) {
  for (const Outcome& outcome : late) {
    const auto found = positions_.find(outcome.domain);
    if (found != positions_.end()) pasts_[found->second].settle(outcome, at, wall_time);
  }
}

bool History::any_moved() const {
  return std::any_of(pasts_.begin(), pasts_.end(),
                     [](const DomainHistory& past) { return past.before_first_move_.has_value(); });
}

const DomainHistory* History::find(const Uuid& uuid) const {
  const auto found = positions_.find(uuid);
  return found == positions_.end() ? nullptr : &pasts_[found->second];
}

}  // namespace memcoord
