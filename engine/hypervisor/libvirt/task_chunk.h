#pragma once
// A part of the tasks of one tick: what one lane works through, one domain after the other.

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "engine/hypervisor/libvirt/domain_task.h"
#include "engine/hypervisor/libvirt/lane.h"

namespace memcoord::libvirt {

/// How the driver wants to be asked for statistics; found out by the first answer, shared by lanes.
enum class SamplingWay {
  unknown,
  bulk,              ///< one call answers with balloon figures
  state_and_single,  ///< one call answers with states alone, then a call a domain
  single,            ///< a call a domain
};

/// Shared by the lane that works on it and the pool that waits for it. Once it is cancelled
/// nothing more is begun, and answers that come late are dropped.
class TaskChunk {
 public:
  explicit TaskChunk(std::vector<DomainTask> tasks)
      : tasks_(std::move(tasks)), answers_(tasks_.size()) {}

  // For the lane.
  /// Works through the tasks, whose kind is that of the first, and finishes.
  void perform(const LvResult<LaneConnection>& lane, std::atomic<SamplingWay>& way);

  // For the pool.
  [[nodiscard]] bool wait_until(Instant deadline);
  [[nodiscard]] bool finished() const;
  /// Whose fault it may be that it does not finish: the domain whose call is under way, or all
  /// those in the bulk call.
  [[nodiscard]] std::vector<Uuid> suspects() const;
  void cancel();
  [[nodiscard]] const std::vector<DomainTask>& tasks() const { return tasks_; }
  /// Parallel to tasks(); those not answered are `unanswered`.
  [[nodiscard]] std::vector<TaskAnswer> answers() const;
  /// Why it finished early: the connection could not be opened, or was lost.
  [[nodiscard]] std::optional<LvError> broken_by() const;

 private:
  bool begin(std::size_t index);
  bool begin_all();
  void answer(std::size_t index, TaskAnswer answer);
  [[nodiscard]] TaskAnswer answered(std::size_t index) const;
  void finish(std::optional<LvError> broken_by);

  std::optional<LvError> sample(Connection& connection, std::atomic<SamplingWay>& way);
  /// What bulk calls have late, of those whose balloons move.
  std::optional<LvError> ask_balloons(Connection& connection);
  std::optional<LvError> sample_singly(Connection& connection,
                                       const std::vector<DomainRecord>& records);

  const std::vector<DomainTask> tasks_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<TaskAnswer> answers_;
  std::optional<std::size_t> current_;  ///< the task under way
  bool all_at_once_ = false;            ///< a bulk call is under way
  bool cancelled_ = false;
  bool finished_ = false;
  std::optional<LvError> broken_by_;
};

}  // namespace memcoord::libvirt
