// Balloon changes of WorkerHypervisor, and its end.

#include <fmt/core.h>

#include <algorithm>
#include <utility>

#include "engine/hypervisor/libvirt/worker_hypervisor.h"

namespace memcoord::libvirt {
namespace {

using std::chrono::steady_clock;

constexpr std::chrono::milliseconds kRestoreWithin{500};
constexpr std::chrono::milliseconds kEndWithin{200};

Outcome outcome(const Move& move, Outcome::Kind kind, std::optional<Error> error = std::nullopt) {
  return {move.domain, move.from, move.to, kind, std::move(error)};
}

Error busy(const std::string& name) {
  return {ErrorCode::unavailable, name, "a migration, save or snapshot is under way", {}, {}};
}

Error not_answering(const std::string& name) {
  return {ErrorCode::timed_out, name, "its QEMU process does not answer", {}, {}};
}

Error blocked_by_daemon(const std::string& name) {
  return {ErrorCode::timed_out,
          name,
          "the daemon does not reach it, as while it stops or saves the domain",
          {},
          {}};
}

Error may_still_come(Error error) {
  error.message += "; its balloon may still move";
  return error;
}

}  // namespace

std::vector<Outcome> WorkerHypervisor::apply(std::span<const Move> moves) {
  const Instant deadline = steady_clock::now() + options_.deadline;
  update_from_events();
  std::vector<Outcome> outcomes(moves.size());
  std::vector<DomainTask> tasks;
  std::vector<std::size_t> indices;
  for (std::size_t i = 0; i < moves.size(); ++i) {
    if (auto refused = refuse(moves[i])) {
      outcomes[i] = *std::move(refused);
      continue;
    }
    tasks.push_back(
        {DomainTask::Kind::set_memory, moves[i].domain, moves[i].to, {}, {}, false, ++calls_});
    indices.push_back(i);
  }
  if (tasks.empty()) return outcomes;
  const TaskReport report = pool_.run(tasks, deadline);
  std::vector<std::size_t> hung;
  for (std::size_t i = 0; i < tasks.size(); ++i) {
    outcomes[indices[i]] = make_outcome(moves[indices[i]], tasks[i], report.answers[i]);
    if (report.answers[i].kind == TaskAnswer::Kind::hung) hung.push_back(indices[i]);
  }
  note_hung(outcomes, hung, deadline);
  return outcomes;
}

void WorkerHypervisor::note_hung(std::vector<Outcome>& outcomes,
                                 const std::vector<std::size_t>& hung, Instant deadline) {
  if (hung.empty()) return;
  const MonotonicTime now = monotonic_now();
  std::vector<Uuid> domains;
  domains.reserve(hung.size());
  for (const std::size_t i : hung) domains.push_back(outcomes[i].domain);
  const auto states = control_states(domains, deadline);
  for (std::size_t i = 0; i < hung.size(); ++i) {
    registry_.mark_unresponsive(domains[i], states[i].value_or(ControlState{}), now);
    if (states[i]) continue;
    Outcome& theirs = outcomes[hung[i]];
    theirs.error = blocked_by_daemon(registry_.find(domains[i])->identity->name);
    if (theirs.kind == Outcome::Kind::unknown) theirs.error = may_still_come(*theirs.error);
  }
}

std::optional<Outcome> WorkerHypervisor::refuse(const Move& move) {
  if (down_since_) {
    return outcome(move, Outcome::Kind::failed,
                   Error{ErrorCode::unavailable, parts_.uri, "not connected", {}, {}});
  }
  const KnownDomain* known = registry_.find(move.domain);
  if (known == nullptr || known->stopped) {
    return outcome(move, Outcome::Kind::vanished);
  }
  const std::string& name = known->identity->name;
  if (auto refused = refuse_open(move, name)) return refused;
  if (known->unresponsive) {
    const bool in_job = known->unresponsive->kind == ControlState::Kind::in_job;
    return outcome(move, Outcome::Kind::skipped, in_job ? busy(name) : not_answering(name));
  }
  if (known->in_long_job) return outcome(move, Outcome::Kind::skipped, busy(name));
  if (known->paused) {
    return outcome(move, Outcome::Kind::skipped,
                   Error{ErrorCode::unavailable, name, "it has been paused", {}, {}});
  }
  return std::nullopt;
}

/// Skips a move while the daemon could still carry out an earlier one after it.
std::optional<Outcome> WorkerHypervisor::refuse_open(const Move& move, const std::string& name) {
  const auto found = open_changes_.find(move.domain);
  if (found == open_changes_.end()) return std::nullopt;
  const OpenChange& change = found->second;
  const bool dead = change.lost_at && monotonic_now() - *change.lost_at >= options_.lost_call_lives;
  if (!change.under_way && dead) return std::nullopt;
  return outcome(move, Outcome::Kind::skipped,
                 Error{ErrorCode::timed_out,
                       name,
                       "its balloon change to " + change.move.to.text(options_.units) +
                           " has not been answered, and may still be carried out",
                       {},
                       {}});
}

Outcome WorkerHypervisor::make_outcome(const Move& move, const DomainTask& task,
                                       const TaskAnswer& answer) {
  KnownDomain& known = *registry_.find(move.domain);
  const std::string& name = known.identity->name;
  const bool over = answer.kind == TaskAnswer::Kind::done || answer.kind == TaskAnswer::Kind::gone;
  if (over) open_changes_.erase(move.domain);
  if (answer.under_way || answer.lost) {
    Outcome open = leave_open(move, task, answer);
    if (!over) return open;
  }
  switch (answer.kind) {
    case TaskAnswer::Kind::done:
      known.balloon_moved_at = monotonic_now();
      return outcome(move, Outcome::Kind::applied);
    case TaskAnswer::Kind::gone:
      return outcome(move, Outcome::Kind::vanished);
    case TaskAnswer::Kind::in_job:
      known.in_long_job = true;
      return outcome(move, Outcome::Kind::skipped, busy(name));
    case TaskAnswer::Kind::hung:
      return outcome(move, Outcome::Kind::skipped, not_answering(name));
    case TaskAnswer::Kind::failed:
      return outcome(move, outcome_kind(*answer.error), to_error(*answer.error, name));
    case TaskAnswer::Kind::unanswered:
      break;
  }
  return outcome(move, Outcome::Kind::skipped,
                 Error{ErrorCode::timed_out, name, "no answer within the deadline", {}, {}});
}

/// Remembers that the daemon may carry out a change at any time from now on.
Outcome WorkerHypervisor::leave_open(const Move& move, const DomainTask& task,
                                     const TaskAnswer& answer) {
  KnownDomain& known = *registry_.find(move.domain);
  const MonotonicTime now = monotonic_now();
  OpenChange& change = open_changes_[move.domain];
  const bool lost = answer.lost || change.lost_at;
  change = {task.call, move, now, std::nullopt, answer.under_way, std::nullopt};
  if (lost) change.lost_at = now;
  known.balloon_moved_at = now;
  if (answer.kind == TaskAnswer::Kind::in_job) known.in_long_job = true;
  const std::string& name = known.identity->name;
  Error why{ErrorCode::timed_out, name, "no answer within the deadline", {}, {}};
  if (answer.kind == TaskAnswer::Kind::hung) why = not_answering(name);
  if (answer.kind == TaskAnswer::Kind::in_job) why = busy(name);
  if (answer.error) why = to_error(*answer.error, name);
  return outcome(move, Outcome::Kind::unknown, may_still_come(std::move(why)));
}

std::vector<Outcome> WorkerHypervisor::drain_late_outcomes() {
  std::vector<Outcome> outcomes;
  // A change that was sent to a process that has ended since cannot be carried out.
  for (auto change = open_changes_.begin(); change != open_changes_.end();) {
    const KnownDomain* known = registry_.find(change->first);
    std::optional<int>& id = change->second.domain_id;
    if (known != nullptr && !id && known->listed_at >= change->second.sent_at) id = known->id;
    if (known != nullptr && (!id || known->id == *id)) {
      ++change;
      continue;
    }
    outcomes.push_back(outcome(change->second.move, Outcome::Kind::vanished));
    change = open_changes_.erase(change);
  }
  for (const LateAnswer& late : pool_.drain_late()) {
    const auto found = open_changes_.find(late.task.domain);
    if (found == open_changes_.end() || found->second.call != late.task.call) continue;
    if (auto known = settle(found->second, late.answer)) {
      outcomes.push_back(*std::move(known));
      open_changes_.erase(found);
    }
  }
  return outcomes;
}

/// The outcome that a late answer gives a change; none: the change stays open.
std::optional<Outcome> WorkerHypervisor::settle(OpenChange& change, const TaskAnswer& answer) {
  const MonotonicTime now = monotonic_now();
  const bool lost = answer.error && lost_connection(*answer.error);
  const bool over = answer.kind == TaskAnswer::Kind::done || answer.kind == TaskAnswer::Kind::gone;
  change.under_way = false;
  if (lost) change.lost_at = now;
  if (change.lost_at && !over) return std::nullopt;
  const KnownDomain* known = registry_.find(change.move.domain);
  const std::string name = known == nullptr ? change.move.domain.text() : known->identity->name;
  const auto waited = std::chrono::duration_cast<std::chrono::seconds>(now - change.sent_at);
  const auto note_answer = [&](std::string_view what) {
    notes_.push_back({Note::Severity::info,
                      fmt::format("{}: its balloon change to {} {}, answered after {} s", name,
                                  change.move.to.text(options_.units), what, waited.count())});
  };
  switch (answer.kind) {
    case TaskAnswer::Kind::done:
      note_answer("was carried out");
      return outcome(change.move, Outcome::Kind::applied);
    case TaskAnswer::Kind::gone:
      return outcome(change.move, Outcome::Kind::vanished);
    default:
      note_answer("was not carried out");
      return outcome(change.move, Outcome::Kind::failed, to_error(*answer.error, name));
  }
}

void WorkerHypervisor::close() {
  if (std::exchange(closed_, true)) return;
  restore_periods(steady_clock::now() + kRestoreWithin);
  const Instant deadline = steady_clock::now() + kEndWithin;
  host_.request_end();
  control_.request_end();
  pool_.end_until(deadline);
  (void)host_.end_until(deadline);
  (void)control_.end_until(deadline);
}

}  // namespace memcoord::libvirt
