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

/// Shared by the lane that works on it and the pool that waits for it. Once it is cancelled nothing
/// more is begun. Of the answers that come then, those to changes go into an inbox, since the
/// change may have been made; the others are dropped.
class TaskChunk {
 public:
  /// Domains in one bulk call: over a slow link, what has been answered by the deadline counts.
  static constexpr std::size_t kDomainsPerCall = 64;

  TaskChunk(std::vector<DomainTask> tasks, std::shared_ptr<Inbox<LateAnswer>> late)
      : tasks_(std::move(tasks)), answers_(tasks_.size()), late_(std::move(late)) {}

  // For the lane.
  /// Works through the tasks, which are all samples or none, and finishes.
  void perform(const LvResult<LaneConnection>& lane, std::atomic<SamplingWay>& way);

  // For the pool.
  [[nodiscard]] bool wait_until(Instant deadline);
  [[nodiscard]] bool finished() const;
  /// Whose fault it may be that it does not finish: the domain whose call is under way, or all
  /// those in the bulk call.
  [[nodiscard]] std::vector<Uuid> suspects() const;
  /// False where it had finished before.
  bool cancel();
  /// Parallel to the tasks; those not answered are `unanswered`.
  [[nodiscard]] std::vector<TaskAnswer> answers() const;
  /// Why it finished early: the connection could not be opened, or was lost.
  [[nodiscard]] std::optional<LvError> broken_by() const;

 private:
  /// A part of the tasks, which one call is for: those from `first` to the one before `last`.
  struct Part {
    std::size_t first = 0;
    std::size_t last = 0;
  };
  /// False where it has been cancelled: the call must not be made.
  bool begin(Part part);
  bool begin(std::size_t index) { return begin({index, index + 1}); }
  bool begin_change(std::size_t index);
  void answer(std::size_t index, TaskAnswer answer);
  [[nodiscard]] TaskAnswer answered(std::size_t index) const;
  void finish(std::optional<LvError> broken_by);

  std::optional<LvError> sample(Connection& connection, std::atomic<SamplingWay>& way, Part part);
  /// Queries moving balloons individually: bulk figures are up to a second old.
  std::optional<LvError> ask_balloons(Connection& connection, Part part);
  std::optional<LvError> sample_singly(Connection& connection, Part part,
                                       const std::vector<DomainRecord>& records);
  /// Carries out one task that is no sample; none where that was cancelled before the change.
  LvResult<TaskAnswer::Kind> carry_out(Connection& connection, std::size_t index);
  LvResult<TaskAnswer::Kind> set_memory(Connection& connection, std::size_t index);
  LvResult<TaskAnswer::Kind> set_period(Connection& connection, std::size_t index);
  LvResult<TaskAnswer::Kind> restore_period(Connection& connection, std::size_t index);
  [[nodiscard]] std::vector<Uuid> domains_of(Part part) const;

  const std::vector<DomainTask> tasks_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<TaskAnswer> answers_;
  const std::shared_ptr<Inbox<LateAnswer>> late_;
  Part current_;  ///< what the call under way is for
  bool cancelled_ = false;
  bool finished_ = false;
  std::optional<LvError> broken_by_;
};

}  // namespace memcoord::libvirt
