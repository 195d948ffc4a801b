// libvirt's event loop, and the events that memcoord takes from it.

#include <chrono>
#include <mutex>
#include <stop_token>
#include <thread>

#include "engine/hypervisor/libvirt/native_connection.h"

namespace memcoord::libvirt {
namespace {

using EventKind = DomainEvent::Kind;

class RunningLoop {
 public:
  RunningLoop() {
    // Once a process: libvirt cannot unregister an implementation.
    static std::once_flag registered;
    std::call_once(registered, [] { (void)virEventRegisterDefaultImpl(); });
    // The destructor wakes the loop with this timer. Without one, an iteration with nothing to
    // watch never returns.
    timer_ = virEventAddTimeout(
        -1, [](int timer, void*) { virEventUpdateTimeout(timer, -1); }, nullptr, nullptr);
    thread_ = std::jthread([](const std::stop_token& stop) {
      while (!stop.stop_requested()) (void)virEventRunDefaultImpl();
    });
  }
  RunningLoop(const RunningLoop&) = delete;
  RunningLoop& operator=(const RunningLoop&) = delete;
  ~RunningLoop() {
    thread_.request_stop();
    virEventUpdateTimeout(timer_, 0);
    thread_.join();
    virEventRemoveTimeout(timer_);
  }

 private:
  int timer_ = -1;
  std::jthread thread_;
};

/// What libvirt keeps for a callback: an owner of the queue. libvirt frees it with release().
void* hold(const std::shared_ptr<EventQueue>& queue) {
  return std::make_unique<std::shared_ptr<EventQueue>>(queue).release();
}
void release(void* opaque) {
  const std::unique_ptr<std::shared_ptr<EventQueue>> owner(
      static_cast<std::shared_ptr<EventQueue>*>(opaque));
}

void push(void* opaque, virDomainPtr domain, EventKind kind) {
  const auto now =
      std::chrono::time_point_cast<std::chrono::microseconds>(std::chrono::steady_clock::now());
  (*static_cast<std::shared_ptr<EventQueue>*>(opaque))->push({uuid_of(domain), kind, now});
}

/// Whether a guest that ran before continues, with its kernel, counters and balloon.
bool brings_a_guest_back(int event, int detail) {
  switch (event) {
    case VIR_DOMAIN_EVENT_STARTED:
      return detail != VIR_DOMAIN_EVENT_STARTED_BOOTED;
    case VIR_DOMAIN_EVENT_RESUMED:
      return detail == VIR_DOMAIN_EVENT_RESUMED_FROM_SNAPSHOT;
    case VIR_DOMAIN_EVENT_SUSPENDED:
      return detail == VIR_DOMAIN_EVENT_SUSPENDED_FROM_SNAPSHOT ||
             detail == VIR_DOMAIN_EVENT_SUSPENDED_RESTORED;
    default:
      return false;
  }
}

void on_lifecycle(virConnectPtr, virDomainPtr domain, int event, int detail, void* opaque) {
  if (brings_a_guest_back(event, detail)) push(opaque, domain, EventKind::restored);
  switch (event) {
    case VIR_DOMAIN_EVENT_DEFINED:
      return push(opaque, domain, EventKind::redefined);
    case VIR_DOMAIN_EVENT_STARTED:
      if (brings_a_guest_back(event, detail)) return;
      return push(opaque, domain, EventKind::started);
    case VIR_DOMAIN_EVENT_SUSPENDED:
    case VIR_DOMAIN_EVENT_PMSUSPENDED:
      return push(opaque, domain, EventKind::paused);
    case VIR_DOMAIN_EVENT_RESUMED:
      return push(opaque, domain, EventKind::resumed);
    case VIR_DOMAIN_EVENT_STOPPED:
    case VIR_DOMAIN_EVENT_SHUTDOWN:
    case VIR_DOMAIN_EVENT_CRASHED:
      return push(opaque, domain, EventKind::stopped);
    default:
      return;
  }
}

void on_reboot(virConnectPtr, virDomainPtr domain, void* opaque) {
  push(opaque, domain, EventKind::rebooted);
}

void on_metadata_change(virConnectPtr, virDomainPtr domain, int, const char*, void* opaque) {
  push(opaque, domain, EventKind::redefined);
}

void on_device(virConnectPtr, virDomainPtr domain, const char*, void* opaque) {
  push(opaque, domain, EventKind::redefined);
}

void on_memory_device(virConnectPtr, virDomainPtr domain, const char*, unsigned long long,
                      void* opaque) {
  push(opaque, domain, EventKind::redefined);
}

void on_migration_iteration(virConnectPtr, virDomainPtr domain, int, void* opaque) {
  push(opaque, domain, EventKind::job_began);
}

void on_job_completed(virConnectPtr, virDomainPtr domain, virTypedParameterPtr, int, void* opaque) {
  push(opaque, domain, EventKind::job_ended);
}

}  // namespace

std::shared_ptr<void> running_event_loop() {
  static std::mutex mutex;
  static std::weak_ptr<RunningLoop> running;
  const std::lock_guard lock(mutex);
  std::shared_ptr<RunningLoop> loop = running.lock();
  if (!loop) {
    loop = std::make_shared<RunningLoop>();
    running = loop;
  }
  return loop;
}

EventSubscriptions::EventSubscriptions(virConnectPtr connection,
                                       const std::shared_ptr<EventQueue>& queue)
    : connection_(connection) {
  if (!queue) return;
  const auto subscribe = [&](int event, virConnectDomainEventGenericCallback callback) {
    void* opaque = hold(queue);
    const int id =
        virConnectDomainEventRegisterAny(connection, nullptr, event, callback, opaque, release);
    if (id < 0) {
      release(opaque);
    } else {
      callbacks_.push_back(id);
    }
  };
  subscribe(VIR_DOMAIN_EVENT_ID_LIFECYCLE, VIR_DOMAIN_EVENT_CALLBACK(on_lifecycle));
  subscribe(VIR_DOMAIN_EVENT_ID_REBOOT, VIR_DOMAIN_EVENT_CALLBACK(on_reboot));
  subscribe(VIR_DOMAIN_EVENT_ID_METADATA_CHANGE, VIR_DOMAIN_EVENT_CALLBACK(on_metadata_change));
  subscribe(VIR_DOMAIN_EVENT_ID_DEVICE_ADDED, VIR_DOMAIN_EVENT_CALLBACK(on_device));
  subscribe(VIR_DOMAIN_EVENT_ID_DEVICE_REMOVED, VIR_DOMAIN_EVENT_CALLBACK(on_device));
  subscribe(VIR_DOMAIN_EVENT_ID_MEMORY_DEVICE_SIZE_CHANGE,
            VIR_DOMAIN_EVENT_CALLBACK(on_memory_device));
  subscribe(VIR_DOMAIN_EVENT_ID_MIGRATION_ITERATION,
            VIR_DOMAIN_EVENT_CALLBACK(on_migration_iteration));
  subscribe(VIR_DOMAIN_EVENT_ID_JOB_COMPLETED, VIR_DOMAIN_EVENT_CALLBACK(on_job_completed));
}

EventSubscriptions::~EventSubscriptions() {
  for (const int id : callbacks_) (void)virConnectDomainEventDeregisterAny(connection_, id);
}

}  // namespace memcoord::libvirt
