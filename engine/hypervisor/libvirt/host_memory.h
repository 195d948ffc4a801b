#pragma once
// The host's memory, put together from what libvirt tells and, on this machine, /proc/meminfo.

#include <filesystem>
#include <map>
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
  std::optional<MemorySize> merged = {};      ///< what KSM saves
  std::map<int, MemorySize> file_pages = {};  ///< page cache of files, by node
  bool operator==(const MemInfo&) const = default;
};

/// Reads the text of a meminfo file; none where it holds no MemTotal.
std::optional<MemInfo> parse_meminfo(std::string_view text);
/// Reads such a file, what merging of pages saves from the folder of KSM's files, and the nodes'
/// page cache from the folder of nodes (none where there is none); none where the file cannot be
/// read.
std::optional<MemInfo> read_meminfo(const std::filesystem::path& path,
                                    const std::filesystem::path& ksm,
                                    const std::filesystem::path& nodes);

/// What the domains together have.
struct DomainSums {
  MemorySize actual;
  MemorySize shared;  ///< rss of those whose memory is shared memory, which counts as page cache
};

/// The host. Where `local` is of the same machine (its total agrees) it says what is available and
/// what KSM saves; what can be had of page cache is divided among the nodes by how much each has.
/// Else what is available is estimated as free + buffers + half of the page cache
/// that is not the domains' shared memory: the other half may be other shared memory or dirty,
/// which the figures do not tell apart. A driver that does not tell what is free (the test driver)
/// gets total less what the domains have.
Host make_host(const HostRecord& record, const std::optional<MemInfo>& local,
               const DomainSums& domains);

}  // namespace memcoord::libvirt
