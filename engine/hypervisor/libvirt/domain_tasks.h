#pragma once
// What connection workers do with domains: tasks, their answers, and a chunk of tasks that one
// worker performs, one domain after the other.

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "engine/core/memory_size.h"
#include "engine/core/uuid.h"
#include "engine/hypervisor/libvirt/connection.h"

namespace memcoord::libvirt {

struct DomainTask {
  enum class Kind {
    sample,
    set_memory,  ///< unless a migration, save or snapshot is under way
    set_period,
    restore_period,  ///< unless somebody else has changed the period since
    check_job,       ///< whether a migration, save or snapshot is under way
  };
  Kind kind = Kind::sample;
  Uuid domain;
  MemorySize target;                 ///< set_memory
  std::chrono::seconds period{};     ///< set_period, restore_period: the period to set
  std::chrono::seconds set_by_us{};  ///< restore_period: the period that the domain must still have
  bool balloon_moves = false;        ///< sample: query the balloon individually as well
  std::uint64_t call = 0;            ///< set_memory: identifies the late answer
};

struct TaskAnswer {
  enum class Kind {
    unanswered,  ///< no answer by the deadline; nothing shows that the domain causes it
    done,        ///< with the record of a sample
    gone,        ///< the domain is not active any more
    in_job,      ///< a migration, save, dump or snapshot is under way
    hung,        ///< the domain's monitor does not answer
    failed,      ///< with the error
  };
  Kind kind = Kind::unanswered;
  std::optional<DomainRecord> record;
  std::optional<LvError> error;
  /// A call that changes the domain was made and has no answer yet; a late answer may come.
  bool under_way = false;
  /// Such a call was made on a connection that was lost then; no answer will come.
  bool lost = false;
};

/// An answer that came after the pool had stopped waiting for it.
struct LateAnswer {
  DomainTask task;
  TaskAnswer answer;
};

/// Which statistics calls the driver serves. The first answer shows it; all workers share it.
enum class SamplingWay {
  unknown,
  bulk,              ///< one call reports balloon figures
  state_and_single,  ///< one call reports states alone; a call for each domain reports the rest
  single,            ///< a call for each domain
};

/// A part of the tasks of one run. The worker that performs it and the pool that waits for it share
/// it; all methods lock. After cancel() the worker makes no further call. Answers that arrive then
/// are dropped, but for answers to changes, which go into the inbox of late answers.
class TaskChunk {
 public:
  /// Domains in one bulk call. Several calls let a slow link answer some of them by the deadline.
  static constexpr std::size_t kDomainsPerCall = 64;

  TaskChunk(std::vector<DomainTask> tasks, std::shared_ptr<Inbox<LateAnswer>> late)
      : tasks_(std::move(tasks)), answers_(tasks_.size()), late_(std::move(late)) {}

  // For the worker.
  /// Performs the tasks, which are all samples or none, and finishes.
  void perform(const LvResult<LaneConnection>& lane, std::atomic<SamplingWay>& way);

  // For the pool.
  /// Whether it finished by the deadline.
  [[nodiscard]] bool wait_until(Instant deadline);
  [[nodiscard]] bool finished() const;
  /// The domains of the call under way: one, or all those of a bulk call. One of them keeps the
  /// chunk from finishing.
  [[nodiscard]] std::vector<Uuid> suspects() const;
  /// False: it had finished before.
  bool cancel();
  /// In the order of the tasks.
  [[nodiscard]] std::vector<TaskAnswer> answers() const;
  /// Why it finished early: the connection could not be opened, or was lost.
  [[nodiscard]] std::optional<LvError> broken_by() const;

 private:
  /// The tasks of one call: those from `first` to the one before `last`.
  struct Part {
    std::size_t first = 0;
    std::size_t last = 0;
  };
  /// False: the chunk was cancelled, and the call must not be made.
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
  /// Performs a task other than a sample. `unanswered`: cancelled before its change.
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
  Part current_;  ///< the tasks of the call under way
  bool cancelled_ = false;
  bool finished_ = false;
  std::optional<LvError> broken_by_;
};

}  // namespace memcoord::libvirt
