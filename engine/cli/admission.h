#pragma once
// Room before a guest starts: what the hook for libvirt asks of a run, and whether it lets the
// start go on. Only missing memory may keep a guest from starting, and only where the operator has
// said so.

#include <optional>
#include <string>
#include <string_view>

#include "engine/core/error.h"
#include "engine/core/memory_size.h"
#include "engine/core/time.h"
#include "engine/hypervisor/libvirt/domain_configuration.h"
#include "engine/observers/json.h"

namespace memcoord::cli {

/// What a call of libvirt's hook asks for, by its second and third argument
/// (https://libvirt.org/hooks.html, "/etc/libvirt/hooks/qemu").
enum class HookCall {
  reserve,  ///< "prepare begin": libvirt is about to start the guest
  release,  ///< "release end": the guest has ended, or could not start
  other,
};
HookCall hook_call(std::string_view operation, std::string_view suboperation);

/// The host's ordinary memory that a guest may touch before its balloon driver answers: its
/// maximum, without hugepages and memory that is not plugged in, and what its QEMU takes besides.
MemorySize memory_to_start(const libvirt::DomainDescription& guest);

/// The run that holds reserves. Errors: timed_out where it is busy, so that asking again may help;
/// others where it cannot help.
class ReserveClient {
 public:
  virtual ~ReserveClient() = default;
  /// Asks for a reserve. Returns false if the run is a dry run, which reclaims nothing.
  virtual Result<bool> reserve(const std::string& name, MemorySize size, Duration time) = 0;
  virtual Status release(const std::string& name) = 0;
  /// Whether the host has this much once its guests have given all that they can spare; true in a
  /// dry run.
  virtual Result<bool> can_fit(MemorySize size) = 0;
  /// Whether the memory of the newest reserve() is there, at the newest tick.
  virtual Result<bool> is_ready(const std::string& name) = 0;
};

/// Whether the memory of a domain's reserve is there, by the response of /v1/headroom; false for a
/// reserve from before `since` (in Unix seconds), which the run is about to replace. No value: it
/// is no such response.
std::optional<bool> is_ready_in(const observers::Json& headroom, const std::string& name,
                                double since);

struct AdmissionOptions {
  Duration wait = std::chrono::seconds(10);  ///< for the memory
  Duration hold = std::chrono::seconds(60);  ///< how long the reserve lasts
  bool refuse = false;  ///< refuse the start where the memory is not there after `wait`
};

/// Whether the start goes on, and why in one line without a full stop.
struct Admission {
  bool starts = true;
  std::string why;
};
/// Reserves memory for a guest and waits until it is there. A start that goes on although the
/// memory is not there keeps its reserve; one that is refused loses it. One that may be refused
/// asks for no reserve before the host can fit it: other guests give up no memory in vain.
Admission admit(const std::string& name, MemorySize size, const AdmissionOptions& options,
                ReserveClient& client, Clock& clock);

}  // namespace memcoord::cli
