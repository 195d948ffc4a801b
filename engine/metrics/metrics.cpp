#include "engine/metrics/metrics.h"

#include <span>
#include <unordered_set>
#include <utility>

#include "engine/metrics/exposition.h"

namespace memcoord::metrics {
namespace {

/// The first of the records if it is about the domain; then removes it. Records are in the
/// domains' order.
template <class Record>
const Record* next_about(const Uuid& domain, std::span<const Record>& records) {
  if (records.empty() || records.front().domain != domain) return nullptr;
  const Record* record = &records.front();
  records = records.subspan(1);
  return record;
}

SkipReason reason_of(const SkippedDomain& skipped) {
  if (skipped.rule == Rule::running_only) return SkipReason::running_only;
  if (skipped.rule == Rule::fresh_stats) return SkipReason::fresh_stats;
  return skipped.paused_by_operator() ? SkipReason::paused : SkipReason::excluded;
}

/// Whether memcoord waits for reports of its guest: a hung one may still run.
bool is_to_report(const Domain& domain, const SkippedDomain* skipped) {
  if (skipped != nullptr && reason_of(*skipped) == SkipReason::excluded) return false;
  return domain.state == DomainState::running || domain.state == DomainState::hung;
}

DomainFigures figures_of(const Domain& domain, Headroom kind, bool reports) {
  DomainFigures figures;
  figures.identity = domain.identity;
  figures.hung = domain.state == DomainState::hung;
  figures.actual = domain.actual;
  figures.maximum = domain.maximum;
  figures.rss = domain.rss;
  if (!reports) return figures;
  figures.guest = domain.guest;
  figures.headroom = headroom_of(domain, kind);
  return figures;
}

}  // namespace

std::string text_of(const MetricState& state, Format format, Domains domains) {
  const auto append = format == Format::prometheus ? append_prometheus : append_openmetrics;
  const Scrape scrape = scrape_of(state);
  std::string text;
  const auto append_all = [&](std::span<const FamilyDescription> descriptions) {
    for (const FamilyDescription& description : descriptions) {
      const Family family = make_family(description, scrape);
      if (!family.samples.empty() || !family.histograms.empty()) append(text, family);
    }
  };
  append_all(run_families());
  append_all(host_families());
  if (domains == Domains::on) append_all(domain_families());
  if (format == Format::openmetrics) text += kOpenMetricsEnd;
  return text;
}

RunMetrics::RunMetrics(std::string version, Duration interval, std::function<WallTime()> now)
    : now_(std::move(now)) {
  state_.version = std::move(version);
  state_.interval = interval;
}

void RunMetrics::observe(const Tick& tick) {
  if (tick.restoring) return;
  auto figures = tick.sample_error ? nullptr : figures_of(tick);
  const WallTime now = now_();
  std::shared_ptr<const SampleFigures> old;  // goes outside the lock
  const std::lock_guard lock(mutex_);
  ++revision_;
  count(state_.counters, tick);
  state_.last_tick = now;
  state_.ready = state_.ready || (!tick.sample_error && !tick.policy_error);
  state_.policy = tick.policy;
  state_.dry_run = tick.dry_run;
  state_.fallback_active = !tick.fallback.empty();
  old = std::exchange(state_.sample, std::move(figures));
}

std::shared_ptr<const SampleFigures> RunMetrics::figures_of(const Tick& tick) {
  auto figures = std::make_shared<SampleFigures>();
  figures->host = tick.snapshot.host;
  figures->limits = tick.limits;
  figures->grantable = tick.grantable;
  figures->account = tick.account;
  figures->host_state = host_state_of(tick);
  add_domains(*figures, tick);
  return figures;
}

/// The same verdict as the live page's, which knows each domain one tick earlier as well.
observers::HostState RunMetrics::host_state_of(const Tick& tick) const {
  const auto earlier = [&](const Domain& domain) -> const Domain* {
    const auto found = pasts_.find(domain.uuid());
    if (found == pasts_.end() || !found->second.before) return nullptr;
    return &*found->second.before;
  };
  return observers::verdict_on(tick, observers::domain_ticks(tick, earlier)).state;
}

void RunMetrics::add_domains(SampleFigures& figures, const Tick& tick) {
  std::span<const SkippedDomain> skipped(tick.skipped);
  std::span<const Decision> decisions(tick.decisions);
  std::span<const Uuid> not_reporting(tick.not_reporting);
  figures.domains.reserve(tick.snapshot.domains.size());
  for (const Domain& domain : tick.snapshot.domains) {
    const bool reports = not_reporting.empty() || not_reporting.front() != domain.uuid();
    if (!reports) not_reporting = not_reporting.subspan(1);
    DomainFigures& added =
        figures.domains.emplace_back(metrics::figures_of(domain, tick.limits.headroom, reports));
    ++figures.states.at(static_cast<std::size_t>(domain.state));
    const auto* skip = next_about(domain.uuid(), skipped);
    added.skipped = skip != nullptr;
    if (skip != nullptr) ++figures.skipped.at(static_cast<std::size_t>(reason_of(*skip)));
    added.is_to_report = is_to_report(domain, skip);
    add_past(added, domain, next_about(domain.uuid(), decisions));
  }
  forget_the_gone(tick.snapshot);
}

void RunMetrics::add_past(DomainFigures& figures, const Domain& domain, const Decision* decision) {
  Past& past = pasts_[domain.uuid()];
  if (decision != nullptr) {
    past.started_as = domain.id;
    past.target = decision->target;
  }
  if (past.started_as == domain.id) figures.target = past.target;
  // A hung domain has no statistics.
  if (domain.guest.last_update) past.reported_at = domain.guest.last_update;
  figures.reported_at = past.reported_at;
  past.before = domain;
}

void RunMetrics::forget_the_gone(const Snapshot& snapshot) {
  if (pasts_.size() <= snapshot.domains.size()) return;
  std::unordered_set<Uuid> there;
  for (const Domain& domain : snapshot.domains) there.insert(domain.uuid());
  std::erase_if(pasts_, [&](const auto& entry) { return !there.contains(entry.first); });
}

void RunMetrics::count_skipped_ticks(std::uint64_t ticks) {
  const std::lock_guard lock(mutex_);
  ++revision_;
  state_.counters.skipped_ticks += ticks;
}

void RunMetrics::count_reload(bool ok) {
  const std::lock_guard lock(mutex_);
  ++revision_;
  ++(ok ? state_.counters.reloads : state_.counters.failed_reloads);
}

void RunMetrics::set_journal_lost_ticks(std::uint64_t ticks) {
  const std::lock_guard lock(mutex_);
  ++revision_;
  state_.counters.journal_lost_ticks = ticks;
}

void RunMetrics::set_connections(const Connections& connections) {
  const std::lock_guard lock(mutex_);
  ++revision_;
  state_.connections = connections;
}

MetricState RunMetrics::state() const {
  const std::lock_guard lock(mutex_);
  return state_;
}

std::uint64_t RunMetrics::revision() const {
  const std::lock_guard lock(mutex_);
  return revision_;
}

}  // namespace memcoord::metrics
