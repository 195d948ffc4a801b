#pragma once
// Real hosts: a Hypervisor on a libvirt connection.

#include <chrono>
#include <cstddef>
#include <filesystem>
#include <memory>
#include <string>

#include "engine/core/error.h"
#include "engine/core/hypervisor.h"
#include "engine/core/time.h"

namespace memcoord::libvirt {

/// What the connection must allow.
enum class Access {
  read_write,             ///< balloons are to be moved
  read_write_if_allowed,  ///< for a dry run: read-only where read-write is refused
};

/// How the connection is to be used.
struct LibvirtOptions {
  Access access = Access::read_write;
  /// What one sample() and one apply() may take. Half the loop's interval keeps the loop's time
  /// even in the tick in which a guest hangs.
  Duration deadline = std::chrono::milliseconds(500);
  /// What opening the connection and reading every domain for the first time may take.
  Duration open_deadline = std::chrono::seconds(30);
  /// Most lanes (connections, a thread each) that work side by side; fewer where there are few
  /// domains.
  std::size_t lanes = 4;
  /// The statistics period set on domains that have none, or one longer than the interval; put back
  /// by close().
  std::chrono::seconds period = std::chrono::seconds(1);
  /// From tick to tick.
  Duration interval = kDefaultInterval;
  /// Leave periods alone that somebody has set, however long.
  bool keep_periods = false;
  Units units = Units::automatic;  ///< what notes and errors tell sizes in
  /// For how long the daemon may still carry out a balloon change whose connection was lost:
  /// libvirt itself lets a call wait for half a minute.
  Duration lost_call_lives = std::chrono::minutes(1);
  /// Where the host's available memory is read on a local connection.
  std::filesystem::path meminfo = "/proc/meminfo";
  std::filesystem::path ksm = "/sys/kernel/mm/ksm";
  std::filesystem::path nodes = "/sys/devices/system/node";
};

/// LIBVIRT_DEFAULT_URI where it is set and not empty, else "qemu:///system".
std::string default_uri();

/// Connects and reads the domains once. Errors, each one line with what to do about it:
/// invalid_input (a URI that cannot be right, a driver that libvirt does not know), not_found (the
/// test driver's file), unavailable (no daemon), permission_denied, timed_out. Nothing of libvirt's
/// own messages reaches the terminal from then on.
Result<std::unique_ptr<Hypervisor>> open(const std::string& uri, const LibvirtOptions& options);

}  // namespace memcoord::libvirt
