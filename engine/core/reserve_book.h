#pragma once
// The reserves that are in force: which of them a snapshot carries, and when each ends.

#include <cstddef>
#include <string>
#include <vector>

#include "engine/core/decision.h"
#include "engine/core/snapshot.h"
#include "engine/core/tick.h"

namespace memcoord {

/// Keeps reserves in the order in which they were asked for. A reserve ends when its guest's
/// balloon driver has reported since, when it is released, or at its time. Reads no clock.
class ReserveBook {
 public:
  static constexpr std::size_t kMost = 1000;

  /// Adds a reserve. One for the same domain is replaced, and keeps its place. Returns false if
  /// there are kMost already.
  bool add(Reserve reserve);
  /// Ends the reserve of a domain, by its name or UUID. Returns false if it has none.
  bool release(const std::string& name_or_uuid);
  /// Ends the reserves whose end has come at a snapshot, and writes the others into it. Returns a
  /// note for each that ended.
  std::vector<Note> apply(Snapshot& snapshot);

 private:
  std::vector<Reserve> reserves_;
};

/// What the reserves hold for domains that have not started.
MemorySize reserved_in(const Snapshot& snapshot);
/// For each of a tick's reserves, whether its memory is there: the host lacks nothing but what
/// later reserves want. A domain that has started needs its reserve no more.
std::vector<bool> ready_reserves(const Tick& tick);

}  // namespace memcoord
