#pragma once
// A lane: one thread with one connection of its own, which works through jobs one after the other.
// libvirt's client does not bear several threads on one connection, and a call to a hung guest
// never returns: so each lane can be left behind without harm to the others.

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>

#include "engine/hypervisor/libvirt/connection.h"
#include "engine/hypervisor/libvirt/handover.h"

namespace memcoord::libvirt {

/// A lane's connection as a job sees it.
struct LaneConnection {
  Connection* connection = nullptr;  ///< never null; the job's thread may use it until it returns
  std::uint64_t generation = 0;      ///< how often the lane has opened one
};

class Lane {
 public:
  /// A job gets the connection, or why there is none. It runs on the lane's thread.
  using Job = std::function<void(const LvResult<LaneConnection>&)>;

  explicit Lane(std::shared_ptr<Connector> connector);
  Lane(const Lane&) = delete;
  Lane& operator=(const Lane&) = delete;
  /// Ends it; lets go of it where a call does not return at once.
  ~Lane();

  /// Opens the connection where there is none or it is lost, then runs the job. Jobs run in order.
  void post(Job job);
  /// No more jobs: the connection is closed and the thread ends once the running job returns.
  void request_end();
  /// Whether it had ended by the deadline; where it had not, it is let go of: its thread goes on
  /// with what it owns until its call returns.
  bool end_until(Instant deadline);

 private:
  struct Shared;
  static void run(const std::shared_ptr<Shared>& shared);

  std::shared_ptr<Shared> shared_;
  std::jthread thread_;
};

}  // namespace memcoord::libvirt
