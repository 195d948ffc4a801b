#pragma once
// libvirt's event loop: one thread for the whole process, because libvirt has one loop a process.

#include <memory>

namespace memcoord::libvirt {

/// Runs libvirt's default event loop while anybody holds it. It must be held before the first
/// connection is opened, and until the last one is closed.
class EventLoop {
 public:
  virtual ~EventLoop() = default;
  /// The process's loop, started if need be.
  static std::shared_ptr<EventLoop> shared();
};

}  // namespace memcoord::libvirt
