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
    tasks.push_back({DomainTask::Kind::set_memory, moves[i].domain, moves[i].to, {}, {}});
    indices.push_back(i);
  }
  if (tasks.empty()) return outcomes;
  const TaskReport report = pool_.run(tasks, deadline);
  std::vector<std::size_t> hung;
  for (std::size_t i = 0; i < tasks.size(); ++i) {
    outcomes[indices[i]] = make_outcome(moves[indices[i]], report.answers[i]);
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
    if (!states[i]) {
      outcomes[hung[i]].error = held_by_daemon(roster_.find(domains[i])->identity->name);
    }
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

Outcome LaneHypervisor::make_outcome(const Move& move, const TaskAnswer& answer) {
  KnownDomain& known = *roster_.find(move.domain);
  const std::string& name = known.identity->name;
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

void LaneHypervisor::restore_periods(Instant deadline) {
  std::vector<DomainTask> tasks;
  std::size_t left = 0;
  for (const auto& [uuid, known] : roster_.domains()) {
    if (!known.period_before) continue;
    if (known.trouble) {
      ++left;
      continue;
    }
    tasks.push_back({DomainTask::Kind::restore_period,
                     uuid,
                     {},
                     *known.period_before,
                     known.description.period});
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
  (void)pool_.end_until(deadline);
  (void)host_.end_until(deadline);
  (void)control_.end_until(deadline);
}

}  // namespace memcoord::libvirt
