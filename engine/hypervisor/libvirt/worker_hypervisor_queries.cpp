// What WorkerHypervisor queries about all domains in turn: the list of domains, the state of their
// monitors, their XML. Where time is too short for all, the answers so far count.

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "engine/hypervisor/libvirt/worker_hypervisor.h"

namespace memcoord::libvirt {
namespace {

using std::chrono::steady_clock;

/// memcoord reports a missing list of domains after this time.
constexpr std::chrono::seconds kListingMissingAfter{5};

const Uuid& uuid_in(const Uuid& uuid) {
  return uuid;
}
const Uuid& uuid_in(const DomainRegistry::Stale& stale) {
  return stale.uuid;
}
const Uuid& uuid_in(const DomainTask& task) {
  return task.domain;
}

/// Rotates items, sorted by UUID, so that those after `last` come first. Every domain gets its
/// turn.
template <class Item>
void begin_after(const Uuid& last, std::vector<Item>& items) {
  const auto next = std::find_if(items.begin(), items.end(),
                                 [&](const Item& item) { return last < uuid_in(item); });
  std::rotate(items.begin(), next, items.end());
}

}  // namespace

bool WorkerHypervisor::observe_domains(Instant deadline) {
  std::vector<Uuid> unresponsive = registry_.unresponsive();
  begin_after(last_unresponsive_, unresponsive);
  const auto question = [unresponsive, deadline, answers = answers_](
                            const LibvirtResult<WorkerConnection>& worker) -> LibvirtStatus {
    if (!worker) return tl::unexpected(worker.error());
    const MonotonicTime asked_at = monotonic_now();
    auto listed = worker->connection->list_active();
    if (!listed) return tl::unexpected(listed.error());
    answers->listings.push({worker->generation, *std::move(listed), asked_at});
    for (const Uuid& uuid : unresponsive) {
      if (steady_clock::now() >= deadline) break;
      const MonotonicTime at = monotonic_now();
      answers->states.push({uuid, worker->connection->control_state(uuid), at});
    }
    return {};
  };
  const auto asked = control_.ask(deadline, question);
  if (asked && !*asked) (void)control_.ask(deadline, question);
  const bool listed = update_listings();
  update_states();
  return listed;
}

bool WorkerHypervisor::update_listings() {
  const std::vector<Listing> listings = answers_->listings.take();
  if (listings.empty()) return false;
  const Listing& newest = listings.back();
  // A late list may lack a domain that was started and moved since.
  const auto lacks = [&](const auto& entry) {
    const auto& [uuid, known] = entry;
    return known.balloon_moved_at && *known.balloon_moved_at > newest.asked_at &&
           std::none_of(newest.listed.begin(), newest.listed.end(),
                        [&](const ListedDomain& listed) { return listed.uuid == entry.first; });
  };
  if (std::any_of(registry_.domains().begin(), registry_.domains().end(), lacks)) return false;
  // Events that occurred without a connection are lost.
  if (newest.generation != control_generation_) registry_.mark_all_stale();
  control_generation_ = newest.generation;
  registry_.update_listing(newest.listed, newest.asked_at);
  return true;
}

void WorkerHypervisor::update_states() {
  for (const ReadState& read : answers_->states.take()) {
    last_unresponsive_ = read.domain;
    if (!read.state) continue;
    if (auto note = registry_.update_control_state(read.domain, *read.state, read.asked_at)) {
      notes_.push_back(*std::move(note));
    }
  }
}

void WorkerHypervisor::note_listing(bool came) {
  const Instant now = steady_clock::now();
  if (came) {
    listing_missing_since_.reset();
    missing_listing_noted_ = false;
    return;
  }
  if (!listing_missing_since_) listing_missing_since_ = now;
  if (missing_listing_noted_ || now - *listing_missing_since_ < kListingMissingAfter) return;
  missing_listing_noted_ = true;
  notes_.push_back({Note::Severity::info,
                    fmt::format("{}: the daemon does not list its domains, as while it stops or "
                                "saves a large one; memcoord serves the domains that it knows",
                                parts_.uri)});
}

std::vector<std::optional<ControlState>> WorkerHypervisor::control_states(
    const std::vector<Uuid>& domains, Instant deadline) {
  std::vector<std::optional<ControlState>> states(domains.size());
  if (control_.waits()) return states;
  std::vector<Uuid> in_turn = domains;
  std::sort(in_turn.begin(), in_turn.end());
  begin_after(last_suspect_, in_turn);
  const auto read = std::make_shared<Inbox<ReadState>>();
  (void)control_.ask(deadline, [in_turn, deadline,
                                read](const LibvirtResult<WorkerConnection>& worker) {
    for (std::size_t i = 0; worker && i < in_turn.size() && steady_clock::now() < deadline; ++i) {
      read->push({in_turn[i], worker->connection->control_state(in_turn[i]), {}});
    }
    return true;
  });
  for (const ReadState& one : read->take()) {
    last_suspect_ = one.domain;
    const auto at = std::find(domains.begin(), domains.end(), one.domain) - domains.begin();
    if (one.state) states[static_cast<std::size_t>(at)] = *one.state;
  }
  return states;
}

void WorkerHypervisor::read_stale(Instant deadline) {
  update_texts();
  std::vector<DomainRegistry::Stale> stale = registry_.stale();
  if (stale.empty()) return;
  begin_after(last_read_, stale);
  (void)control_.ask(deadline, [stale, deadline,
                                answers = answers_](const LibvirtResult<WorkerConnection>& worker) {
    for (std::size_t i = 0; worker && i < stale.size() && steady_clock::now() < deadline; ++i) {
      answers->texts.push({stale[i], worker->connection->domain_xml(stale[i].uuid)});
    }
    return true;
  });
  update_texts();
}

void WorkerHypervisor::update_texts() {
  for (const ReadXml& read : answers_->texts.take()) {
    last_read_ = read.of.uuid;
    if (!read.xml) continue;
    if (auto note = registry_.update_xml(read.of, read.xml->live, read.xml->placed_on)) {
      notes_.push_back(*std::move(note));
    }
    if (auto note = registry_.update_configured(read.of.uuid, read.xml->configured_settings)) {
      notes_.push_back(*std::move(note));
    }
  }
}

void WorkerHypervisor::check_long_jobs(Instant deadline) {
  std::vector<DomainTask> tasks;
  for (const auto& [uuid, known] : registry_.domains()) {
    if (known.in_long_job && !known.unresponsive) {
      tasks.push_back({DomainTask::Kind::check_job, uuid, {}, {}, {}});
    }
  }
  if (tasks.empty()) return;
  begin_after(last_in_job_, tasks);
  const TaskReport report = pool_.run(tasks, deadline);
  const auto left_out = std::find_if(
      report.answers.begin(), report.answers.end(),
      [](const TaskAnswer& answer) { return answer.kind == TaskAnswer::Kind::unanswered; });
  if (left_out != report.answers.end()) {
    const auto at = static_cast<std::size_t>(left_out - report.answers.begin());
    last_in_job_ = tasks[at == 0 ? 0 : at - 1].domain;
  }
  for (std::size_t i = 0; i < tasks.size(); ++i) {
    if (report.answers[i].kind != TaskAnswer::Kind::done) continue;
    registry_.find(tasks[i].domain)->in_long_job = false;
  }
}

}  // namespace memcoord::libvirt
