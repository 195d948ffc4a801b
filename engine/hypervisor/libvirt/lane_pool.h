#pragma once
// The lanes together: tasks are divided among them, a lane that is stuck is left behind with the
// domain that holds it, and the rest of its tasks goes to another.

#include <atomic>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "engine/hypervisor/libvirt/lane.h"
#include "engine/hypervisor/libvirt/task_chunk.h"

namespace memcoord::libvirt {

/// What became of a set of tasks.
struct TaskReport {
  std::vector<TaskAnswer> answers;  ///< parallel to the tasks
};

class LanePool {
 public:
  /// Asks, by another connection, how the monitors of some domains stand; answers by the deadline,
  /// parallel to the domains, with none where there is no answer.
  using ControlQuery = std::function<std::vector<std::optional<ControlState>>(
      const std::vector<Uuid>& domains, Instant deadline)>;

  /// At most `lanes` work side by side. A few more may be stuck: each holds a worker of the daemon,
  /// of which there are 20 as it comes.
  static constexpr std::size_t kMostStuck = 8;
  /// One lane for so many domains: fewer are not worth a thread.
  static constexpr std::size_t kDomainsPerLane = 8;

  LanePool(std::shared_ptr<Connector> connector, std::size_t lanes, ControlQuery control_query);

  /// Has the tasks done (all samples or none, each domain once), and returns by the deadline with
  /// what has been answered. Half of the time that is left is given to the lanes before the
  /// monitors of those that are silent are looked at. Where that cannot be asked either, as while
  /// the daemon itself holds on to a domain that it stops, the silent part is divided among other
  /// lanes until the domain stands alone.
  TaskReport run(std::span<const DomainTask> tasks, Instant deadline);
  /// What came, since the last call, of changes that were under way when nobody waited any more.
  [[nodiscard]] std::vector<LateAnswer> take_late() { return late_->take(); }
  /// Ends all lanes by the deadline; those that are stuck are let go of.
  void end_until(Instant deadline);
  /// Lanes that are held by a call from an earlier run.
  [[nodiscard]] std::size_t stuck() const;

 private:
  struct Member {
    std::unique_ptr<Lane> lane;
    std::shared_ptr<TaskChunk> chunk;  ///< its last
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
    std::vector<std::size_t> again;   ///< tasks to be given to another lane
    std::vector<std::size_t> divide;  ///< tasks among which one holds a lane, nobody knows which
    std::vector<bool> tried_again;    ///< after a lost connection, once a task
    std::vector<bool> lost;           ///< whose change was under way on a connection that was lost
  };

  void launch(Run& run, const std::vector<std::size_t>& indices, std::size_t domains_per_lane);
  std::vector<Member*> free_lanes(std::size_t wanted);
  void harvest(Run& run);
  void collect(Run& run, const Flight& flight);
  void inspect(Run& run);
  /// Leaves the lane behind with those of the suspects that hold it; false where none is known to.
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
