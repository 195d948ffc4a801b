#pragma once
// Real hosts: a Hypervisor on connections to libvirt. worker_hypervisor.h implements it.

#include <chrono>
#include <cstddef>
#include <filesystem>
#include <memory>
#include <string>

#include "engine/core/error.h"
#include "engine/core/hypervisor.h"
#include "engine/core/time.h"

namespace memcoord::libvirt {

/// The access that a connection needs.
enum class Access {
  read_write,             ///< to move balloons
  read_write_if_allowed,  ///< for a dry run: read-only where libvirt refuses read-write
};

/// How memcoord uses the connection.
struct LibvirtOptions {
  Access access = Access::read_write;
  /// Time limit of one sample() and of one apply(). At half the interval the loop keeps its time
  /// even in the tick in which a guest hangs.
  Duration deadline = std::chrono::milliseconds(500);
  /// Time limit of connecting and reading every domain for the first time.
  Duration open_deadline = std::chrono::seconds(30);
  /// Most connection workers (a thread and a connection each) that work at once. Few domains get
  /// fewer.
  std::size_t connections = 4;
  /// The statistics period for domains that have none. close() restores the old one.
  std::chrono::seconds period = std::chrono::seconds(1);
  Units units = Units::automatic;  ///< of sizes in notes and errors
  /// How long the daemon may still carry out a balloon change whose connection was lost. libvirt
  /// itself lets a call wait for half a minute.
  Duration lost_call_lives = std::chrono::minutes(1);
  /// Files that a local connection reads of the host's memory.
  std::filesystem::path meminfo = "/proc/meminfo";
  std::filesystem::path ksm = "/sys/kernel/mm/ksm";
  std::filesystem::path nodes = "/sys/devices/system/node";
};

/// LIBVIRT_DEFAULT_URI if it is set and not empty, else "qemu:///system".
std::string default_uri();

/// Connects and reads the domains once. One thread uses the hypervisor; it starts the threads that
/// it needs and ends them in close(). Errors, each one line with a hint: invalid_input (a URI that
/// cannot be right, an unknown driver), not_found (the test driver's file), unavailable (no
/// daemon), permission_denied, timed_out. From this call on libvirt prints nothing.
Result<std::unique_ptr<Hypervisor>> open(const std::string& uri, const LibvirtOptions& options);

}  // namespace memcoord::libvirt
