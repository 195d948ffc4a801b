#pragma once
// What a connection tells by itself: domains' starts, pauses, reboots, jobs and new settings.

#include <libvirt/libvirt.h>

#include <memory>
#include <vector>

#include "engine/hypervisor/libvirt/event_queue.h"

namespace memcoord::libvirt {

/// Subscribed as long as it lives; must die before its connection. Callbacks run on the event
/// loop's thread and do no more than put events into the queue.
class EventSubscriptions {
 public:
  /// Events that the driver does not know are done without.
  EventSubscriptions(virConnectPtr connection, const std::shared_ptr<EventQueue>& queue);
  EventSubscriptions(const EventSubscriptions&) = delete;
  EventSubscriptions& operator=(const EventSubscriptions&) = delete;
  ~EventSubscriptions();

 private:
  virConnectPtr connection_;
  std::vector<int> callbacks_;
};

}  // namespace memcoord::libvirt
