#pragma once
// The interface to the host and its domains. Behind it: libvirt, the simulated host
// (engine/hypervisor/), a policy test's world (bindings/testing/), FakeHypervisor in unit tests.

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "engine/core/decision.h"
#include "engine/core/error.h"
#include "engine/core/snapshot.h"

namespace memcoord {

/// The connections to a hypervisor.
struct Connections {
  std::size_t open = 0;       ///< in use; 0 while the hypervisor is down
  std::size_t abandoned = 0;  ///< held by a call that does not return, because of a hung guest
  bool operator==(const Connections&) const = default;
};

/// One host. Not thread-safe: the loop makes all calls.
class Hypervisor {
 public:
  virtual ~Hypervisor() = default;
  /// For people: the connection's URI ("qemu:///system", "sim:case1").
  [[nodiscard]] virtual std::string description() const = 0;
  /// The state of the host and of every active domain. Returns within its deadline: a domain that
  /// does not answer is DomainState::hung and has no guest statistics. Errors: unavailable (the
  /// connection is down; the next call tries to open it again), timed_out, permission_denied.
  virtual Result<Snapshot> sample() = 0;
  /// Asks these guests for a report at once and waits for them, at most for `patience`. The next
  /// sample() shows what has come; a guest that has not answered by then keeps its last report. A
  /// hypervisor that cannot ask says so once, as a note, and returns at once.
  virtual void refresh(std::span<const Uuid> /*domains*/, Duration /*patience*/) {}
  /// Sets targets. Returns within its deadline, with one outcome for each move, in order. A failure
  /// concerns its own domain only. While a move with an unknown outcome may still be carried out,
  /// its domain takes no other move.
  virtual std::vector<Outcome> apply(std::span<const Move> moves) = 0;
  /// The outcomes, learnt since the last call, of moves whose outcome was unknown: applied, failed,
  /// or vanished if the domain has stopped since, even if it was started again.
  virtual std::vector<Outcome> drain_late_outcomes() { return {}; }
  /// Notes for the operator since the last call; each is said once.
  virtual std::vector<Note> drain_notes() = 0;
  [[nodiscard]] virtual Connections connections() const { return {}; }
  /// Restores everything changed besides balloons (statistics periods) and closes the connection.
  /// Idempotent.
  virtual void close() = 0;
};

}  // namespace memcoord
