#include "engine/hypervisor/libvirt/task_chunk.h"

#include <algorithm>
#include <unordered_map>
#include <utility>

#include "engine/hypervisor/libvirt/domain_xml.h"

namespace memcoord::libvirt {
namespace {

using Kind = TaskAnswer::Kind;

TaskAnswer failed(const LvError& error) {
  return {domain_is_gone(error) ? Kind::gone : Kind::failed, std::nullopt, error};
}

/// Sets a domain's memory, unless a job would make that call wait for half a minute.
LvResult<Kind> set_memory(Connection& connection, const DomainTask& task) {
  const LvResult<bool> in_job = connection.in_long_job(task.domain);
  if (!in_job) return tl::unexpected(in_job.error());
  if (*in_job) return Kind::in_job;
  if (const LvStatus set = connection.set_memory(task.domain, task.target); !set) {
    return tl::unexpected(set.error());
  }
  return Kind::done;
}

/// Puts a period back where it still is the one that was set.
LvResult<Kind> restore_period(Connection& connection, const DomainTask& task) {
  const LvResult<DomainXml> xml = connection.domain_xml(task.domain);
  if (!xml) return tl::unexpected(xml.error());
  const Result<DomainDescription> now = describe_domain(xml->live, "");
  if (!now || now->period != task.set_by_us) return Kind::done;
  if (const LvStatus set = connection.set_period(task.domain, task.period); !set) {
    return tl::unexpected(set.error());
  }
  return Kind::done;
}

LvResult<Kind> carry_out(Connection& connection, const DomainTask& task) {
  switch (task.kind) {
    case DomainTask::Kind::set_memory:
      return set_memory(connection, task);
    case DomainTask::Kind::restore_period:
      return restore_period(connection, task);
    case DomainTask::Kind::check_job: {
      const LvResult<bool> in_job = connection.in_long_job(task.domain);
      if (!in_job) return tl::unexpected(in_job.error());
      return *in_job ? Kind::in_job : Kind::done;
    }
    default: {
      const LvStatus set = connection.set_period(task.domain, task.period);
      if (!set) return tl::unexpected(set.error());
      return Kind::done;
    }
  }
}

std::vector<Uuid> domains_of(const std::vector<DomainTask>& tasks) {
  std::vector<Uuid> domains;
  domains.reserve(tasks.size());
  for (const DomainTask& task : tasks) domains.push_back(task.domain);
  return domains;
}

/// A driver answers bulk calls with balloon figures, or with states alone.
bool has_balloon_figures(const std::vector<DomainRecord>& records) {
  return std::any_of(records.begin(), records.end(),
                     [](const DomainRecord& record) { return record.actual.has_value(); });
}

}  // namespace

void TaskChunk::perform(const LvResult<LaneConnection>& lane, std::atomic<SamplingWay>& way) {
  if (!lane) return finish(lane.error());
  Connection& connection = *lane->connection;
  if (tasks_.empty()) return finish(std::nullopt);
  if (tasks_.front().kind == DomainTask::Kind::sample) return finish(sample(connection, way));
  for (std::size_t i = 0; i < tasks_.size(); ++i) {
    if (!begin(i)) break;
    const LvResult<Kind> done = carry_out(connection, tasks_[i]);
    if (!done && lost_connection(done.error())) return finish(done.error());
    answer(i, done ? TaskAnswer{*done, std::nullopt, std::nullopt} : failed(done.error()));
  }
  finish(std::nullopt);
}

std::optional<LvError> TaskChunk::sample(Connection& connection, std::atomic<SamplingWay>& way) {
  if (way == SamplingWay::single) return sample_singly(connection, {});
  if (!begin_all()) return std::nullopt;
  auto records = connection.bulk_statistics(domains_of(tasks_));
  if (!records) {
    if (!unsupported_call(records.error())) return records.error();
    way = SamplingWay::single;
    return sample_singly(connection, {});
  }
  if (way == SamplingWay::unknown && !records->empty()) {
    way = has_balloon_figures(*records) ? SamplingWay::bulk : SamplingWay::state_and_single;
  }
  std::unordered_map<Uuid, std::size_t> indices;
  for (std::size_t i = 0; i < tasks_.size(); ++i) indices[tasks_[i].domain] = i;
  const bool complete = way == SamplingWay::bulk;
  for (std::size_t i = 0; complete && i < tasks_.size(); ++i) answer(i, {Kind::gone, {}, {}});
  for (const DomainRecord& record : *records) {
    const auto found = indices.find(record.uuid);
    if (complete && found != indices.end()) answer(found->second, {Kind::done, record, {}});
  }
  if (complete) return ask_balloons(connection);
  return sample_singly(connection, *records);
}

std::optional<LvError> TaskChunk::ask_balloons(Connection& connection) {
  for (std::size_t i = 0; i < tasks_.size(); ++i) {
    if (!tasks_[i].balloon_moves) continue;
    TaskAnswer known = answered(i);
    // Without rss the daemon could not get at it just now.
    const bool tells = known.record && known.record->actual && known.record->rss &&
                       *known.record->actual < kSingleCallsOverflow;
    if (!tells) continue;
    if (!begin(i)) return std::nullopt;
    const auto size = connection.balloon(tasks_[i].domain);
    if (!size && lost_connection(size.error())) return size.error();
    if (!size || !*size) continue;
    known.record->actual = *size;
    answer(i, std::move(known));
  }
  return std::nullopt;
}

std::optional<LvError> TaskChunk::sample_singly(Connection& connection,
                                                const std::vector<DomainRecord>& records) {
  std::unordered_map<Uuid, DomainRecord> known;
  for (const DomainRecord& record : records) known.emplace(record.uuid, record);
  const bool states_known = !known.empty();
  for (std::size_t i = 0; i < tasks_.size(); ++i) {
    if (!begin(i)) return std::nullopt;
    const auto found = known.find(tasks_[i].domain);
    if (states_known && found == known.end()) {
      answer(i, {Kind::gone, {}, {}});
      continue;
    }
    DomainRecord record;
    if (found != known.end()) record = found->second;
    record.uuid = tasks_[i].domain;
    const LvStatus completed = connection.complete(record);
    if (!completed && lost_connection(completed.error())) return completed.error();
    answer(i, completed ? TaskAnswer{Kind::done, record, {}} : failed(completed.error()));
  }
  return std::nullopt;
}

bool TaskChunk::begin(std::size_t index) {
  const std::lock_guard lock(mutex_);
  current_ = index;
  all_at_once_ = false;
  return !cancelled_;
}

bool TaskChunk::begin_all() {
  const std::lock_guard lock(mutex_);
  all_at_once_ = true;
  return !cancelled_;
}

void TaskChunk::answer(std::size_t index, TaskAnswer answer) {
  const std::lock_guard lock(mutex_);
  if (!cancelled_) answers_[index] = std::move(answer);
}

TaskAnswer TaskChunk::answered(std::size_t index) const {
  const std::lock_guard lock(mutex_);
  return answers_[index];
}

void TaskChunk::finish(std::optional<LvError> broken_by) {
  {
    const std::lock_guard lock(mutex_);
    finished_ = true;
    current_.reset();
    broken_by_ = std::move(broken_by);
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
  if (all_at_once_) return domains_of(tasks_);
  if (!current_) return {};
  return {tasks_[*current_].domain};
}

void TaskChunk::cancel() {
  const std::lock_guard lock(mutex_);
  cancelled_ = true;
}

std::vector<TaskAnswer> TaskChunk::answers() const {
  const std::lock_guard lock(mutex_);
  return answers_;
}

std::optional<LvError> TaskChunk::broken_by() const {
  const std::lock_guard lock(mutex_);
  return broken_by_;
}

}  // namespace memcoord::libvirt
