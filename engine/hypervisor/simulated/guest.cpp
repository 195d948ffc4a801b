#include "engine/hypervisor/simulated/guest.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace memcoord::simulated {
namespace {

/// What the kernel leaves for the workload and the page cache.
double room(const Guest& guest, const Model& model) {
  return std::max(0.0, guest.total(model) - kib(model.kernel_used) - kib(model.min_watermark));
}

/// Moves the balloon towards its target. It takes free memory and page cache, never the workload's.
void move_balloon(Guest& guest, const Model& model, double seconds) {
  const double before = guest.actual;
  if (guest.target > guest.actual) {
    guest.actual = std::min(guest.target, guest.actual + kib(model.deflate_rate) * seconds);
  } else if (guest.target < guest.actual) {
    const double give = std::max(0.0, guest.unused(model) + guest.cache - kib(model.low_watermark));
    const double step =
        std::min({guest.actual - guest.target, kib(model.inflate_rate) * seconds, give});
    guest.actual -= step;
    const double from_cache = std::max(0.0, guest.resident + guest.cache - room(guest, model));
    guest.cache -= std::min(guest.cache, from_cache);
  }
  guest.score.moved_kib += std::abs(guest.actual - before);
}

/// The workload takes free memory, then page cache, then it swaps, then the OOM killer ends it.
void serve_workload(Guest& guest, const Forces& forces, const Model& model, double seconds) {
  const double available = room(guest, model);
  const double before = guest.resident;
  const double missing = std::max(0.0, guest.demand - available);
  if (missing > forces.swap) {
    if (guest.undisturbed >= kUndisturbed) ++guest.score.oom_kills;
    guest.undisturbed = 0;
    // It took all there was first, which the host still backs.
    guest.touched = guest.actual;
    guest.minor_faults += std::max(0.0, available - before) / 4;
    guest.swap_out += std::max(0.0, forces.swap - guest.swapped);
    guest.demand = guest.resident = guest.swapped = 0;
    guest.restart_in = seconds_of(model.restart);
    return;
  }
  // Memory is swapped out at once, while the workload waits; it is swapped in as it is used.
  const double in_swap = std::min(guest.swapped, guest.demand);
  const double back = std::min(std::max(0.0, in_swap - missing), kib(model.swap_rate) * seconds);
  const double swapped = std::max(missing, in_swap - back);
  guest.swap_out += std::max(0.0, swapped - guest.swapped);
  const double came_in = std::max(0.0, in_swap - swapped);
  guest.swap_in += came_in;
  guest.major_faults += came_in / 4;
  // A workload that lacks memory keeps touching what is in swap, each page once a second.
  if (missing > 0) {
    const double thrashed = std::min(missing, kib(model.swap_rate)) * seconds;
    guest.swap_in += thrashed;
    guest.swap_out += thrashed;
    guest.major_faults += thrashed / 4;
  }
  guest.swapped = swapped;
  guest.resident = guest.demand - swapped;
  guest.minor_faults += std::max(0.0, guest.resident - before) / 4;
}

/// Memory that the guest frees or gets lies on its processors' lists, until the lists are full, the
/// guest takes memory, or it runs short.
void fill_lists(Guest& guest, const Model& model, double more_free) {
  const double free = guest.total(model) - kib(model.kernel_used) - guest.resident - guest.cache;
  const double most = std::min(kib(model.processor_lists), free - kib(model.min_watermark));
  guest.listed = std::clamp(guest.listed + more_free, 0.0, std::max(0.0, most));
}

void keep_score(Guest& guest, const Model& model, double wanted, double seconds) {
  GuestScore& score = guest.score;
  const double short_by = std::max(0.0, wanted - room(guest, model));
  score.seconds += seconds;
  guest.stalled = short_by > 0;
  if (guest.stalled) score.stalled_seconds += seconds;
  score.deficit_kib_seconds += short_by * seconds;
  const double need = wanted + kernel(model);
  score.need_kib_seconds += need * seconds;
  score.spare_kib_seconds += std::max(0.0, guest.actual - need) * seconds;
}

/// What a driver that cannot read a counter reports: -1 pages.
constexpr MemorySize kMinusOnePage = MemorySize::from_kib(18014398509481980U);

/// The counters' increase between two reports.
GuestStatistics counted_since(const GuestStatistics& before, GuestStatistics now) {
  now.swap_in = *now.swap_in - before.swap_in.value_or(MemorySize());
  now.swap_out = *now.swap_out - before.swap_out.value_or(MemorySize());
  now.major_faults = *now.major_faults - before.major_faults.value_or(0);
  now.minor_faults = *now.minor_faults - before.minor_faults.value_or(0);
  return now;
}

WallTime wall_time(Duration moment, WallTime origin) {
  return origin + std::chrono::floor<std::chrono::milliseconds>(moment);
}

}  // namespace

double kernel(const Model& model) {
  return kib(model.kernel_reserved) + kib(model.kernel_used) + kib(model.min_watermark);
}

bool Guest::is_calm(const Model& model) const {
  return actual == target && swapped == 0 && restart_in == 0 && !touching &&
         demand <= room(*this, model);
}

double Guest::need(const Model& model) const {
  return demand + kernel(model);
}

double Guest::total(const Model& model) const {
  return std::max(0.0, actual - kib(model.kernel_reserved));
}

double Guest::unused(const Model& model) const {
  return std::max(0.0, total(model) - kib(model.kernel_used) - resident - cache - listed);
}

double Guest::usable(const Model& model) const {
  // Linux's MemAvailable leaves out a part of the page cache as well.
  const double kept = kib(model.low_watermark) + std::min(cache / 2, kib(model.low_watermark));
  return std::max(0.0, unused(model) + cache - kept);
}

void advance(Guest& guest, const Forces& forces, const Model& model, double seconds) {
  if (forces.paused) return;
  const double before = guest.actual - guest.resident - guest.cache;
  guest.restart_in = std::max(0.0, guest.restart_in - seconds);
  guest.demand = guest.restart_in > 0 ? 0 : forces.demand;
  if (guest.restart_in == 0) guest.undisturbed += seconds;
  if (forces.driver && guest.actual != guest.target) move_balloon(guest, model, seconds);
  serve_workload(guest, forces, model, seconds);
  const double wanted_cache = std::max(forces.cache, guest.restart_in > 0 ? guest.cache : 0.0);
  guest.cache = std::clamp(wanted_cache, 0.0, std::max(0.0, room(guest, model) - guest.resident));
  fill_lists(guest, model, guest.actual - guest.resident - guest.cache - before);
  const double kept_backed = std::min(forces.backed_unused, guest.unused(model));
  const double used = kib(model.kernel_reserved) + kib(model.kernel_used) + guest.resident +
                      guest.cache + kept_backed;
  const double behind = forces.free_page_reporting ? used : std::max(guest.touched, used);
  const double reached = guest.touched + kib(model.touch_rate) * seconds;
  guest.touching = std::min(guest.actual, behind) > reached;
  guest.touched = std::min({guest.actual, behind, reached});
  keep_score(guest, model, forces.demand, seconds);
}

void SimulatedDomain::start(Duration now, const Model& model) {
  guest.actual = guest.target = kib(plan->initial);
  guest.touched = plan->touched ? guest.actual : std::min(kib(plan->backed), guest.actual);
  if (now == Duration()) {
    const Forces first = forces_at(Duration());
    const double used = kib(model.kernel_reserved) + kib(model.kernel_used) + first.demand +
                        first.cache + first.backed_unused;
    guest.touched = std::max(guest.touched, std::min(used, guest.actual));
  }
  next_report = now;
  report = {};
  reported_at = {};
  if (now > Duration()) started = now;
}

void SimulatedDomain::advance_to(Duration until, const Model& model, WallTime origin) {
  while (at < until) {
    const Duration steady = steady_until();
    const bool moving = guest.actual != guest.target;
    Duration next = until;
    if (steady > at) next = std::min(next, steady);
    if (steady == at || !is_calm(model)) {
      next = std::min(next, at + (moving ? model.fine_step : model.largest_step));
    }
    const double before = guest.actual;
    advance_guest(next, model);
    if (moving && guest.actual == before && at < until && steady > at) {
      // A balloon that cannot move needs no fine steps.
      advance_guest(std::min(until, at + model.largest_step), model);
    }
    if (at >= next_report) make_report(pass_reports(at), model, origin);
  }
  calm_until = is_calm(model) ? std::max(at, steady_until()) : at;
  if (plan->stop) calm_until = std::min(calm_until, *plan->stop);
}

void SimulatedDomain::report_until(Duration until, const Model& model, WallTime origin) {
  if (until < next_report) return;
  const Duration moment = pass_reports(until);
  if (reported_at < at || !report.last_update) return make_report(moment, model, origin);
  // A guest whose state stays the same repeats its report.
  if (!plan->reports(moment)) return;
  reported_at = moment;
  report.last_update = wall_time(moment, origin);
}

void SimulatedDomain::report_now(Duration now, const Model& model, WallTime origin) {
  if (!plan->reports(now)) return;
  next_report = now + reports_every();
  make_report(now, model, origin);
}

/// Until when the forces on the domain stay the same.
Duration SimulatedDomain::steady_until() {
  Duration until = std::min({plan->demand.steady_until(at, demand_cursor),
                             plan->cache.steady_until(at, cache_cursor),
                             plan->backed_unused.steady_until(at, backed_cursor)});
  for (const Fault& fault : plan->faults) {
    if (fault.from > at) until = std::min(until, fault.from);
    if (fault.until > at) until = std::min(until, fault.until);
  }
  return until;
}

Forces SimulatedDomain::forces_at(Duration moment) {
  return {plan->demand.at(moment, demand_cursor),
          plan->cache.at(moment, cache_cursor),
          kib(plan->swap),
          plan->backed_unused.at(moment, backed_cursor),
          plan->driver && !plan->has_fault(Fault::Kind::stuck, moment),
          plan->free_page_reporting,
          plan->has_fault(Fault::Kind::paused, moment)};
}

bool SimulatedDomain::is_calm(const Model& model) {
  return guest.is_calm(model) && forces == forces_at(at);
}

void SimulatedDomain::advance_guest(Duration until, const Model& model) {
  // A changing amount counts with its value at the end of the span, a step with its new value.
  const Duration moment = steady_until() >= until ? at : until;
  forces = forces_at(moment);
  forces.paused = plan->has_fault(Fault::Kind::paused, at);
  advance(guest, forces, model, seconds_of(until - at));
  at = until;
}

Duration SimulatedDomain::reports_every() const {
  return std::max<Duration>(plan->period, std::chrono::milliseconds(100));
}

/// The last moment up to `until` at which a report is due; moves next_report behind it.
Duration SimulatedDomain::pass_reports(Duration until) {
  const Duration period = reports_every();
  const Duration moment = next_report + period * ((until - next_report) / period);
  next_report = moment + period;
  return moment;
}

void SimulatedDomain::make_report(Duration moment, const Model& model, WallTime origin) {
  if (!plan->reports(moment)) return;
  report.available = size(guest.total(model));
  report.unused = size(guest.unused(model));
  report.usable = size(guest.usable(model));
  report.disk_caches = size(guest.cache);
  report.swap_in = size(guest.swap_in);
  report.swap_out = size(guest.swap_out);
  report.major_faults = static_cast<std::uint64_t>(guest.major_faults);
  report.minor_faults = static_cast<std::uint64_t>(guest.minor_faults);
  const GuestStatistics before = std::exchange(counted, report);
  if (plan->has_fault(Fault::Kind::garbage, moment)) {
    report.swap_in = report.swap_out = kMinusOnePage;
  } else if (plan->has_fault(Fault::Kind::per_report, moment)) {
    report = counted_since(before, report);
  }
  reported_at = moment;
  report.last_update = wall_time(moment, origin);
}

}  // namespace memcoord::simulated
