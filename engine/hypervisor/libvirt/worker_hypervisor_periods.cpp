// Statistics periods: WorkerHypervisor sets those of 0, restores them at its end, and has guests
// report at once by setting their periods anew.

#include <fmt/core.h>

#include <algorithm>
#include <thread>
#include <utility>

#include "engine/hypervisor/libvirt/worker_hypervisor.h"

namespace memcoord::libvirt {
namespace {

using std::chrono::steady_clock;

/// How long a guest takes from the request to its report (measured: 2 to 3 ms).
constexpr std::chrono::milliseconds kReportsWithin{4};

/// The period that a domain is to get; none: its period stays.
std::optional<std::chrono::seconds> period_for(const KnownDomain& known,
                                               std::chrono::seconds usual) {
  const bool served = known.described && !known.unresponsive &&
                      known.description.unsuitable.empty() && !known.description.settings_error &&
                      !known.identity->settings.exclude;
  if (!served || known.period_refused || known.in_long_job) return std::nullopt;
  if (known.period_to_put_back) return known.period_to_put_back;
  if (known.description.period.count() > 0) return std::nullopt;
  return usual;
}

}  // namespace

void WorkerHypervisor::set_periods(const Sampled& sampled, Instant deadline) {
  if (last_observation_.read_only) return;
  std::vector<DomainTask> tasks;
  for (std::size_t i = 0; i < sampled.uuids.size(); ++i) {
    const KnownDomain* known = registry_.find(sampled.uuids[i]);
    const TaskAnswer& answer = sampled.answers[i];
    const bool running =
        answer.record && answer.record->state == DomainState::running && !lacks_guest(answer);
    if (!running || known == nullptr) continue;
    const auto period = period_for(*known, options_.period);
    if (period) {
      tasks.push_back({DomainTask::Kind::set_period, sampled.uuids[i], {}, *period, {}});
    }
  }
  if (tasks.empty()) return;
  const TaskReport report = pool_.run(tasks, deadline);
  for (std::size_t i = 0; i < tasks.size(); ++i) {
    take_period_answer(*registry_.find(tasks[i].domain), report.answers[i]);
  }
}

/// Updates a domain whose period was to be set.
void WorkerHypervisor::take_period_answer(KnownDomain& known, const TaskAnswer& answer) {
  const std::string& name = known.identity->name;
  if (answer.kind == TaskAnswer::Kind::done) {
    if (const auto put_back = std::exchange(known.period_to_put_back, std::nullopt)) {
      known.description.period = *put_back;
      return;
    }
    if (known.period_was_off && !known.period_in_doubt) {
      notes_.push_back(
          {Note::Severity::info,
           fmt::format("{}: its statistics period was off; memcoord has set it again", name)});
    }
    known.period_was_off = true;
    known.period_in_doubt = false;
    known.description.period = options_.period;
  } else if ((answer.under_way || answer.lost) && !known.period_to_put_back) {
    // The next tick tries again; close() restores the period even if this call has failed.
    known.period_was_off = known.period_in_doubt = true;
  } else if (answer.kind == TaskAnswer::Kind::failed && !lost_connection(*answer.error)) {
    known.period_refused = true;
    notes_.push_back(
        {Note::Severity::warning,
         to_error(*answer.error, name + ": its statistics period cannot be set").text()});
  }
}

void WorkerHypervisor::restore_periods(Instant deadline) {
  std::vector<DomainTask> tasks;
  std::size_t left = 0;
  for (const auto& [uuid, known] : registry_.domains()) {
    if (!known.period_was_off && !known.period_to_put_back) continue;
    if (known.unresponsive) {
      ++left;
      continue;
    }
    // A period in doubt is set without a check: the call in doubt may still change it before.
    const bool in_doubt = known.period_in_doubt || known.period_to_put_back;
    const auto kind = in_doubt ? DomainTask::Kind::set_period : DomainTask::Kind::restore_period;
    const auto period = known.period_was_off ? std::chrono::seconds(0) : *known.period_to_put_back;
    tasks.push_back({kind, uuid, {}, period, known.description.period});
  }
  const TaskReport report = pool_.run(tasks, deadline);
  for (const TaskAnswer& answer : report.answers) {
    const bool over =
        answer.kind == TaskAnswer::Kind::done || answer.kind == TaskAnswer::Kind::gone;
    left += over ? 0 : 1;
  }
  if (left == 0) return;
  notes_.push_back({Note::Severity::warning,
                    fmt::format("the statistics period of {} domain{} could not be restored: it "
                                "stays as memcoord left it until the next start",
                                left, left == 1 ? "" : "s")});
}

void WorkerHypervisor::refresh(std::span<const Uuid> domains, Duration patience) {
  const Instant deadline = steady_clock::now() + patience;
  if (closed_ || down_since_ || !serves_refresh()) return;
  update_from_events();
  see_reports_since_moves(domains, deadline);
  std::vector<DomainTask> tasks;
  for (const Uuid& uuid : domains) {
    if (!can_be_asked(registry_.find(uuid))) continue;
    tasks.push_back({DomainTask::Kind::refresh, uuid, {}, {}, {}});
  }
  if (tasks.empty()) return;
  const TaskReport report = pool_.run(tasks, deadline, WorkerPool::kFewDomainsPerWorker);
  bool any_asked = false;
  Sampled hung;
  for (std::size_t i = 0; i < tasks.size(); ++i) {
    if (report.answers[i].kind == TaskAnswer::Kind::hung) {
      hung.uuids.push_back(tasks[i].domain);
      hung.answers.push_back(report.answers[i]);
    }
    any_asked |= take_refresh_answer(*registry_.find(tasks[i].domain), report.answers[i]);
  }
  note_unresponsive(hung, deadline);
  const Instant reported = std::min(deadline, steady_clock::now() + kReportsWithin);
  if (any_asked) std::this_thread::sleep_until(reported);
}

/// Says once for each connection why it does not.
bool WorkerHypervisor::serves_refresh() {
  if (refresh_refused_in_ == last_observation_.generation) return false;
  const bool serves = last_observation_.driver.reports_on_demand && !last_observation_.read_only;
  if (serves) return true;
  refresh_refused_in_ = last_observation_.generation;
  notes_.push_back(
      {Note::Severity::info,
       fmt::format("{}: guests report at their statistics periods alone: {}", parts_.uri,
                   last_observation_.read_only ? "the connection is read-only"
                                               : "libvirt's driver cannot ask them")});
  return false;
}

bool WorkerHypervisor::can_be_asked(const KnownDomain* known) const {
  return known != nullptr && known->described && known->description.period.count() > 0 &&
         known->description.unsuitable.empty() && !known->refresh_refused &&
         !known->period_to_put_back && !known->unresponsive && !known->in_long_job &&
         !known->paused && !known->stopped;
}

/// Samples domains that were moved since their last sample: a report that differs from what this
/// shows is surely newer than the move.
void WorkerHypervisor::see_reports_since_moves(std::span<const Uuid> domains, Instant deadline) {
  Sampled sampled;
  std::vector<DomainTask> tasks;
  for (const Uuid& uuid : domains) {
    const KnownDomain* known = registry_.find(uuid);
    if (!can_be_asked(known) || !known->balloon_moved_at) continue;
    if (known->sampled_at >= *known->balloon_moved_at) continue;
    sampled.uuids.push_back(uuid);
    tasks.push_back({DomainTask::Kind::sample, uuid, {}, {}, {}});
  }
  if (tasks.empty()) return;
  sampled.asked_at = monotonic_now();
  sampled.answers = pool_.run(tasks, deadline).answers;
  take_answers(sampled);
  note_unresponsive(sampled, deadline);
}

/// Returns whether its guest was asked.
bool WorkerHypervisor::take_refresh_answer(KnownDomain& known, const TaskAnswer& answer) {
  const bool begun = answer.period.count() > 0;
  const bool done = answer.kind == TaskAnswer::Kind::done;
  if (done && !answer.lost && begun) {
    // Another tool's period stays, also when memcoord ends.
    if (answer.period != known.description.period) known.period_was_off = false;
    known.description.period = answer.period;
    return true;
  }
  if (answer.kind == TaskAnswer::Kind::gone) return false;
  if (answer.kind == TaskAnswer::Kind::in_job) known.in_long_job = true;
  const bool midway = answer.lost || answer.under_way || (begun && !done);
  if (midway) {
    known.period_to_put_back = begun ? answer.period : known.description.period;
  } else if (done) {
    // Another tool has set it to 0.
    known.stale = true;
    ++known.xml_version;
  }
  if (answer.kind == TaskAnswer::Kind::failed && !lost_connection(*answer.error)) {
    refuse_refresh(known, *answer.error);
  }
  return false;
}

void WorkerHypervisor::refuse_refresh(KnownDomain& known, const LibvirtError& error) {
  const std::string& name = known.identity->name;
  const Error why = to_error(error, name);
  if (why.code == ErrorCode::timed_out || why.code == ErrorCode::unavailable) return;
  known.refresh_refused = true;
  const bool all = unsupported_call(error) || why.code == ErrorCode::permission_denied;
  if (all) refresh_refused_in_ = last_observation_.generation;
  notes_.push_back(
      {Note::Severity::info, fmt::format("{}: guests report at their statistics periods alone: {}",
                                         all ? parts_.uri : name, why.message)});
}

}  // namespace memcoord::libvirt
