#pragma once
// Guests that start at once on a tight host, with or without the hook that makes room for them.

#include <memory>
#include <string>

#include "engine/core/memory_size.h"
#include "tests/lab/coordination.h"
#include "tests/lab/guest.h"
#include "tests/lab/lab_host.h"

namespace memcoord::lab {

/// What one storm of starts did to the host.
struct StormResult {
  MemorySize most;     ///< memory that all QEMU processes held together, at its highest
  int samples = 0;     ///< four a second, from the first start to ten seconds after the last boot
  int breaches = 0;    ///< samples over the budget less the host's floor
  int refused = 0;     ///< guests that the hook kept from starting
  double seconds = 0;  ///< from the first start until all guests ran
};

/// Guests that fill a budget (--host-memory) and have touched their memory, and a run whose policy
/// gives them all there is. For one storm: afterwards the guests' memory is not touched again.
class TightHost {
 public:
  static constexpr int kFilling = 4;
  static constexpr MemorySize kBudget = MemorySize::from_mib(4500);
  static constexpr MemorySize kFloor = MemorySize::from_mib(200);
  static constexpr MemorySize kNewcomer = MemorySize::from_mib(128);
  /// The emulator's cache of translated code, which no QEMU has under KVM: a reserve counts none.
  static constexpr MemorySize kTranslated = MemorySize::from_mib(64);

  /// Boots the guests and waits until they have touched their memory and the run observes them. An
  /// empty `binary`: the program of this build.
  explicit TightHost(const std::string& binary = "");

  /// Starts `guests` small guests at once, waits until they run, and ends them. With the hook, each
  /// start is preceded by its "prepare begin", and each end followed by "release end": libvirt
  /// looks for hooks in /etc/libvirt/hooks only, which is the machine's.
  StormResult start(int guests, bool with_hook);
  /// Ends the run; returns its exit code.
  int end() { return run_->end(); }
  [[nodiscard]] const Coordination& run() const { return *run_; }

 private:
  class Sampler;
  [[nodiscard]] bool hook(const std::string& name, const std::string& operation) const;
  void wait_until_full() const;

  LabHost host_;
  std::string binary_;
  std::string socket_;
  Guests filling_;
  std::unique_ptr<Coordination> run_;
};

}  // namespace memcoord::lab
