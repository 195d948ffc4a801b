#pragma once
// The Connection that calls libvirt's C API, and its parts: records turned into memcoord's values
// (native_records.cpp) and libvirt's events (native_events.cpp).

#include <libvirt/libvirt.h>

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/hypervisor/libvirt/connection.h"
#include "engine/hypervisor/libvirt/handles.h"

namespace memcoord::libvirt {

/// The connectors of one URI.
struct NativeConnectors {
  std::shared_ptr<Connector> control;  ///< its connections put libvirt's events into the queue
  std::shared_ptr<Connector> workers;  ///< its connections take no events
};
/// `parsed`: the URI's parts. All connections to an in-process driver share one handle, so that
/// they reach the same host; such a driver's calls are safe from any thread. From this call on
/// libvirt prints nothing.
NativeConnectors native_connectors(const std::string& uri, const ConnectionUri& parsed,
                                   Access access, std::shared_ptr<EventQueue> events);

/// The nodes that libvirt chose for a running domain's memory, where `xml` leaves the choice to
/// libvirt; else empty. Calls libvirt.
std::string chosen_nodes(virDomainPtr domain, std::string_view xml);

// Records: pure functions.

/// `type`: the driver as virConnectGetType() names it: "QEMU", "TEST", ...
DriverTraits driver_traits(std::string_view type);
/// A virDomainState with its reason (0: unknown).
DomainState domain_state(int state, int reason);
ControlState control_state_of(const virDomainControlInfo& info);
/// One record of a bulk call. Missing sizes and counters stay none. A last-update of 0 means that
/// the guest has never reported.
DomainRecord domain_record(const virDomainStatsRecord& record);
/// Writes the tags of virDomainMemoryStats() into a record.
void update_memory_stats(std::span<const virDomainMemoryStatStruct> stats, DomainRecord& record);
/// The operation of the job that virDomainGetJobStats() reports; none: no job is under way.
std::optional<int> job_operation(int type, std::span<const virTypedParameter> statistics);
/// Whether libvirt makes balloon changes wait for a job of this virDomainJobOperation. Only a
/// backup lets them through; an unknown operation counts as one that does not.
bool holds_up_balloons(int operation);
/// virNodeGetMemoryStats() of the host or of one cell.
HostRecord host_record(std::span<const virNodeMemoryStats> stats);

// Events.

/// Runs libvirt's event loop, which is one a process, on a thread of its own until the result is
/// destroyed. Keep it from before the first connection is opened until the last one is closed.
std::shared_ptr<void> running_event_loop();

/// A connection's subscriptions to domains' events. The callbacks run on the event loop's thread
/// and only push into the queue, which they keep alive.
class EventSubscriptions {
 public:
  /// Leaves out events that the driver does not know. A null `queue` subscribes to nothing. The
  /// connection must outlive this object.
  EventSubscriptions(virConnectPtr connection, const std::shared_ptr<EventQueue>& queue);
  EventSubscriptions(const EventSubscriptions&) = delete;
  EventSubscriptions& operator=(const EventSubscriptions&) = delete;
  ~EventSubscriptions();

 private:
  virConnectPtr connection_;
  std::vector<int> callbacks_;
};

}  // namespace memcoord::libvirt
