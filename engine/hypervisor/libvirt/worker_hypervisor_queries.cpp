// What LaneHypervisor queries about all domains in turn: the list of domains, the state of their
// monitors, their XML. Where time is too short for all, the answers so far count.

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "engine/hypervisor/libvirt/worker_hypervisor.h"

namespace memcoord::libvirt {
namespace {

using std::chrono::steady_clock;

/// memcoord reports a missing list of domains after this time.
constexpr std::chrono::seconds kListingHeldAfter{5};

const Uuid& uuid_in(const Uuid& uuid) {
  return uuid;
}
const Uuid& uuid_in(const Roster::Stale& stale) {
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

bool LaneHypervisor::look_at_domains(Instant deadline) {
  std::vector<Uuid> in_trouble = roster_.in_trouble();
  begin_after(last_in_trouble_, in_trouble);
  const auto question = [in_trouble, deadline,
                         answers = answers_](const LvResult<LaneConnection>& lane) -> LvStatus {
    if (!lane) return tl::unexpected(lane.error());
    const MonotonicTime asked_at = monotonic_now();
    auto listed = lane->connection->list_active();
    if (!listed) return tl::unexpected(listed.error());
    answers->listings.push({lane->generation, *std::move(listed), asked_at});
    for (const Uuid& uuid : in_trouble) {
      if (steady_clock::now() >= deadline) break;
      const MonotonicTime at = monotonic_now();
      answers->states.push({uuid, lane->connection->control_state(uuid), at});
    }
    return {};
  };
  const auto asked = control_.ask(deadline, question);
  if (asked && !*asked) (void)control_.ask(deadline, question);
  const bool listed = take_listings();
  take_states();
  return listed;
}

bool LaneHypervisor::take_listings() {
  const std::vector<Listing> listings = answers_->listings.take();
  if (listings.empty()) return false;
  const Listing& newest = listings.back();
  // A late list may lack a domain that has been started and told to move since.
  const auto lacks = [&](const auto& entry) {
    const auto& [uuid, known] = entry;
    return known.balloon_moved_at && *known.balloon_moved_at > newest.asked_at &&
           std::none_of(newest.listed.begin(), newest.listed.end(),
                        [&](const ListedDomain& listed) { return listed.uuid == entry.first; });
  };
  if (std::any_of(roster_.domains().begin(), roster_.domains().end(), lacks)) return false;
  // Events that occurred without a connection are lost.
  if (newest.generation != control_generation_) roster_.mark_all_stale();
  control_generation_ = newest.generation;
  roster_.take_listing(newest.listed, newest.asked_at);
  return true;
}

void LaneHypervisor::take_states() {
  for (const ReadState& read : answers_->states.take()) {
    last_in_trouble_ = read.domain;
    if (!read.state) continue;
    if (auto note = roster_.take_control_state(read.domain, *read.state, read.asked_at)) {
      notes_.push_back(*std::move(note));
    }
  }
}

void LaneHypervisor::listing_came(bool came) {
  const Instant now = steady_clock::now();
  if (came) {
    listing_held_since_.reset();
    listing_held_said_ = false;
    return;
  }
  if (!listing_held_since_) listing_held_since_ = now;
  if (listing_held_said_ || now - *listing_held_since_ < kListingHeldAfter) return;
  listing_held_said_ = true;
  notes_.push_back({Note::Severity::info,
                    fmt::format("{}: the daemon does not list its domains, as while it stops or "
                                "saves a large one; memcoord serves the domains that it knows",
                                parts_.uri)});
}

std::vector<std::optional<ControlState>> LaneHypervisor::control_states(
    const std::vector<Uuid>& domains, Instant deadline) {
  std::vector<std::optional<ControlState>> states(domains.size());
  if (control_.waits()) return states;
  std::vector<Uuid> in_turn = domains;
  std::sort(in_turn.begin(), in_turn.end());
  begin_after(last_suspect_, in_turn);
  const auto read = std::make_shared<Inbox<ReadState>>();
  (void)control_.ask(deadline, [in_turn, deadline, read](const LvResult<LaneConnection>& lane) {
    for (std::size_t i = 0; lane && i < in_turn.size() && steady_clock::now() < deadline; ++i) {
      read->push({in_turn[i], lane->connection->control_state(in_turn[i]), {}});
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

void LaneHypervisor::read_stale(Instant deadline) {
  take_texts();
  std::vector<Roster::Stale> stale = roster_.stale();
  if (stale.empty()) return;
  begin_after(last_read_, stale);
  (void)control_.ask(
      deadline, [stale, deadline, answers = answers_](const LvResult<LaneConnection>& lane) {
        for (std::size_t i = 0; lane && i < stale.size() && steady_clock::now() < deadline; ++i) {
          answers->texts.push({stale[i], lane->connection->domain_xml(stale[i].uuid)});
        }
        return true;
      });
  take_texts();
}

void LaneHypervisor::take_texts() {
  for (const ReadXml& read : answers_->texts.take()) {
    last_read_ = read.of.uuid;
    if (!read.xml) continue;
    if (auto note = roster_.take_xml(read.of, read.xml->live, read.xml->placed_on)) {
      notes_.push_back(*std::move(note));
    }
    if (auto note = roster_.take_configured(read.of.uuid, read.xml->configured_settings)) {
      notes_.push_back(*std::move(note));
    }
  }
}

void LaneHypervisor::check_long_jobs(Instant deadline) {
  std::vector<DomainTask> tasks;
  for (const auto& [uuid, known] : roster_.domains()) {
    if (known.in_long_job && !known.trouble) {
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
    roster_.find(tasks[i].domain)->in_long_job = false;
  }
}

}  // namespace memcoord::libvirt
