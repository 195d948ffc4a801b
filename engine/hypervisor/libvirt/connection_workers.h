#pragma once
// Connection workers: threads that each own one libvirt connection. libvirt's client serves one
// thread a connection, and a call to a hung guest never returns. Each worker can therefore be
// abandoned with the domain that holds it, without harm to the others.

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

#include "engine/hypervisor/libvirt/connection.h"
#include "engine/hypervisor/libvirt/domain_tasks.h"

namespace memcoord::libvirt {

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
class Lane {
 public:
  /// Gets the connection, or the error of opening it. Runs on the worker's thread.
  using Job = std::function<void(const LvResult<LaneConnection>&)>;

  explicit Lane(std::shared_ptr<Connector> connector);
  Lane(const Lane&) = delete;
  Lane& operator=(const Lane&) = delete;
  /// Ends the worker; abandons its thread where a call is under way.
  ~Lane();

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
class QuestionLane {
 public:
  explicit QuestionLane(std::shared_ptr<Connector> connector) : lane_(std::move(connector)) {}

  /// Asks a question and waits for the answer; none: it has not come by the deadline. Does not ask
  /// while an earlier question has no answer. `question` runs on the worker's thread, perhaps long
  /// after the wait has ended, so it must own what it uses.
  template <class Question>
  auto ask(Instant deadline, Question question)
      -> std::optional<std::invoke_result_t<Question, const LvResult<LaneConnection>&>> {
    if (!answered_by(deadline)) return std::nullopt;
    using Answer = std::invoke_result_t<Question, const LvResult<LaneConnection>&>;
    const auto pending = std::make_shared<Pending<Answer>>();
    const auto done = std::make_shared<Pending<bool>>();
    lane_.post([pending, done, asked = std::move(question)](const auto& connection) {
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
  [[nodiscard]] std::chrono::steady_clock::duration silent_for() const {
    if (!unanswered_) return {};
    return std::chrono::steady_clock::now() - asked_at_;
  }
  /// Both as Lane has them.
  void request_end() { lane_.request_end(); }
  bool end_until(Instant deadline) { return lane_.end_until(deadline); }

 private:
  bool answered_by(Instant deadline) {
    if (!unanswered_) return true;
    if (unanswered_->wait_until(deadline)) {
      unanswered_.reset();
      return true;
    }
    return false;
  }

  Lane lane_;
  std::shared_ptr<Pending<bool>> unanswered_;
  Instant asked_at_;
};

/// The result of a run.
struct TaskReport {
  std::vector<TaskAnswer> answers;  ///< in the order of the tasks
};

/// Workers that share out the tasks of a run. One thread owns the pool and calls its methods.
class LanePool {
 public:
  /// Queries, on another connection, the state of some domains' monitors. Returns by the deadline,
  /// in the domains' order; none: no answer.
  using ControlQuery = std::function<std::vector<std::optional<ControlState>>(
      const std::vector<Uuid>& domains, Instant deadline)>;

  /// So many workers may be stuck besides those at work. Each holds one of the daemon's workers, of
  /// which there are 20 by default.
  static constexpr std::size_t kMostStuck = 8;
  /// Domains for one worker; fewer are not worth a thread.
  static constexpr std::size_t kDomainsPerLane = 8;

  /// At most `lanes` workers work at once.
  LanePool(std::shared_ptr<Connector> connector, std::size_t lanes, ControlQuery control_query);

  /// Performs the tasks: all samples or none, each domain once. Returns by the deadline with the
  /// answers so far. Workers get half of the remaining time. Then the pool queries the monitors of
  /// the domains that a silent worker may wait for, abandons the worker with the domains that hold
  /// it, and gives its other tasks to another worker. Where the monitors cannot be queried either
  /// (the daemon holds a domain that it stops), the pool divides the silent tasks among workers
  /// until the domain stands alone.
  TaskReport run(std::span<const DomainTask> tasks, Instant deadline);
  /// Late answers to changes, since the last call.
  [[nodiscard]] std::vector<LateAnswer> take_late() { return late_->take(); }
  /// Ends all workers by the deadline; abandons those that are stuck.
  void end_until(Instant deadline);
  /// Workers that a call of an earlier run holds.
  [[nodiscard]] std::size_t stuck() const;

 private:
  struct Member {
    std::unique_ptr<Lane> lane;
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
    std::vector<std::size_t> divide;  ///< tasks of which an unknown one holds a worker
    std::vector<bool> tried_again;    ///< after a lost connection; once a task
    std::vector<bool> lost;           ///< a change was under way on a connection that was lost
  };

  void launch(Run& run, const std::vector<std::size_t>& indices, std::size_t domains_per_lane);
  std::vector<Member*> free_lanes(std::size_t wanted);
  void harvest(Run& run);
  void collect(Run& run, const Flight& flight);
  void inspect(Run& run);
  /// Abandons a worker with those suspects that hold it; false: no suspect is known to.
  bool leave_behind(Run& run, const Flight& flight, std::span<const Uuid> suspects,
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
