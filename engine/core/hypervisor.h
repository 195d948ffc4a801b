#pragma once
// The seam to the outside: a handful of calls. libvirt, the simulated host and a recorded journal
// stand behind it (engine/hypervisor/), and FakeHypervisor in the tests.

#include <span>
#include <string>
#include <vector>

#include "engine/core/error.h"
#include "engine/core/snapshot.h"
#include "engine/core/tick_parts.h"

namespace memcoord {

class Hypervisor {
 public:
  virtual ~Hypervisor() = default;
  /// For people: the connection's URI ("qemu:///system", "sim:case1").
  [[nodiscard]] virtual std::string description() const = 0;
  /// A look at the host and every active domain. Returns within its deadline: domains that do not
  /// answer come back as DomainState::hung without guest statistics. Errors: unavailable (the
  /// connection is down; the next call tries to open it again), timed_out, permission_denied.
  virtual Result<Snapshot> sample() = 0;
  /// Sets targets; one outcome a move, in order, within the deadline. One domain's failure is its
  /// own. A domain whose last outcome was unknown takes no other move as long as that one could
  /// still be carried out after it.
  virtual std::vector<Outcome> apply(std::span<const Move> moves) = 0;
  /// What has become known, since the last call, of moves whose outcome was unknown: applied,
  /// failed, or vanished where the domain has stopped since, even if it was started again.
  virtual std::vector<Outcome> take_late_outcomes() { return {}; }
  /// What happened since the last call that the operator should know; each said once.
  virtual std::vector<Note> take_notes() = 0;
  /// Puts back what was changed besides balloons (statistics periods), and closes. Idempotent.
  virtual void close() = 0;
};

}  // namespace memcoord
