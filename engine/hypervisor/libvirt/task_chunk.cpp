// A chunk of tasks that one worker performs, one domain after the other.

#include <algorithm>
#include <unordered_map>
#include <utility>

#include "engine/hypervisor/libvirt/connection_workers.h"

namespace memcoord::libvirt {
namespace {

using AnswerKind = TaskAnswer::Kind;

TaskAnswer failed(const LibvirtError& error) {
  return {domain_is_gone(error) ? AnswerKind::gone : AnswerKind::failed, std::nullopt, error};
}

/// Some drivers answer bulk calls with states alone.
bool has_balloon_figures(const std::vector<DomainRecord>& records) {
  return std::any_of(records.begin(), records.end(),
                     [](const DomainRecord& record) { return record.actual.has_value(); });
}

}  // namespace

void TaskChunk::perform(const LibvirtResult<WorkerConnection>& worker,
                        std::atomic<SamplingWay>& way) {
  if (!worker) return finish(worker.error());
  Connection& connection = *worker->connection;
  const bool samples = !tasks_.empty() && tasks_.front().kind == DomainTask::Kind::sample;
  for (std::size_t first = 0; samples && first < tasks_.size(); first += kDomainsPerCall) {
    const Part part{first, std::min(tasks_.size(), first + kDomainsPerCall)};
    if (auto lost = sample(connection, way, part)) return finish(std::move(lost));
  }
  for (std::size_t i = 0; !samples && i < tasks_.size(); ++i) {
    if (!begin(i)) break;
    const LibvirtResult<AnswerKind> done = carry_out(connection, i);
    if (!done && lost_connection(done.error())) return finish(done.error());
    TaskAnswer theirs = done ? TaskAnswer{*done, std::nullopt, std::nullopt} : failed(done.error());
    theirs.period = answered(i).period;
    answer(i, std::move(theirs));
  }
  finish(std::nullopt);
}

LibvirtResult<AnswerKind> TaskChunk::carry_out(Connection& connection, std::size_t index) {
  switch (tasks_[index].kind) {
    case DomainTask::Kind::set_memory:
      return set_memory(connection, index);
    case DomainTask::Kind::restore_period:
      return restore_period(connection, index);
    case DomainTask::Kind::refresh:
      return refresh(connection, index);
    case DomainTask::Kind::check_job: {
      const LibvirtResult<bool> in_job = connection.in_long_job(tasks_[index].domain);
      if (!in_job) return tl::unexpected(in_job.error());
      return *in_job ? AnswerKind::in_job : AnswerKind::done;
    }
    default:
      return set_period(connection, index);
  }
}

/// Checks for a job first: libvirt would let the change wait for it for half a minute.
LibvirtResult<AnswerKind> TaskChunk::set_memory(Connection& connection, std::size_t index) {
  const DomainTask& task = tasks_[index];
  const LibvirtResult<bool> in_job = connection.in_long_job(task.domain);
  if (!in_job) return tl::unexpected(in_job.error());
  if (*in_job) return AnswerKind::in_job;
  if (!begin_change(index)) return AnswerKind::unanswered;
  const LibvirtStatus set = connection.set_memory(task.domain, task.target);
  if (!set) return tl::unexpected(set.error());
  return AnswerKind::done;
}

LibvirtResult<AnswerKind> TaskChunk::set_period(Connection& connection, std::size_t index) {
  if (!begin_change(index)) return AnswerKind::unanswered;
  const LibvirtStatus set = connection.set_period(tasks_[index].domain, tasks_[index].period);
  if (!set) return tl::unexpected(set.error());
  return AnswerKind::done;
}

/// Restores a period that is still the one that memcoord set.
LibvirtResult<AnswerKind> TaskChunk::restore_period(Connection& connection, std::size_t index) {
  const auto now = connection.period(tasks_[index].domain);
  if (!now) return tl::unexpected(now.error());
  if (*now != tasks_[index].set_by_us) return AnswerKind::done;
  return set_period(connection, index);
}

/// QEMU asks a guest for its statistics when its period goes from 0 to another; the timer starts
/// anew. A second call follows the first even if the run has been cancelled in between.
LibvirtResult<AnswerKind> TaskChunk::refresh(Connection& connection, std::size_t index) {
  const Uuid& domain = tasks_[index].domain;
  const LibvirtResult<bool> in_job = connection.in_long_job(domain);
  if (!in_job) return tl::unexpected(in_job.error());
  if (*in_job) return AnswerKind::in_job;
  // Another tool may have changed it since memcoord has read it.
  const auto found = connection.period(domain);
  if (!found) return tl::unexpected(found.error());
  if (found->count() == 0) return AnswerKind::done;
  if (!begin_change(index, *found)) return AnswerKind::unanswered;
  const LibvirtStatus off = connection.set_period(domain, std::chrono::seconds(0));
  if (!off) return tl::unexpected(off.error());
  const LibvirtStatus on = connection.set_period(domain, *found);
  if (!on) return tl::unexpected(on.error());
  return AnswerKind::done;
}

std::optional<LibvirtError> TaskChunk::sample(Connection& connection, std::atomic<SamplingWay>& way,
                                              Part part) {
  if (way == SamplingWay::single) return sample_singly(connection, part, {});
  if (!begin(part)) return std::nullopt;
  auto records = connection.bulk_statistics(domains_of(part));
  if (!records) {
    if (!unsupported_call(records.error())) return records.error();
    way = SamplingWay::single;
    return sample_singly(connection, part, {});
  }
  if (way == SamplingWay::unknown && !records->empty()) {
    way = has_balloon_figures(*records) ? SamplingWay::bulk : SamplingWay::state_and_single;
  }
  std::unordered_map<Uuid, std::size_t> indices;
  for (std::size_t i = part.first; i < part.last; ++i) indices[tasks_[i].domain] = i;
  const bool complete = way == SamplingWay::bulk;
  for (std::size_t i = part.first; complete && i < part.last; ++i)
    answer(i, {AnswerKind::gone, {}, {}});
  for (const DomainRecord& record : *records) {
    const auto found = indices.find(record.uuid);
    if (complete && found != indices.end()) answer(found->second, {AnswerKind::done, record, {}});
  }
  if (complete) return ask_balloons(connection, part);
  return sample_singly(connection, part, *records);
}

std::optional<LibvirtError> TaskChunk::ask_balloons(Connection& connection, Part part) {
  for (std::size_t i = part.first; i < part.last; ++i) {
    if (!tasks_[i].balloon_moves) continue;
    TaskAnswer known = answered(i);
    // An answer without rss means that another call holds the domain.
    const bool complete = known.record && known.record->actual && known.record->rss &&
                          *known.record->actual < kSingleCallsOverflow;
    if (!complete) continue;
    if (!begin(i)) return std::nullopt;
    const auto size = connection.balloon(tasks_[i].domain);
    if (!size && lost_connection(size.error())) return size.error();
    if (!size || !*size) continue;
    known.record->actual = *size;
    answer(i, std::move(known));
  }
  return std::nullopt;
}

std::optional<LibvirtError> TaskChunk::sample_singly(Connection& connection, Part part,
                                                     const std::vector<DomainRecord>& records) {
  std::unordered_map<Uuid, DomainRecord> known;
  for (const DomainRecord& record : records) known.emplace(record.uuid, record);
  const bool states_known = !known.empty();
  for (std::size_t i = part.first; i < part.last; ++i) {
    if (!begin(i)) return std::nullopt;
    const auto found = known.find(tasks_[i].domain);
    if (states_known && found == known.end()) {
      answer(i, {AnswerKind::gone, {}, {}});
      continue;
    }
    DomainRecord record;
    if (found != known.end()) record = found->second;
    record.uuid = tasks_[i].domain;
    const LibvirtStatus completed = connection.complete(record);
    if (!completed && lost_connection(completed.error())) return completed.error();
    answer(i, completed ? TaskAnswer{AnswerKind::done, record, {}} : failed(completed.error()));
  }
  return std::nullopt;
}

std::vector<Uuid> TaskChunk::domains_of(Part part) const {
  std::vector<Uuid> domains;
  for (std::size_t i = part.first; i < part.last; ++i) domains.push_back(tasks_[i].domain);
  return domains;
}

bool TaskChunk::begin(Part part) {
  const std::lock_guard lock(mutex_);
  current_ = part;
  return !cancelled_;
}

bool TaskChunk::begin_change(std::size_t index, std::chrono::seconds period) {
  const std::lock_guard lock(mutex_);
  answers_[index].under_way = !cancelled_;
  answers_[index].period = period;
  return !cancelled_;
}

void TaskChunk::answer(std::size_t index, TaskAnswer answer) {
  const std::lock_guard lock(mutex_);
  if (!cancelled_) {
    answers_[index] = std::move(answer);
  } else if (answers_[index].under_way) {
    late_->push({tasks_[index], std::move(answer)});
  }
}

TaskAnswer TaskChunk::answered(std::size_t index) const {
  const std::lock_guard lock(mutex_);
  return answers_[index];
}

void TaskChunk::finish(std::optional<LibvirtError> broken_by) {
  {
    const std::lock_guard lock(mutex_);
    finished_ = true;
    broken_by_ = std::move(broken_by);
    for (std::size_t i = current_.first; cancelled_ && broken_by_ && i < current_.last; ++i) {
      if (answers_[i].under_way) late_->push({tasks_[i], failed(*broken_by_)});
    }
    current_ = {};
  }
  changed_.notify_all();
}

bool TaskChunk::wait_until(Instant deadline) {
  std::unique_lock lock(mutex_);
  return changed_.wait_until(lock, deadline, [this] { return finished_; });
}

bool TaskChunk::finished() const {
  const std::lock_guard lock(mutex_);
  return finished_;
}

std::vector<Uuid> TaskChunk::suspects() const {
  const std::lock_guard lock(mutex_);
  return domains_of(current_);
}

bool TaskChunk::cancel() {
  const std::lock_guard lock(mutex_);
  cancelled_ = true;
  return !finished_;
}

std::vector<TaskAnswer> TaskChunk::answers() const {
  const std::lock_guard lock(mutex_);
  return answers_;
}

std::optional<LibvirtError> TaskChunk::broken_by() const {
  const std::lock_guard lock(mutex_);
  return broken_by_;
}

}  // namespace memcoord::libvirt
