#pragma once
// What a connection tells by itself: domains' lifecycles, and that it has been closed.

#include <libvirt/libvirt.h>

#include <atomic>
#include <memory>
#include <vector>

#include "engine/hypervisor/libvirt/event_queue.h"

namespace memcoord::libvirt {

/// Subscribed as long as it lives; must die before its connection. Callbacks run on the event
/// loop's thread and do no more than put events into the queue.
class EventSubscriptions {
 public:
  /// Events that the driver does not know are done without. `closed` is set once the connection is
  /// lost.
  EventSubscriptions(virConnectPtr connection, const std::shared_ptr<EventQueue>& queue,
                     const std::shared_ptr<std::atomic<bool>>& closed);
  EventSubscriptions(const EventSubscriptions&) = delete;
  EventSubscriptions& operator=(const EventSubscriptions&) = delete;
  ~EventSubscriptions();

 private:
  virConnectPtr connection_;
  std::vector<int> callbacks_;
  bool watches_close_ = false;
};

}  // namespace memcoord::libvirt
