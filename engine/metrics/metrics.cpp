#include "engine/metrics/metrics.h"

#include <span>
#include <unordered_set>
#include <utility>
#include <vector>

#include "engine/metrics/exposition.h"

namespace memcoord::metrics {
namespace {

SkipReason reason_of(const SkippedDomain& skipped) {
  if (skipped.rule == Rule::running_only) return SkipReason::running_only;
  if (skipped.rule == Rule::fresh_stats) return SkipReason::fresh_stats;
  return skipped.paused_by_operator() ? SkipReason::paused : SkipReason::excluded;
}

/// Whether memcoord waits for reports of its guest: a hung one may still run.
bool expects_report(const observers::DomainTick& about) {
  if (about.skipped && reason_of(*about.skipped) == SkipReason::excluded) return false;
  return about.domain.state == DomainState::running || about.domain.state == DomainState::hung;
}

/// Without what earlier ticks tell.
DomainFigures figures_of(const observers::DomainTick& about) {
  const Domain& domain = about.domain;
  DomainFigures figures;
  figures.identity = domain.identity;
  figures.hung = domain.state == DomainState::hung;
  figures.skipped = about.skipped != nullptr;
  figures.expects_report = expects_report(about);
  figures.actual = domain.actual;
  figures.maximum = domain.maximum;
  figures.rss = domain.rss;
  if (!about.reports) return figures;
  figures.guest = domain.guest;
  figures.headroom = headroom_of(domain, about.tick.limits.headroom);
  return figures;
}

}  // namespace

std::string text_of(const MetricState& state, Format format, Domains domains) {
  const auto append = format == Format::prometheus ? append_prometheus : append_openmetrics;
  Scrape scrape{state};
  std::string text;
  const auto append_all = [&](std::span<const FamilyDescription> descriptions) {
    for (const FamilyDescription& description : descriptions) {
      const Family family = make_family(description, scrape);
      if (!family.samples.empty() || !family.histograms.empty()) append(text, family);
    }
  };
  append_all(run_families());
  if (state.sample) append_all(host_families());
  if (state.sample && domains == Domains::on) {
    scrape.domain_labels = domain_labels_of(state.sample->domains);
    append_all(domain_families());
  }
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
  figures->headroom = headroom_at(tick, state_.interval);
  const std::vector<Domain>& domains = tick.snapshot.domains;
  const auto all = observers::domain_ticks(tick, [&](const Domain& domain) {
    const auto place = static_cast<std::size_t>(&domain - domains.data());
    return before_.find_near(place, domain.uuid());
  });
  // The same verdict as the live page's, which knows each domain one tick earlier as well.
  figures->host_state = observers::verdict_on(tick, all).state;
  figures->domains.reserve(all.size());
  for (const observers::DomainTick& about : all) add_domain(*figures, about);
  forget_the_gone(tick.snapshot);
  before_ = tick.snapshot;
  return figures;
}

void RunMetrics::add_domain(SampleFigures& figures, const observers::DomainTick& about) {
  DomainFigures& added = figures.domains.emplace_back(metrics::figures_of(about));
  ++figures.states.at(static_cast<std::size_t>(about.domain.state));
  if (about.skipped) ++figures.skipped.at(static_cast<std::size_t>(reason_of(*about.skipped)));
  add_past(added, about);
}

void RunMetrics::add_past(DomainFigures& figures, const observers::DomainTick& about) {
  const Domain& domain = about.domain;
  Past& past = pasts_[domain.uuid()];
  if (about.decision) {
    past.id = domain.id;
    past.target = about.decision->target;
  }
  if (past.id == domain.id) figures.target = past.target;
  // A hung domain has no statistics.
  if (domain.guest.last_update) past.reported_at = domain.guest.last_update;
  figures.reported_at = past.reported_at;
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

void RunMetrics::count_early_tick() {
  const std::lock_guard lock(mutex_);
  ++revision_;
  ++state_.counters.early_ticks;
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
