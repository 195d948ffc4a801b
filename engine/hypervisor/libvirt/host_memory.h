#pragma once
// The host's memory, put together from what libvirt tells and, on this machine, /proc/meminfo.

#include <filesystem>
#include <optional>
#include <string_view>

#include "engine/core/snapshot.h"
#include "engine/hypervisor/libvirt/connection.h"

namespace memcoord::libvirt {

/// What memcoord reads of /proc/meminfo.
struct MemInfo {
  MemorySize total;
  std::optional<MemorySize> available;  ///< none on kernels that do not tell
  std::optional<MemorySize> swap_free;
  bool operator==(const MemInfo&) const = default;
};

/// Reads the text of a meminfo file; none where it holds no MemTotal.
std::optional<MemInfo> parse_meminfo(std::string_view text);
/// Reads such a file; none where it cannot be read.
std::optional<MemInfo> read_meminfo(const std::filesystem::path& path);

/// The host. Where `local` is of the same machine (its total agrees) it says what is available;
/// else that is estimated as free + buffers + half of the page cache: the other half may be shared
/// memory or dirty, which the figures do not tell apart. A driver that does not tell what is free
/// (the test driver) gets total less what the domains have.
Host make_host(const HostRecord& record, const std::optional<MemInfo>& local,
               MemorySize sum_of_actuals);

}  // namespace memcoord::libvirt
