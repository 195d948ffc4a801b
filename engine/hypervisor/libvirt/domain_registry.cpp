#include "engine/hypervisor/libvirt/domain_registry.h"

#include <fmt/core.h>

#include <algorithm>
#include <unordered_set>
#include <utility>

#include "engine/core/guest_reports.h"
#include "engine/core/printable.h"

namespace memcoord::libvirt {
namespace {

/// The registry forgets an event about a domain that no listing contains within this time.
constexpr std::chrono::minutes kForgetEvents{1};

std::shared_ptr<const DomainIdentity> identity_of(const Uuid& uuid, std::string name,
                                                  const DomainDescription& description,
                                                  const std::string& advice = {}) {
  DomainIdentity identity{uuid,
                          std::move(name),
                          description.settings,
                          description.unsuitable,
                          description.backing,
                          description.hard_limit,
                          description.bound_to};
  if (description.settings_error && identity.unsuitable.empty()) {
    identity.unsuitable = "its settings cannot be used: " + description.settings_error->message;
  }
  if (identity.unsuitable.empty()) identity.unsuitable = advice;
  return std::make_shared<const DomainIdentity>(std::move(identity));
}

void make_stale(KnownDomain& domain) {
  domain.stale = true;
  ++domain.xml_version;
}

/// Forgets what was learnt of the last start. The next start's XML may differ.
void forget_last_start(KnownDomain& domain) {
  domain.described = false;
  domain.unresponsive.reset();
  domain.balloon_moved_at.reset();
  domain.last_report.reset();
  domain.reported_after.reset();
  domain.unreported_since.reset();
  domain.statistics_advice.clear();
  domain.in_long_job = false;
  domain.period_refused = domain.refresh_refused = false;
  domain.period_was_off = domain.period_in_doubt = false;
  domain.period_to_put_back.reset();
}

}  // namespace

void DomainRegistry::update_listing(const std::vector<ListedDomain>& listed, MonotonicTime now) {
  std::unordered_set<Uuid> active;
  for (const ListedDomain& entry : listed) {
    active.insert(entry.uuid);
    const auto [found, fresh] = domains_.try_emplace(entry.uuid);
    KnownDomain& domain = found->second;
    const bool restarted = !fresh && domain.id != entry.id;
    if (const auto said = restored_.extract(entry.uuid)) domain.restored_at = said.mapped();
    const auto said_since = [&](const std::optional<MonotonicTime>& at) {
      return at && *at >= domain.listed_at;
    };
    const bool start_is_known =
        said_since(domain.restored_at) || (restarted && said_since(domain.started_at));
    if (((fresh && watching_) || restarted) && !start_is_known) domain.started_at = now;
    domain.listed_at = now;
    if (restarted) forget_last_start(domain);
    if (fresh || restarted) domain.renewed_at = now;
    if (fresh || domain.identity->name != entry.name) {
      domain.identity = identity_of(entry.uuid, entry.name, domain.description);
    }
    if (restarted) make_stale(domain);
    domain.id = entry.id;
    domain.paused = false;
    domain.stopped = false;
  }
  std::erase_if(restored_, [&](const auto& entry) { return now - entry.second > kForgetEvents; });
  std::erase_if(domains_, [&](const auto& entry) { return !active.contains(entry.first); });
  watching_ = true;
}

void DomainRegistry::update_from_events(const DomainEvent& event) {
  KnownDomain* domain = find(event.domain);
  if (domain == nullptr) {
    if (event.kind == DomainEvent::Kind::restored) restored_[event.domain] = event.at;
    return;
  }
  switch (event.kind) {
    case DomainEvent::Kind::started:
    case DomainEvent::Kind::rebooted:
      domain->started_at = event.at;
      make_stale(*domain);
      break;
    case DomainEvent::Kind::paused:
      domain->paused = true;
      break;
    case DomainEvent::Kind::resumed:
      domain->paused = false;
      break;
    case DomainEvent::Kind::stopped:
      domain->stopped = true;
      break;
    case DomainEvent::Kind::job_began:
      domain->in_long_job = true;
      break;
    case DomainEvent::Kind::job_ended:
      domain->in_long_job = false;
      break;
    case DomainEvent::Kind::restored:
      domain->restored_at = event.at;
      domain->started_at.reset();
      make_stale(*domain);
      break;
    case DomainEvent::Kind::redefined:
      make_stale(*domain);
      break;
  }
}

void DomainRegistry::mark_all_stale() {
  for (auto& [uuid, domain] : domains_) {
    make_stale(domain);
    domain.period_refused = domain.refresh_refused = false;
  }
}

void DomainRegistry::renew(MonotonicTime now) {
  constexpr std::size_t kCallsForAll = 30;
  std::size_t left = domains_.size() / kCallsForAll + 1;
  for (auto& [uuid, domain] : domains_) {
    if (left == 0) return;
    if (now - domain.renewed_at < kReadAgainAfter || domain.unresponsive) continue;
    domain.renewed_at = now;
    make_stale(domain);
    --left;
  }
}

std::vector<DomainRegistry::Stale> DomainRegistry::stale() const {
  std::vector<Stale> found;
  for (const auto& [uuid, domain] : domains_) {
    if (domain.stale) found.push_back({uuid, domain.xml_version});
  }
  return found;
}

std::optional<Note> DomainRegistry::update_xml(const Stale& of, std::string_view xml,
                                               std::string_view placed_on) {
  KnownDomain* domain = find(of.uuid);
  if (domain == nullptr) return std::nullopt;
  if (domain->xml_version == of.version) domain->stale = false;
  Result<DomainDescription> read = describe_domain(xml, domain->identity->name, placed_on);
  DomainDescription description;
  if (read) {
    description = *std::move(read);
    if (description.settings_error) {
      add_clear_command(*description.settings_error, clear_command(domain->identity->name, uri_));
    }
  } else {
    description.unsuitable = read.error().message;
  }
  const bool complaint = description.settings_error &&
                         description.settings_error != domain->description.settings_error;
  // Another tool's period stays when memcoord ends, as if it had been there before.
  const bool set_by_others =
      description.period.count() > 0 && description.period != domain->description.period;
  if (set_by_others && !domain->period_in_doubt) domain->period_was_off = false;
  domain->description = std::move(description);
  domain->described = true;
  if (domain->maximum.is_zero()) domain->maximum = domain->description.maximum;
  if (domain->actual.is_zero()) domain->actual = domain->maximum;
  const auto identity = identity_of(of.uuid, domain->identity->name, domain->description);
  if (*identity != *domain->identity) domain->identity = identity;
  if (!complaint) return std::nullopt;
  return Note{Note::Severity::warning, domain->description.settings_error->text()};
}

std::optional<Note> DomainRegistry::update_configured(const Uuid& uuid,
                                                      const std::optional<std::string>& element) {
  KnownDomain* domain = find(uuid);
  if (domain == nullptr) return std::nullopt;
  const std::string& name = domain->identity->name;
  const DomainSettings& now = domain->identity->settings;
  Result<DomainSettings> next = now;
  if (element) next = element->empty() ? DomainSettings{} : parse_settings(*element, name);
  std::string text;
  if (!next) {
    text = fmt::format(
        "{}: the settings configured for its next start cannot be used: {}; "
        "start afresh with: {}",
        name, next.error().message, clear_command(name, uri_));
  } else if (*next != now && !domain->description.settings_error) {
    text = fmt::format(
        "{}: other settings are configured for its next start ({}) than those in "
        "force ({}); put them in force with: {}",
        name, settings_text(*next), settings_text(now), set_command(name, *next, uri_));
  }
  if (std::exchange(domain->said_of_next_start, text) == text || text.empty()) return std::nullopt;
  return Note{Note::Severity::warning, std::move(text)};
}

void DomainRegistry::update_sizes(const Uuid& uuid, std::optional<MemorySize> actual,
                                  std::optional<MemorySize> maximum, MonotonicTime now) {
  KnownDomain* domain = find(uuid);
  if (domain == nullptr) return;
  domain->maximum = maximum.value_or(domain->maximum);
  // A guest's driver says how much its balloon holds. If that is more than the guest has, QEMU
  // reports a size near 2^64.
  if (actual && !domain->maximum.is_zero()) actual = std::min(*actual, domain->maximum);
  const bool moved = actual && *actual != domain->actual;
  if (domain->balloon_moved_at && moved) domain->balloon_moved_at = now;
  domain->actual = actual.value_or(domain->actual);
}

void DomainRegistry::update_report(const Uuid& uuid, const GuestStatistics& report,
                                   MonotonicTime asked_at, MonotonicTime now) {
  KnownDomain* domain = find(uuid);
  if (domain == nullptr || !report.last_update) return;
  const bool first = !domain->last_report;
  const bool is_new = first || GuestReports::differ(report, *domain->last_report);
  const MonotonicTime shown_before = std::exchange(domain->shown_at, asked_at);
  if (is_new) {
    if (!first) domain->reported_after = shown_before;
    domain->last_report = report;
    domain->reported_at = now;
    return;
  }
  const std::chrono::seconds period = domain->description.period;
  const bool missing = period.count() > 0 && now - domain->reported_at > period * kMissedReports;
  if (!missing || now - domain->reports_checked_at < kCheckReportsEvery) return;
  domain->reports_checked_at = now;
  make_stale(*domain);
}

void DomainRegistry::update_statistics(const Uuid& uuid, const GuestStatistics& guest,
                                       MonotonicTime now) {
  KnownDomain* domain = find(uuid);
  if (domain == nullptr || !domain->described) return;
  const DomainDescription& description = domain->description;
  std::string advice = domain->statistics_advice;
  if (guest.last_update && (guest.unused || guest.usable)) {
    domain->unreported_since.reset();
    advice.clear();
  } else if (description.unsuitable.empty() && !domain->identity->settings.exclude) {
    if (!domain->unreported_since) domain->unreported_since = now;
    const auto patience = domain->started_at ? kUnreportedAfterStart : kUnreportedAfter;
    if (now - *domain->unreported_since < patience) return;
    advice = guest.last_update ? "its guest does not report its unused memory: "
                               : "its guest reports no statistics: ";
    advice += description.period.count() > 0
                  ? missing_statistics(description.system)
                  : "set a period: virsh dommemstat " + shell_argument(domain->identity->name) +
                        " --period 1 --live";
  }
  const bool unchanged = advice.empty() || domain->identity->unsuitable == advice;
  if (advice == domain->statistics_advice && unchanged) return;
  domain->statistics_advice = std::move(advice);
  const auto identity =
      identity_of(uuid, domain->identity->name, description, domain->statistics_advice);
  if (*identity != *domain->identity) domain->identity = identity;
}

void DomainRegistry::mark_unresponsive(const Uuid& uuid, const ControlState& state,
                                       MonotonicTime now) {
  KnownDomain* domain = find(uuid);
  if (domain == nullptr) return;
  if (!domain->unresponsive)
    domain->unresponsive = Unresponsive{state.kind, false, now - state.since, now};
  domain->unresponsive->kind = state.kind;
  const bool stuck = state.kind == ControlState::Kind::occupied && state.since >= kHungAfter;
  if (stuck || state.kind == ControlState::Kind::broken) domain->unresponsive->hung = true;
}

std::optional<Note> DomainRegistry::update_control_state(const Uuid& uuid,
                                                         const ControlState& state,
                                                         MonotonicTime at) {
  KnownDomain* domain = find(uuid);
  if (domain == nullptr || !domain->unresponsive) return std::nullopt;
  if (at < domain->unresponsive->noticed_at)
    return std::nullopt;  // queried before it became unresponsive
  if (state.kind != ControlState::Kind::ok) {
    mark_unresponsive(uuid, state, at);
    return std::nullopt;
  }
  const Unresponsive over = *std::exchange(domain->unresponsive, std::nullopt);
  if (!over.hung) return std::nullopt;
  const auto lasted = std::chrono::duration_cast<std::chrono::seconds>(at - over.since);
  return Note{Note::Severity::info,
              fmt::format("{}: answers again, after {} s", domain->identity->name, lasted.count())};
}

std::vector<Uuid> DomainRegistry::unresponsive() const {
  std::vector<Uuid> uuids;
  for (const auto& [uuid, domain] : domains_) {
    if (domain.unresponsive) uuids.push_back(uuid);
  }
  return uuids;
}

KnownDomain* DomainRegistry::find(const Uuid& uuid) {
  const auto found = domains_.find(uuid);
  return found == domains_.end() ? nullptr : &found->second;
}

}  // namespace memcoord::libvirt
