#include "engine/hypervisor/libvirt/roster.h"

#include <fmt/core.h>

#include <unordered_set>
#include <utility>

namespace memcoord::libvirt {
namespace {

std::shared_ptr<const DomainIdentity> identity_of(const Uuid& uuid, std::string name,
                                                  const DomainDescription& description) {
  DomainIdentity identity{uuid,
                          std::move(name),
                          description.settings,
                          description.unsuitable,
                          description.backing,
                          description.hard_limit};
  if (description.settings_error && identity.unsuitable.empty()) {
    identity.unsuitable = "its settings cannot be used: " + description.settings_error->message;
  }
  return std::make_shared<const DomainIdentity>(std::move(identity));
}

}  // namespace

void Roster::take_listing(const std::vector<ListedDomain>& listed, MonotonicTime now) {
  std::unordered_set<Uuid> active;
  for (const ListedDomain& entry : listed) {
    active.insert(entry.uuid);
    const auto [found, fresh] = domains_.try_emplace(entry.uuid);
    KnownDomain& domain = found->second;
    const bool restarted = !fresh && domain.id != entry.id;
    const bool event_said_so = domain.started_at && *domain.started_at >= domain.listed_at;
    if ((fresh && watching_) || (restarted && !event_said_so)) domain.started_at = now;
    domain.listed_at = now;
    if (restarted) {
      // What was learnt of the last start; its XML may say other things now.
      domain.described = false;
      domain.trouble.reset();
      domain.balloon_moved_at.reset();
      domain.last_report.reset();
      domain.in_long_job = false;
      domain.period_refused = false;
      domain.period_before.reset();
    }
    if (fresh || domain.identity->name != entry.name) {
      domain.identity = identity_of(entry.uuid, entry.name, domain.description);
    }
    domain.stale = domain.stale || restarted;
    domain.id = entry.id;
    domain.paused = false;
    domain.stopped = false;
  }
  std::erase_if(domains_, [&](const auto& entry) { return !active.contains(entry.first); });
  watching_ = true;
}

void Roster::take_event(const DomainEvent& event) {
  KnownDomain* domain = find(event.domain);
  if (domain == nullptr) return;
  switch (event.kind) {
    case DomainEvent::Kind::started:
    case DomainEvent::Kind::rebooted:
      domain->started_at = event.at;
      domain->stale = true;
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
    case DomainEvent::Kind::redefined:
      domain->stale = true;
      break;
  }
}

void Roster::mark_all_stale() {
  for (auto& [uuid, domain] : domains_) {
    domain.stale = true;
    domain.period_refused = false;
  }
}

std::vector<Uuid> Roster::stale() const {
  std::vector<Uuid> uuids;
  for (const auto& [uuid, domain] : domains_) {
    if (domain.stale) uuids.push_back(uuid);
  }
  return uuids;
}

std::optional<Note> Roster::take_xml(const Uuid& uuid, std::string_view xml) {
  KnownDomain* domain = find(uuid);
  if (domain == nullptr) return std::nullopt;
  domain->stale = false;
  Result<DomainDescription> read = describe_domain(xml, domain->identity->name);
  DomainDescription description;
  if (read) {
    description = *std::move(read);
  } else {
    description.unsuitable = read.error().message;
  }
  const bool complaint = description.settings_error &&
                         description.settings_error != domain->description.settings_error;
  domain->description = std::move(description);
  domain->described = true;
  if (domain->maximum.is_zero()) domain->maximum = domain->description.maximum;
  if (domain->actual.is_zero()) domain->actual = domain->maximum;
  const auto identity = identity_of(uuid, domain->identity->name, domain->description);
  if (*identity != *domain->identity) domain->identity = identity;
  if (!complaint) return std::nullopt;
  return Note{Note::Severity::warning, domain->description.settings_error->text()};
}

void Roster::take_sizes(const Uuid& uuid, std::optional<MemorySize> actual,
                        std::optional<MemorySize> maximum, MonotonicTime now) {
  KnownDomain* domain = find(uuid);
  if (domain == nullptr) return;
  const bool moved = actual && *actual != domain->actual;
  if (domain->balloon_moved_at && moved) domain->balloon_moved_at = now;
  domain->actual = actual.value_or(domain->actual);
  domain->maximum = maximum.value_or(domain->maximum);
}

void Roster::take_report(const Uuid& uuid, WallTime report, MonotonicTime now) {
  KnownDomain* domain = find(uuid);
  if (domain == nullptr) return;
  if (domain->last_report != report) {
    domain->last_report = report;
    domain->reported_at = now;
    return;
  }
  const std::chrono::seconds period = domain->description.period;
  const bool silent = period.count() > 0 && now - domain->reported_at > period * kSilentPeriods;
  if (!silent || now - domain->silence_checked_at < kCheckSilenceEvery) return;
  domain->silence_checked_at = now;
  domain->stale = true;
}

void Roster::take_trouble(const Uuid& uuid, const ControlState& state, MonotonicTime now) {
  KnownDomain* domain = find(uuid);
  if (domain == nullptr) return;
  if (!domain->trouble) domain->trouble = Trouble{state.kind, false, now - state.since};
  domain->trouble->kind = state.kind;
  const bool stuck = state.kind == ControlState::Kind::occupied && state.since >= kHungAfter;
  if (stuck || state.kind == ControlState::Kind::broken) domain->trouble->hung = true;
}

std::optional<Note> Roster::take_control_state(const Uuid& uuid, const ControlState& state,
                                               MonotonicTime now) {
  KnownDomain* domain = find(uuid);
  if (domain == nullptr || !domain->trouble) return std::nullopt;
  if (state.kind != ControlState::Kind::ok) {
    take_trouble(uuid, state, now);
    return std::nullopt;
  }
  const Trouble over = *std::exchange(domain->trouble, std::nullopt);
  if (!over.hung) return std::nullopt;
  const auto lasted = std::chrono::duration_cast<std::chrono::seconds>(now - over.since);
  return Note{Note::Severity::info,
              fmt::format("{}: answers again, after {} s", domain->identity->name, lasted.count())};
}

std::vector<Uuid> Roster::in_trouble() const {
  std::vector<Uuid> uuids;
  for (const auto& [uuid, domain] : domains_) {
    if (domain.trouble) uuids.push_back(uuid);
  }
  return uuids;
}

KnownDomain* Roster::find(const Uuid& uuid) {
  const auto found = domains_.find(uuid);
  return found == domains_.end() ? nullptr : &found->second;
}

}  // namespace memcoord::libvirt
