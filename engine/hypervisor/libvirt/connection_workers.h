#pragma once
// Connection workers: threads that each own one libvirt connection, and the tasks that they
// perform. libvirt's client serves one thread a connection, and a call to a hung guest never
// returns. Each worker can therefore be abandoned with the domain that holds it, without harm to
// the others.
//
// A run of the pool divides its tasks into chunks (task_chunk.cpp), one for each worker.

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <thread>
#include <type_traits>
#include <utility>
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
    restore_period,  ///< unless another tool has changed the period since
    refresh,         ///< has the guest report: sets its period to 0, and back to what it was
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
  std::optional<LibvirtError> error;
  /// A call that changes the domain was made and has no answer yet; a late answer may come.
  bool under_way = false;
  /// Such a call was made on a connection that was lost then; no answer will come.
  bool lost = false;
  /// refresh: the period that was found. It has been set again where the answer is `done`.
  std::chrono::seconds period{};
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
  void perform(const LibvirtResult<WorkerConnection>& worker, std::atomic<SamplingWay>& way);

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
  [[nodiscard]] std::optional<LibvirtError> broken_by() const;

 private:
  /// The tasks of one call: those from `first` to the one before `last`.
  struct Part {
    std::size_t first = 0;
    std::size_t last = 0;
  };
  /// False: the chunk was cancelled, and the call must not be made.
  bool begin(Part part);
  bool begin(std::size_t index) { return begin({index, index + 1}); }
  bool begin_change(std::size_t index, std::chrono::seconds period = {});
  void answer(std::size_t index, TaskAnswer answer);
  [[nodiscard]] TaskAnswer answered(std::size_t index) const;
  void finish(std::optional<LibvirtError> broken_by);

  std::optional<LibvirtError> sample(Connection& connection, std::atomic<SamplingWay>& way,
                                     Part part);
  /// Queries moving balloons individually: bulk figures are up to a second old.
  std::optional<LibvirtError> ask_balloons(Connection& connection, Part part);
  std::optional<LibvirtError> sample_singly(Connection& connection, Part part,
                                            const std::vector<DomainRecord>& records);
  /// Performs a task other than a sample. `unanswered`: cancelled before its change.
  LibvirtResult<TaskAnswer::Kind> carry_out(Connection& connection, std::size_t index);
  LibvirtResult<TaskAnswer::Kind> set_memory(Connection& connection, std::size_t index);
  LibvirtResult<TaskAnswer::Kind> set_period(Connection& connection, std::size_t index);
  LibvirtResult<TaskAnswer::Kind> restore_period(Connection& connection, std::size_t index);
  LibvirtResult<TaskAnswer::Kind> refresh(Connection& connection, std::size_t index);
  [[nodiscard]] std::vector<Uuid> domains_of(Part part) const;

  const std::vector<DomainTask> tasks_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<TaskAnswer> answers_;
  const std::shared_ptr<Inbox<LateAnswer>> late_;
  Part current_;  ///< the tasks of the call under way
  bool cancelled_ = false;
  bool finished_ = false;
  std::optional<LibvirtError> broken_by_;
};

/// A value that one thread puts and another waits for. All methods lock.
template <class T>
class Pending {
 public:
  void put(T value) {
    {
      const std::lock_guard lock(mutex_);
      value_ = std::move(value);
    }
    there_.notify_all();
  }
  [[nodiscard]] bool is_there() {
    const std::lock_guard lock(mutex_);
    return value_.has_value();
  }
  /// Takes the value; none: it has not come by the deadline.
  std::optional<T> wait_until(Instant deadline) {
    std::unique_lock lock(mutex_);
    there_.wait_until(lock, deadline, [this] { return value_.has_value(); });
    return std::exchange(value_, std::nullopt);
  }

 private:
  std::mutex mutex_;
  std::condition_variable there_;
  std::optional<T> value_;
};

/// One worker. One thread owns it and calls its methods.
class ConnectionWorker {
 public:
  /// Gets the connection, or the error of opening it. Runs on the worker's thread.
  using Job = std::function<void(const LibvirtResult<WorkerConnection>&)>;

  explicit ConnectionWorker(std::shared_ptr<Connector> connector);
  ConnectionWorker(const ConnectionWorker&) = delete;
  ConnectionWorker& operator=(const ConnectionWorker&) = delete;
  /// Ends the worker; abandons its thread where a call is under way.
  ~ConnectionWorker();

  /// Queues a job; jobs run in order. The worker opens a connection before a job when it has none
  /// or has lost it.
  void post(Job job);
  /// Drops queued jobs. The thread closes its connection and ends once the running job returns.
  void request_end();
  /// Whether the thread ended by the deadline. Otherwise it is abandoned: it goes on with what it
  /// owns until its call returns.
  bool end_until(Instant deadline);

 private:
  struct Shared;
  static void run(const std::shared_ptr<Shared>& shared);

  std::shared_ptr<Shared> shared_;
  std::jthread thread_;
};

/// A worker for one question at a time about the whole connection: the host, the list of domains,
/// the state of monitors. Questions do not queue up behind one that has no answer. One thread owns
/// it.
class QueryWorker {
 public:
  explicit QueryWorker(std::shared_ptr<Connector> connector) : worker_(std::move(connector)) {}

  /// Asks a question and waits for the answer; none: it has not come by the deadline. Does not ask
  /// while an earlier question has no answer. `question` runs on the worker's thread, perhaps long
  /// after the wait has ended, so it must own what it uses.
  template <class Question>
  auto ask(Instant deadline, Question question)
      -> std::optional<std::invoke_result_t<Question, const LibvirtResult<WorkerConnection>&>> {
    if (!answered_by(deadline)) return std::nullopt;
    using Answer = std::invoke_result_t<Question, const LibvirtResult<WorkerConnection>&>;
    const auto pending = std::make_shared<Pending<Answer>>();
    const auto done = std::make_shared<Pending<bool>>();
    worker_.post([pending, done, asked = std::move(question)](const auto& connection) {
      pending->put(asked(connection));
      done->put(true);
    });
    unanswered_ = done;
    asked_at_ = std::chrono::steady_clock::now();
    std::optional<Answer> answer = pending->wait_until(deadline);
    if (answer) unanswered_.reset();
    return answer;
  }

  /// Whether a question has no answer yet, so that the next one would wait for it.
  [[nodiscard]] bool waits() const { return unanswered_ && !unanswered_->is_there(); }
  /// How long the last question has had no answer; zero: it has one.
  [[nodiscard]] std::chrono::steady_clock::duration unanswered_for() const {
    if (!unanswered_) return {};
    return std::chrono::steady_clock::now() - asked_at_;
  }
  /// Both as ConnectionWorker has them.
  void request_end() { worker_.request_end(); }
  bool end_until(Instant deadline) { return worker_.end_until(deadline); }

 private:
  bool answered_by(Instant deadline) {
    if (!unanswered_) return true;
    if (unanswered_->wait_until(deadline)) {
      unanswered_.reset();
      return true;
    }
    return false;
  }

  ConnectionWorker worker_;
  std::shared_ptr<Pending<bool>> unanswered_;
  Instant asked_at_;
};

/// The result of a run.
struct TaskReport {
  std::vector<TaskAnswer> answers;  ///< in the order of the tasks
};

/// Workers that share out the tasks of a run. One thread owns the pool and calls its methods.
class WorkerPool {
 public:
  /// Queries, on another connection, the state of some domains' monitors. Returns by the deadline,
  /// in the domains' order; none: no answer.
  using ControlQuery = std::function<std::vector<std::optional<ControlState>>(
      const std::vector<Uuid>& domains, Instant deadline)>;

  /// The most workers that may be stuck besides those at work. Each occupies one of the daemon's
  /// workers (20 by default).
  static constexpr std::size_t kMaxStuck = 8;
  /// Domains for one worker; fewer are not worth a thread.
  static constexpr std::size_t kDomainsPerWorker = 8;
  /// The same for tasks of several calls each, such as refresh.
  static constexpr std::size_t kFewDomainsPerWorker = 2;

  /// At most `workers` of them work at once.
  WorkerPool(std::shared_ptr<Connector> connector, std::size_t workers, ControlQuery control_query);

  /// Performs the tasks: all samples or none, each domain once. Returns by the deadline with the
  /// answers so far. Workers get half of the remaining time. Then the pool queries the monitors of
  /// the domains that an unfinished worker may wait for, abandons the worker with the domains that
  /// hold it, and gives its other tasks to another worker. Where the monitors cannot be queried
  /// either (the daemon blocks calls about a domain that it stops), the pool divides the unanswered
  /// tasks among workers until a single task is left without an answer.
  TaskReport run(std::span<const DomainTask> tasks, Instant deadline,
                 std::size_t domains_per_worker = kDomainsPerWorker);
  /// Late answers to changes, since the last call.
  [[nodiscard]] std::vector<LateAnswer> drain_late() { return late_->take(); }
  /// Ends all workers by the deadline; abandons those that are stuck.
  void end_until(Instant deadline);
  /// Workers that a call of an earlier run holds.
  [[nodiscard]] std::size_t stuck() const;
  /// All workers, the stuck ones too.
  [[nodiscard]] std::size_t size() const { return members_.size(); }

 private:
  struct Member {
    std::unique_ptr<ConnectionWorker> worker;
    std::shared_ptr<TaskChunk> chunk;  ///< the last one it was given
    [[nodiscard]] bool free() const { return !chunk || chunk->finished(); }
  };
  struct Flight {
    std::shared_ptr<TaskChunk> chunk;
    std::vector<std::size_t> indices;  ///< of its tasks in the run
    Instant launched;
  };
  struct Run {
    std::span<const DomainTask> tasks;
    Instant deadline;
    TaskReport report;
    std::vector<Flight> flights;
    std::vector<std::size_t> again;   ///< tasks for another worker
    std::vector<std::size_t> divide;  ///< tasks of which one, unknown, holds a worker
    std::vector<bool> tried_again;    ///< after a lost connection; once a task
    std::vector<bool> lost;           ///< a change was under way on a connection that was lost
  };

  void launch(Run& run, const std::vector<std::size_t>& indices, std::size_t domains_per_worker);
  std::vector<Member*> free_workers(std::size_t wanted);
  void harvest(Run& run);
  void collect(Run& run, const Flight& flight);
  void inspect(Run& run);
  /// Abandons a worker with those suspects that hold it; false: no suspect is known to hold it.
  bool abandon(Run& run, const Flight& flight, std::span<const Uuid> suspects,
               std::span<const std::optional<ControlState>> states);
  void divide(Run& run, const Flight& flight);

  std::shared_ptr<Connector> connector_;
  std::size_t most_;
  ControlQuery control_query_;
  std::vector<Member> members_;
  std::shared_ptr<Inbox<LateAnswer>> late_ = std::make_shared<Inbox<LateAnswer>>();
  std::shared_ptr<std::atomic<SamplingWay>> way_ =
      std::make_shared<std::atomic<SamplingWay>>(SamplingWay::unknown);
};

}  // namespace memcoord::libvirt
