#include "engine/hypervisor/simulated/simulated_host.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace memcoord::simulated {
namespace {

MemorySize size(double kib) {
  return kib <= 0 ? MemorySize() : MemorySize::from_kib(static_cast<std::uint64_t>(kib));
}

double seconds(Duration duration) {
  return std::chrono::duration<double>(duration).count();
}

/// A UUID made from a domain's place, the same in every run.
Uuid uuid_of(std::size_t place) {
  return {0x73696d756c617465U, 0x8000000000000000U + place + 1};
}

std::shared_ptr<const DomainIdentity> identity_of(const ScenarioDomain& domain, std::size_t place) {
  DomainIdentity identity{uuid_of(place), domain.name, domain.settings, {}};
  if (domain.hugepages) identity.unsuitable = "its memory is backed by hugepages";
  identity.backing.hugepages = domain.hugepages;
  identity.hard_limit = domain.hard_limit;
  if (!domain.nodes.empty()) identity.bound_to = {{domain.nodes}};
  return std::make_shared<const DomainIdentity>(std::move(identity));
}

bool has_fault(const ScenarioDomain& plan, Fault::Kind kind, Duration at) {
  return std::any_of(plan.faults.begin(), plan.faults.end(), [&](const Fault& fault) {
    return fault.kind == kind && at >= fault.from && at < fault.until;
  });
}

/// Where a balloon of whole pages comes to lie: Linux rounds up what it holds of them where its own
/// are larger than the device's.
MemorySize whole_pages(MemorySize target, const ScenarioDomain& plan) {
  const MemorySize asked = (plan.maximum - target) / kBalloonPage.kib() * kBalloonPage.kib();
  const std::uint64_t page = std::max(plan.page, kBalloonPage).kib();
  return plan.maximum - (asked + MemorySize::from_kib(page - 1)) / page * page;
}

/// What a driver that cannot read a counter reports: -1 pages.
constexpr MemorySize kMinusOnePage = MemorySize::from_kib(18014398509481980U);

/// What was counted between two reports.
GuestStatistics counted_since(const GuestStatistics& before, GuestStatistics now) {
  now.swap_in = *now.swap_in - before.swap_in.value_or(MemorySize());
  now.swap_out = *now.swap_out - before.swap_out.value_or(MemorySize());
  now.major_faults = *now.major_faults - before.major_faults.value_or(0);
  now.minor_faults = *now.minor_faults - before.minor_faults.value_or(0);
  return now;
}

bool reports(const ScenarioDomain& plan, Duration at) {
  return plan.driver && plan.period > Duration() && !has_fault(plan, Fault::Kind::silent, at) &&
         !has_fault(plan, Fault::Kind::paused, at);
}

/// The newest moment up to `until` at which a report was due; the next one is due after it.
Duration pass_reports(SimulatedDomain& domain, Duration until) {
  const Duration period = std::max<Duration>(domain.plan->period, std::chrono::milliseconds(100));
  const Duration moment = domain.next_report + period * ((until - domain.next_report) / period);
  domain.next_report = moment + period;
  return moment;
}

Forces forces_at(SimulatedDomain& domain, Duration moment) {
  const ScenarioDomain& plan = *domain.plan;
  return {plan.demand.at(moment, domain.demand_cursor),
          plan.cache.at(moment, domain.cache_cursor),
          kib(plan.swap),
          plan.driver && !has_fault(plan, Fault::Kind::stuck, moment),
          plan.free_page_reporting,
          has_fault(plan, Fault::Kind::paused, moment)};
}

/// What a guest has touched that is up and running, KiB.
double touched_by_boot(SimulatedDomain& domain, const Model& model) {
  if (domain.plan->touched) return domain.guest.actual;
  const Forces forces = forces_at(domain, Duration());
  return kib(model.kernel_reserved) + kib(model.kernel_used) + forces.demand + forces.cache;
}

/// Until when what acts on a domain stays the same.
Duration steady_until(SimulatedDomain& domain) {
  const ScenarioDomain& plan = *domain.plan;
  Duration until = std::min(plan.demand.steady_until(domain.at, domain.demand_cursor),
                            plan.cache.steady_until(domain.at, domain.cache_cursor));
  for (const Fault& fault : plan.faults) {
    if (fault.from > domain.at) until = std::min(until, fault.from);
    if (fault.until > domain.at) until = std::min(until, fault.until);
  }
  return until;
}

/// Takes memory of some nodes, of each by what it has left; what none of them has is missing on
/// the first.
void take(std::vector<double>& left, const NodeSet& nodes, double amount) {
  const auto at = [](int node) { return static_cast<std::size_t>(node); };
  double room = 0;
  for (const int node : nodes) room += std::max(0.0, left[at(node)]);
  const double part = room > 0 ? std::min(1.0, amount / room) : 0;
  for (const int node : nodes) left[at(node)] -= std::max(0.0, left[at(node)]) * part;
  left[at(nodes.front())] -= std::max(0.0, amount - room);
}

}  // namespace

SimulatedHost::SimulatedHost(Scenario scenario, MemorySize host_floor)
    : scenario_(std::make_unique<const Scenario>(std::move(scenario))), host_floor_(host_floor) {
  domains_.resize(scenario_->domains.size());
  for (std::size_t i = 0; i < domains_.size(); ++i) {
    domains_[i].plan = &scenario_->domains[i];
    domains_[i].identity = identity_of(scenario_->domains[i], i);
  }
  // By name, so that every look at them is in order.
  std::stable_sort(domains_.begin(), domains_.end(), [](const auto& a, const auto& b) {
    return a.identity->name < b.identity->name;
  });
  for (std::size_t i = 0; i < domains_.size(); ++i) {
    places_.emplace(domains_[i].identity->uuid, i);
    start_or_stop(domains_[i], Duration());
  }
  keep_host(Duration());
}

void SimulatedHost::advance_to(Duration now, WallTime wall_time) {
  if (now > now_) origin_ = wall_time - std::chrono::floor<std::chrono::milliseconds>(now);
  while (now_ < now) {
    const Duration fine = now_ + scenario_->model.largest_step;
    const Duration steady = std::min(scenario_->host_use.steady_until(now_, use_cursor_),
                                     scenario_->host_merged.steady_until(now_, merged_cursor_));
    step(std::min(now, std::max(fine, std::min(calm_until_, steady))));
  }
}

void SimulatedHost::settle() {
  for (SimulatedDomain& domain : domains_) {
    if (domain.active) step_domain(domain, now_);
  }
}

void SimulatedHost::step(Duration until) {
  const double passed = seconds(until - now_);
  calm_until_ = Duration::max();
  for (SimulatedDomain& domain : domains_) {
    if (domain.calm_until <= until) {
      start_or_stop(domain, until);
      if (domain.active) step_domain(domain, until);
    }
    calm_until_ = std::min(calm_until_, domain.calm_until);
    if (domain.active) stamp_report(domain, until);
  }
  keep_host(until);
  account_for_host(passed);
  now_ = until;
}

void SimulatedHost::start_or_stop(SimulatedDomain& domain, Duration until) {
  const ScenarioDomain& plan = *domain.plan;
  const bool due = until >= plan.start && (!plan.stop || until < *plan.stop);
  if (due != domain.active) {
    if (!due) step_domain(domain, std::max(domain.at, std::min(until, *plan.stop)));
    domain.active = due;
    domain.at = until;
    if (due) {
      domain.guest.actual = domain.guest.target = kib(plan.initial);
      // A guest that is there from the beginning has booted before.
      const bool up = until == Duration() || plan.touched;
      domain.guest.touched = up ? touched_by_boot(domain, scenario_->model) : 0;
      domain.next_report = until;
      domain.report = {};
      domain.reported_at = {};
      if (until > Duration()) domain.started = until;
    }
    keep_rss(domain);
  }
  if (!domain.active) domain.calm_until = until < plan.start ? plan.start : Duration::max();
}

void SimulatedHost::step_domain(SimulatedDomain& domain, Duration until) {
  const ScenarioDomain& plan = *domain.plan;
  // Where memory is moving, time is cut finer, so that a balloon's way is seen.
  constexpr Duration kFine = std::chrono::milliseconds(100);
  while (domain.at < until) {
    const Duration steady = steady_until(domain);
    const bool moving = domain.guest.actual != domain.guest.target;
    Duration next = until;
    if (steady > domain.at) next = std::min(next, steady);
    if (steady == domain.at || !is_calm(domain)) {
      next = std::min(next, domain.at + (moving ? kFine : scenario_->model.largest_step));
    }
    const double before = domain.guest.actual;
    advance_guest(domain, next);
    if (moving && domain.guest.actual == before && domain.at < until && steady > domain.at) {
      // A balloon that cannot move does not make the clock slow.
      advance_guest(domain, std::min(until, domain.at + scenario_->model.largest_step));
    }
    if (domain.at >= domain.next_report) report(domain, domain.at);
  }
  domain.calm_until = is_calm(domain) ? std::max(domain.at, steady_until(domain)) : domain.at;
  if (plan.stop) domain.calm_until = std::min(domain.calm_until, *plan.stop);
  keep_rss(domain);
}

bool SimulatedHost::is_calm(SimulatedDomain& domain) const {
  return domain.guest.is_calm(scenario_->model) && domain.forces == forces_at(domain, domain.at);
}

void SimulatedHost::advance_guest(SimulatedDomain& domain, Duration until) const {
  // What is changing counts as it is at the stretch's end; a step, from its moment on.
  const Duration moment = steady_until(domain) >= until ? domain.at : until;
  domain.forces = forces_at(domain, moment);
  domain.forces.paused = has_fault(*domain.plan, Fault::Kind::paused, domain.at);
  advance(domain.guest, domain.forces, scenario_->model, seconds(until - domain.at));
  domain.at = until;
}

WallTime SimulatedHost::wall_time(Duration moment) const {
  return origin_ + std::chrono::floor<std::chrono::milliseconds>(moment);
}

void SimulatedHost::report(SimulatedDomain& domain, Duration until) const {
  const Model& model = scenario_->model;
  const Duration moment = pass_reports(domain, until);
  if (!reports(*domain.plan, moment)) return;
  const Guest& guest = domain.guest;
  GuestStatistics& report = domain.report;
  report.available = size(guest.total(model));
  report.unused = size(guest.unused(model));
  report.usable = size(guest.usable(model));
  report.disk_caches = size(guest.cache);
  report.swap_in = size(guest.swap_in);
  report.swap_out = size(guest.swap_out);
  report.major_faults = static_cast<std::uint64_t>(guest.major_faults);
  report.minor_faults = static_cast<std::uint64_t>(guest.minor_faults);
  const GuestStatistics before = std::exchange(domain.counted, report);
  if (has_fault(*domain.plan, Fault::Kind::garbage, moment)) {
    report.swap_in = report.swap_out = kMinusOnePage;
  } else if (has_fault(*domain.plan, Fault::Kind::per_report, moment)) {
    report = counted_since(before, report);
  }
  domain.reported_at = moment;
  report.last_update = wall_time(moment);
}

void SimulatedHost::stamp_report(SimulatedDomain& domain, Duration until) const {
  // A guest that nothing happens to reports the same again and again.
  if (until < domain.next_report) return;
  if (domain.reported_at < domain.at || !domain.report.last_update) {
    report(domain, until);
    return;
  }
  const Duration moment = pass_reports(domain, until);
  if (!reports(*domain.plan, moment)) return;
  domain.reported_at = moment;
  domain.report.last_update = wall_time(moment);
}

void SimulatedHost::keep_rss(SimulatedDomain& domain) {
  used_by_domains_ -= domain.rss;
  const ScenarioDomain& plan = *domain.plan;
  const MemorySize own = plan.process_overhead.value_or(scenario_->model.process_overhead);
  const MemorySize touched = plan.hugepages ? MemorySize() : size(domain.guest.touched);
  domain.rss = domain.active ? kib(touched + own) : 0;
  used_by_domains_ += domain.rss;
}

void SimulatedHost::keep_host(Duration at) {
  used_by_host_ = kib(scenario_->host_base) + kib(scenario_->host_hugepages) +
                  scenario_->host_use.at(at, use_cursor_);
  merged_ = std::min(scenario_->host_merged.at(at, merged_cursor_), used_by_domains_);
}

double SimulatedHost::left() const {
  return kib(scenario_->host_total) - used_by_host_ - used_by_domains_ + merged_;
}

std::vector<double> SimulatedHost::left_by_node() const {
  std::vector<double> left;
  NodeSet all;
  for (const MemorySize size : scenario_->host_nodes) {
    all.push_back(static_cast<int>(left.size()));
    left.push_back(kib(size));
  }
  double elsewhere = used_by_host_ + used_by_domains_ - merged_;
  for (std::size_t choice = 1; choice <= left.size(); ++choice) {
    for (const SimulatedDomain& domain : domains_) {
      if (domain.plan->nodes.size() != choice) continue;
      take(left, domain.plan->nodes, domain.rss);
      elsewhere -= domain.rss;
    }
  }
  if (!left.empty()) take(left, all, elsewhere);
  return left;
}

bool SimulatedHost::out_of_memory() const {
  const double swap = kib(scenario_->host_swap);
  const std::vector<double> nodes = left_by_node();
  return left() + swap < 0 ||
         std::any_of(nodes.begin(), nodes.end(), [&](double left) { return left + swap < 0; });
}

void SimulatedHost::account_for_host(double passed) {
  score_.seconds += passed;
  if (left() < kib(host_floor_)) score_.breach_seconds += passed;
  const bool over = out_of_memory();
  if (over && !over_limit_) ++score_.oom_kills;
  over_limit_ = over;
}

Domain SimulatedHost::look_at(const SimulatedDomain& domain) const {
  Domain out;
  out.identity = domain.identity;
  out.actual = size(domain.guest.actual);
  out.maximum = domain.plan->maximum;
  out.guest = domain.report;
  out.guest.period = domain.plan->period;
  out.rss = size(domain.rss);
  out.free_page_reporting = domain.plan->free_page_reporting;
  if (has_fault(*domain.plan, Fault::Kind::paused, now_)) out.state = DomainState::paused;
  if (has_fault(*domain.plan, Fault::Kind::hung, now_)) {
    out.state = DomainState::hung;
    out.guest = {};
    out.rss.reset();
  }
  if (domain.started) out.started_at = MonotonicTime(*domain.started);
  return out;
}

Snapshot SimulatedHost::look(MonotonicTime taken_at, WallTime wall_time) const {
  Snapshot snapshot;
  snapshot.taken_at = taken_at;
  snapshot.wall_time = wall_time;
  snapshot.domains.reserve(domains_.size());
  for (const SimulatedDomain& domain : domains_) {
    if (!domain.active) continue;
    snapshot.domains.push_back(look_at(domain));
  }
  Host& host = snapshot.host;
  host.total = scenario_->host_total;
  host.available = size(left());
  host.merged = size(merged_);
  host.cached = std::min(scenario_->host_cached, *host.available);
  host.free = *host.available - host.cached;
  host.swap_free = scenario_->host_swap;
  const std::vector<double> nodes = left_by_node();
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    const MemorySize left_here = size(nodes[i]);
    const double part = kib(*host.available) > 0 ? kib(left_here) / kib(*host.available) : 0;
    host.cells.push_back({static_cast<int>(i), scenario_->host_nodes[i],
                          left_here - host.cached.scaled(part), left_here});
  }
  return snapshot;
}

Outcome SimulatedHost::set_target(const Move& move) {
  Outcome outcome{move.domain, move.from, move.to, Outcome::Kind::applied, std::nullopt};
  SimulatedDomain* domain = find(move.domain);
  if (!domain || !domain->active) {
    outcome.kind = Outcome::Kind::vanished;
  } else if (has_fault(*domain->plan, Fault::Kind::hung, now_)) {
    outcome.kind = Outcome::Kind::skipped;
  } else if (move.to > domain->plan->maximum) {
    outcome.kind = Outcome::Kind::failed;
    outcome.error = Error{ErrorCode::invalid_input,
                          domain->identity->name,
                          "the target passes the domain's maximum",
                          {},
                          {}};
  } else {
    step_domain(*domain, now_);
    domain->guest.target = kib(whole_pages(move.to, *domain->plan));
    domain->calm_until = calm_until_ = now_;
  }
  return outcome;
}

SimulatedDomain* SimulatedHost::find(const Uuid& uuid) {
  const auto found = places_.find(uuid);
  return found == places_.end() ? nullptr : &domains_[found->second];
}

}  // namespace memcoord::simulated
