#include "engine/hypervisor/simulated/simulated_hypervisor.h"

#include <algorithm>
#include <utility>

namespace memcoord::simulated {
namespace {

/// Derives a UUID from a domain's place in the scenario, so that all runs have the same UUIDs.
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

/// Takes an amount from some nodes in proportion to what each has left. What they lack together is
/// missing on the first.
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
  // Snapshots list domains by name.
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
    const Model& model = scenario_->model;
    const Duration fine = std::min(model.fine_step, model.largest_step);
    const Duration least = now_ + (could_run_out() ? fine : model.largest_step);
    const Duration steady = std::min(scenario_->host_use.steady_until(now_, use_cursor_),
                                     scenario_->host_merged.steady_until(now_, merged_cursor_));
    step(std::min(now, std::max(least, std::min(calm_until_, steady))));
  }
}

void SimulatedHost::settle() {
  for (SimulatedDomain& domain : domains_) {
    if (domain.active) advance_domain(domain, now_);
  }
}

void SimulatedHost::step(Duration until) {
  const double passed = seconds_of(until - now_);
  calm_until_ = Duration::max();
  for (SimulatedDomain& domain : domains_) {
    if (domain.calm_until <= until) {
      start_or_stop(domain, until);
      if (domain.active) advance_domain(domain, until);
    }
    calm_until_ = std::min(calm_until_, domain.calm_until);
    if (domain.active) domain.report_until(until, scenario_->model, origin_);
  }
  keep_host(until);
  account_for_host(passed);
  now_ = until;
}

void SimulatedHost::start_or_stop(SimulatedDomain& domain, Duration until) {
  const ScenarioDomain& plan = *domain.plan;
  const bool due = until >= plan.start && (!plan.stop || until < *plan.stop);
  if (due != domain.active) {
    if (!due) advance_domain(domain, std::max(domain.at, std::min(until, *plan.stop)));
    domain.active = due;
    domain.at = until;
    if (due) domain.start(until, scenario_->model);
    keep_rss(domain);
  }
  if (!domain.active) domain.calm_until = until < plan.start ? plan.start : Duration::max();
}

void SimulatedHost::advance_domain(SimulatedDomain& domain, Duration until) {
  domain.advance_to(until, scenario_->model, origin_);
  keep_rss(domain);
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

bool SimulatedHost::could_run_out() const {
  const Model& model = scenario_->model;
  const auto restless = std::count_if(domains_.begin(), domains_.end(), [&](const auto& domain) {
    return domain.calm_until <= now_;
  });
  const double most = kib(model.touch_rate) * seconds_of(model.largest_step);
  return left() < static_cast<double>(restless) * most;
}

void SimulatedHost::account_for_host(double passed) {
  score_.seconds += passed;
  if (left() < kib(host_floor_)) score_.breach_seconds += passed;
  const bool over = out_of_memory();
  if (over && !over_limit_) ++score_.oom_kills;
  over_limit_ = over;
  stall_largest(-left() - kib(scenario_->host_swap), passed);
}

/// Counts the domains that the host has no memory for as stalled: the largest, until the others
/// fit.
void SimulatedHost::stall_largest(double missing, double passed) {
  if (missing <= 0) return;
  std::vector<SimulatedDomain*> largest;
  for (SimulatedDomain& domain : domains_) largest.push_back(&domain);
  std::stable_sort(largest.begin(), largest.end(),
                   [](const auto* a, const auto* b) { return a->rss > b->rss; });
  for (SimulatedDomain* domain : largest) {
    if (missing <= 0 || domain->rss <= 0) return;
    missing -= domain->rss;
    Guest& guest = domain->guest;
    if (!guest.stalled && !domain->forces.paused) guest.score.stalled_seconds += passed;
  }
}

Domain SimulatedHost::domain_now(const SimulatedDomain& domain) const {
  Domain out;
  out.identity = domain.identity;
  out.actual = size(domain.guest.actual);
  out.maximum = domain.plan->maximum;
  out.guest = domain.report;
  out.guest.period = domain.plan->period;
  out.rss = size(domain.rss);
  out.free_page_reporting = domain.plan->free_page_reporting;
  if (domain.plan->has_fault(Fault::Kind::paused, now_)) out.state = DomainState::paused;
  if (domain.plan->has_fault(Fault::Kind::hung, now_)) {
    out.state = DomainState::hung;
    out.guest = {};
    out.rss.reset();
  }
  if (domain.started) out.started_at = MonotonicTime(*domain.started);
  return out;
}

Snapshot SimulatedHost::snapshot_at(MonotonicTime taken_at, WallTime wall_time) const {
  Snapshot snapshot;
  snapshot.taken_at = taken_at;
  snapshot.wall_time = wall_time;
  snapshot.domains.reserve(domains_.size());
  for (const SimulatedDomain& domain : domains_) {
    if (!domain.active) continue;
    snapshot.domains.push_back(domain_now(domain));
  }
  Host& host = snapshot.host;
  host.total = scenario_->host_total;
  host.available = size(left());
  host.merged = size(merged_);
  host.cached = std::min(scenario_->host_cached, *host.available);
  host.free = *host.available - host.cached;
  host.swap_free = size(kib(scenario_->host_swap) + std::min(left(), 0.0));
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
  } else if (domain->plan->has_fault(Fault::Kind::hung, now_)) {
    outcome.kind = Outcome::Kind::skipped;
  } else if (move.to > domain->plan->maximum) {
    outcome.kind = Outcome::Kind::failed;
    outcome.error = Error{ErrorCode::invalid_input,
                          domain->identity->name,
                          "the target is over the domain's maximum",
                          {},
                          {}};
  } else {
    advance_domain(*domain, now_);
    domain->guest.target = kib(domain->plan->whole_pages(move.to));
    domain->calm_until = calm_until_ = now_;
  }
  return outcome;
}

void SimulatedHost::refresh(const Uuid& uuid) {
  SimulatedDomain* domain = find(uuid);
  if (!domain || !domain->active || domain->plan->has_fault(Fault::Kind::hung, now_)) return;
  advance_domain(*domain, now_);
  calm_until_ = std::min(calm_until_, domain->calm_until);
  domain->report_now(now_, scenario_->model, origin_);
}

SimulatedDomain* SimulatedHost::find(const Uuid& uuid) {
  const auto found = places_.find(uuid);
  return found == places_.end() ? nullptr : &domains_[found->second];
}

WallTime VirtualClock::wall_now() const {
  constexpr WallTime kStart{std::chrono::sys_days{std::chrono::year{2024} / 1 / 1}};
  return kStart + std::chrono::duration_cast<std::chrono::milliseconds>(now_.time_since_epoch());
}

bool VirtualClock::sleep_for(Duration duration) {
  if (duration > Duration()) now_ += duration;
  return true;
}

SimulatedHypervisor::SimulatedHypervisor(Scenario scenario, const Clock& clock,
                                         MemorySize host_floor)
    : clock_(clock), start_(clock.now()), host_(std::move(scenario), host_floor) {
  oom_kills_noted_.resize(host_.domains().size());
}

std::string SimulatedHypervisor::description() const {
  return "sim:" + host_.scenario().name;
}

bool SimulatedHypervisor::finished() const {
  return clock_.now() - start_ >= host_.scenario().duration;
}

void SimulatedHypervisor::catch_up() {
  // At the very start no guest has reported yet.
  const Duration passed = std::max<Duration>(clock_.now() - start_, std::chrono::milliseconds(1));
  host_.advance_to(passed, clock_.wall_now());
}

Result<Snapshot> SimulatedHypervisor::sample() {
  catch_up();
  return host_.snapshot_at(clock_.now(), clock_.wall_now());
}

void SimulatedHypervisor::refresh(std::span<const Uuid> domains, Duration patience) {
  if (patience < host_.scenario().model.reports_after) return;
  catch_up();
  for (const Uuid& domain : domains) host_.refresh(domain);
}

std::vector<Outcome> SimulatedHypervisor::apply(std::span<const Move> moves) {
  catch_up();
  std::vector<Outcome> outcomes;
  outcomes.reserve(moves.size());
  for (const Move& move : moves) outcomes.push_back(host_.set_target(move));
  return outcomes;
}

std::vector<Note> SimulatedHypervisor::drain_notes() {
  std::vector<Note> notes;
  for (std::size_t i = 0; i < host_.domains().size(); ++i) {
    const SimulatedDomain& domain = host_.domains()[i];
    const int kills = domain.guest.score.oom_kills;
    if (kills == oom_kills_noted_[i]) continue;
    oom_kills_noted_[i] = kills;
    notes.push_back(
        {Note::Severity::warning, domain.identity->name + ": its OOM killer ended the workload"});
  }
  return notes;
}

}  // namespace memcoord::simulated
