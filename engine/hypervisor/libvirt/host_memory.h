#pragma once
// The host's memory: libvirt's figures and, on this machine, those of /proc and /sys.

#include <filesystem>
#include <map>
#include <optional>
#include <string_view>

#include "engine/core/snapshot.h"
#include "engine/hypervisor/libvirt/connection.h"

namespace memcoord::libvirt {

/// What memcoord reads on this machine: /proc/meminfo, KSM's files, the NUMA nodes' files.
struct MemInfo {
  MemorySize total;
  std::optional<MemorySize> available;  ///< none: the kernel does not report it
  std::optional<MemorySize> swap_free;
  std::optional<MemorySize> free = {};
  std::optional<MemorySize> buffers = {};
  std::optional<MemorySize> cached = {};
  std::optional<MemorySize> merged = {};      ///< memory that KSM saves
  std::map<int, MemorySize> file_pages = {};  ///< page cache of files, by node
  bool operator==(const MemInfo&) const = default;
};

/// Reads the text of a meminfo file; none: it has no MemTotal.
std::optional<MemInfo> parse_meminfo(std::string_view text);
/// Reads a meminfo file, the folder of KSM's files and the folder of NUMA nodes, which a host of
/// one node does not need. None: the meminfo file cannot be read. Either folder may be missing.
std::optional<MemInfo> read_meminfo(const std::filesystem::path& path,
                                    const std::filesystem::path& ksm,
                                    const std::filesystem::path& nodes);

/// Whether these files have all of the host's figures that change: libvirt's record, which may then
/// be an old one, adds the total and the single node.
bool replaces(const MemInfo& local, const HostRecord& record);

/// Sums over all domains.
struct DomainSums {
  MemorySize actual;
  MemorySize shared;  ///< rss of those on shared memory, which the kernel counts as page cache
};

/// The host's memory from the first source that reports it:
///
/// - `local`, if it is the same machine's (the totals agree). Read it after the domains, so that
///   memory that a guest takes during sampling does not count as both backed and free. Available
///   page cache is divided among the nodes by the page cache of each. What KSM saves counts even if
///   the totals differ, as in a container: KSM has one state for the whole machine.
/// - libvirt's figures. Available memory is then an estimate: free + buffers + half of the page
///   cache without the domains' shared memory. The other half may be dirty or other shared memory,
///   which the figures do not tell apart.
/// - the total less the domains' sizes, for a driver that does not report free memory.
Host make_host(const HostRecord& record, const std::optional<MemInfo>& local,
               const DomainSums& domains);

}  // namespace memcoord::libvirt
