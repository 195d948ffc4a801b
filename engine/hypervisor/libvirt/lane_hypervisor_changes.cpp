// What LaneHypervisor changes: balloons, statistics periods, and putting the latter back.

#include <fmt/core.h>

#include <algorithm>
#include <utility>

#include "engine/hypervisor/libvirt/lane_hypervisor.h"

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

Error silent(const std::string& name) {
  return {ErrorCode::timed_out, name, "its QEMU process does not answer", {}, {}};
}

Error held_by_daemon(const std::string& name) {
  return {ErrorCode::timed_out,
          name,
          "the daemon does not get at it, as while it is being stopped or saved",
          {},
          {}};
}

Error may_still_come(Error error) {
  error.message += "; its balloon may still move";
  return error;
}

}  // namespace

std::vector<Outcome> LaneHypervisor::apply(std::span<const Move> moves) {
  const Instant deadline = steady_clock::now() + options_.deadline;
  take_events();
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

void LaneHypervisor::note_hung(std::vector<Outcome>& outcomes, const std::vector<std::size_t>& hung,
                               Instant deadline) {
  if (hung.empty()) return;
  const MonotonicTime now = monotonic_now();
  std::vector<Uuid> domains;
  domains.reserve(hung.size());
  for (const std::size_t i : hung) domains.push_back(outcomes[i].domain);
  const auto states = control_states(domains, deadline);
  for (std::size_t i = 0; i < hung.size(); ++i) {
    roster_.take_trouble(domains[i], states[i].value_or(ControlState{}), now);
    if (states[i]) continue;
    Outcome& theirs = outcomes[hung[i]];
    theirs.error = held_by_daemon(roster_.find(domains[i])->identity->name);
    if (theirs.kind == Outcome::Kind::unknown) theirs.error = may_still_come(*theirs.error);
  }
}

std::optional<Outcome> LaneHypervisor::refuse(const Move& move) {
  if (down_since_) {
    return outcome(move, Outcome::Kind::failed,
                   Error{ErrorCode::unavailable, parts_.uri, "not connected", {}, {}});
  }
  const KnownDomain* known = roster_.find(move.domain);
  if (known == nullptr || known->stopped) {
    return outcome(move, Outcome::Kind::vanished);
  }
  const std::string& name = known->identity->name;
  if (auto refused = refuse_open(move, name)) return refused;
  if (known->trouble) {
    const bool in_job = known->trouble->kind == ControlState::Kind::in_job;
    return outcome(move, Outcome::Kind::skipped, in_job ? busy(name) : silent(name));
  }
  if (known->in_long_job) return outcome(move, Outcome::Kind::skipped, busy(name));
  if (known->paused) {
    return outcome(move, Outcome::Kind::skipped,
                   Error{ErrorCode::unavailable, name, "it has been paused", {}, {}});
  }
  return std::nullopt;
}

/// Moves wait for an earlier one that could be carried out after them.
std::optional<Outcome> LaneHypervisor::refuse_open(const Move& move, const std::string& name) {
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

Outcome LaneHypervisor::make_outcome(const Move& move, const DomainTask& task,
                                     const TaskAnswer& answer) {
  KnownDomain& known = *roster_.find(move.domain);
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
      return outcome(move, Outcome::Kind::skipped, silent(name));
    case TaskAnswer::Kind::failed:
      return outcome(move, outcome_kind(*answer.error), to_error(*answer.error, name));
    case TaskAnswer::Kind::unanswered:
      break;
  }
  return outcome(move, Outcome::Kind::skipped,
                 Error{ErrorCode::timed_out, name, "no answer within the deadline", {}, {}});
}

/// Keeps in mind that a change may be carried out at any time from now on.
Outcome LaneHypervisor::leave_open(const Move& move, const DomainTask& task,
                                   const TaskAnswer& answer) {
  KnownDomain& known = *roster_.find(move.domain);
  const MonotonicTime now = monotonic_now();
  OpenChange& change = open_changes_[move.domain];
  const bool lost = answer.lost || change.lost_at;
  change = {task.call, move, now, std::nullopt, answer.under_way, std::nullopt};
  if (lost) change.lost_at = now;
  known.balloon_moved_at = now;
  if (answer.kind == TaskAnswer::Kind::in_job) known.in_long_job = true;
  const std::string& name = known.identity->name;
  Error why{ErrorCode::timed_out, name, "no answer within the deadline", {}, {}};
  if (answer.kind == TaskAnswer::Kind::hung) why = silent(name);
  if (answer.kind == TaskAnswer::Kind::in_job) why = busy(name);
  if (answer.error) why = to_error(*answer.error, name);
  return outcome(move, Outcome::Kind::unknown, may_still_come(std::move(why)));
}

std::vector<Outcome> LaneHypervisor::take_late_outcomes() {
  std::vector<Outcome> outcomes;
  // What was sent to a process that has ended since is carried out no more.
  for (auto change = open_changes_.begin(); change != open_changes_.end();) {
    const KnownDomain* known = roster_.find(change->first);
    std::optional<int>& id = change->second.domain_id;
    if (known != nullptr && !id && known->listed_at >= change->second.sent_at) id = known->id;
    if (known != nullptr && (!id || known->id == *id)) {
      ++change;
      continue;
    }
    outcomes.push_back(outcome(change->second.move, Outcome::Kind::vanished));
    change = open_changes_.erase(change);
  }
  for (const LateAnswer& late : pool_.take_late()) {
    const auto found = open_changes_.find(late.task.domain);
    if (found == open_changes_.end() || found->second.call != late.task.call) continue;
    if (auto known = settle(found->second, late.answer)) {
      outcomes.push_back(*std::move(known));
      open_changes_.erase(found);
    }
  }
  return outcomes;
}

/// What a late answer makes of a change; none where that leaves it open.
std::optional<Outcome> LaneHypervisor::settle(OpenChange& change, const TaskAnswer& answer) {
  const MonotonicTime now = monotonic_now();
  const bool lost = answer.error && lost_connection(*answer.error);
  const bool over = answer.kind == TaskAnswer::Kind::done || answer.kind == TaskAnswer::Kind::gone;
  change.under_way = false;
  if (lost) change.lost_at = now;
  if (change.lost_at && !over) return std::nullopt;
  const KnownDomain* known = roster_.find(change.move.domain);
  const std::string name = known == nullptr ? change.move.domain.text() : known->identity->name;
  const auto waited = std::chrono::duration_cast<std::chrono::seconds>(now - change.sent_at);
  const auto tell = [&](std::string_view what) {
    notes_.push_back({Note::Severity::info,
                      fmt::format("{}: its balloon change to {} {}, answered after {} s", name,
                                  change.move.to.text(options_.units), what, waited.count())});
  };
  switch (answer.kind) {
    case TaskAnswer::Kind::done:
      tell("was carried out");
      return outcome(change.move, Outcome::Kind::applied);
    case TaskAnswer::Kind::gone:
      return outcome(change.move, Outcome::Kind::vanished);
    default:
      tell("was not carried out");
      return outcome(change.move, Outcome::Kind::failed, to_error(*answer.error, name));
  }
}

void LaneHypervisor::restore_periods(Instant deadline) {
  std::vector<DomainTask> tasks;
  std::size_t left = 0;
  for (const auto& [uuid, known] : roster_.domains()) {
    if (!known.period_before) continue;
    if (known.trouble) {
      ++left;
      continue;
    }
    // Where it is not known whether it was set, the call that may still set it comes first.
    const auto kind =
        known.period_in_doubt ? DomainTask::Kind::set_period : DomainTask::Kind::restore_period;
    tasks.push_back({kind, uuid, {}, *known.period_before, known.description.period});
  }
  const TaskReport report = pool_.run(tasks, deadline);
  for (const TaskAnswer& answer : report.answers) {
    const bool over =
        answer.kind == TaskAnswer::Kind::done || answer.kind == TaskAnswer::Kind::gone;
    left += over ? 0 : 1;
  }
  if (left == 0) return;
  notes_.push_back({Note::Severity::warning,
                    fmt::format("the statistics period of {} domain{} could not be put back: it "
                                "stays at {} s until the next start",
                                left, left == 1 ? "" : "s", options_.period.count())});
}

void LaneHypervisor::close() {
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
