#pragma once
// The real Connection: libvirt's C API behind connection.h.

#include <memory>
#include <string>

#include "engine/hypervisor/libvirt/connection.h"
#include "engine/hypervisor/libvirt/event_loop.h"
#include "engine/hypervisor/libvirt/event_queue.h"
#include "engine/hypervisor/libvirt/libvirt_hypervisor.h"

namespace memcoord::libvirt {

/// Opens connections to one URI.
class NativeConnector final : public Connector {
 public:
  /// `events`: where the connections' events go; null for connections without events.
  NativeConnector(std::string uri, Access access, std::shared_ptr<EventQueue> events);
  LvResult<std::unique_ptr<Connection>> connect() override;

 private:
  std::string uri_;
  Access access_;
  std::shared_ptr<EventQueue> events_;
  std::shared_ptr<EventLoop> loop_;
};

}  // namespace memcoord::libvirt
