#pragma once
// The real Connection: libvirt's C API behind connection.h.

#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>

#include "engine/hypervisor/libvirt/connection.h"
#include "engine/hypervisor/libvirt/event_loop.h"
#include "engine/hypervisor/libvirt/event_queue.h"
#include "engine/hypervisor/libvirt/handles.h"
#include "engine/hypervisor/libvirt/libvirt_hypervisor.h"

namespace memcoord::libvirt {

/// The nodes that libvirt has chosen for a running domain's memory, where its XML leaves the choice
/// to libvirt; else empty.
std::string chosen_nodes(virDomainPtr domain, std::string_view xml);

/// Opens libvirt's handles to one URI, for any number of connectors.
class HandleSource {
 public:
  /// `one_for_all`: every connector gets the same handle. So it must be for the test driver inside
  /// this process, where every handle has a host of its own; its calls are safe from any thread.
  HandleSource(std::string uri, Access access, bool one_for_all);
  HandleSource(const HandleSource&) = delete;
  HandleSource& operator=(const HandleSource&) = delete;
  ~HandleSource();

  struct Opened {
    ConnectHandle handle;
    bool read_only = false;
  };
  /// Errors: libvirt's.
  LvResult<Opened> open();

 private:
  LvResult<Opened> open_anew() const;

  std::string uri_;
  Access access_;
  bool one_for_all_;
  std::shared_ptr<EventLoop> loop_;
  std::mutex mutex_;
  Opened shared_;
};

/// Makes connections of a source's handles.
class NativeConnector final : public Connector {
 public:
  /// `events`: where the connections' events go; null for connections without events.
  NativeConnector(std::shared_ptr<HandleSource> source, std::shared_ptr<EventQueue> events)
      : source_(std::move(source)), events_(std::move(events)) {}
  LvResult<std::unique_ptr<Connection>> connect() override;

 private:
  std::shared_ptr<HandleSource> source_;
  std::shared_ptr<EventQueue> events_;
};

}  // namespace memcoord::libvirt
