#include "engine/hypervisor/libvirt/libvirt_hypervisor.h"

#include <cstdlib>
#include <random>
#include <utility>

#include "engine/hypervisor/libvirt/lane_hypervisor.h"
#include "engine/hypervisor/libvirt/native_connection.h"
#include "engine/hypervisor/libvirt/uri.h"

namespace memcoord::libvirt {
namespace {

/// A daemon on this machine is looked for at every interval: a refused connection costs less than a
/// millisecond.
/// One far away is given time.
Backoff backoff_for(const ConnectionUri& uri) {
  using namespace std::chrono_literals;
  if (uri.is_local()) return {200ms, 500ms, [] { return 0.0; }};
  auto engine = std::make_shared<std::minstd_rand>(std::random_device{}());
  return {1s, 30s, [engine] { return std::uniform_real_distribution<>(0, 1)(*engine); }};
}

}  // namespace

std::string default_uri() {
  const char* set = std::getenv("LIBVIRT_DEFAULT_URI");
  return set == nullptr || *set == '\0' ? "qemu:///system" : set;
}

Result<std::unique_ptr<Hypervisor>> open(const std::string& uri, const LibvirtOptions& options) {
  const Result<ConnectionUri> parsed = parse_uri(uri);
  if (!parsed) return fail(parsed.error());
  const bool in_process =
      parsed->driver == "test" && parsed->is_local() && parsed->transport.empty();
  const auto source = std::make_shared<HandleSource>(uri, options.access, in_process);
  const auto events = std::make_shared<EventQueue>();
  LaneHypervisorParts parts{uri,
                            parsed->is_local(),
                            std::make_shared<NativeConnector>(source, events),
                            std::make_shared<NativeConnector>(source, nullptr),
                            events,
                            backoff_for(*parsed)};
  auto hypervisor = std::make_unique<LaneHypervisor>(std::move(parts), options);
  if (const Status started = hypervisor->start(); !started) return fail(started.error());
  return hypervisor;
}

}  // namespace memcoord::libvirt
