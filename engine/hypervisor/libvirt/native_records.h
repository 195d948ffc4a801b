#pragma once
// libvirt's structures turned into memcoord's values; pure functions.

#include <libvirt/libvirt.h>

#include <optional>
#include <span>

#include "engine/hypervisor/libvirt/connection.h"

namespace memcoord::libvirt {

/// A virDomainState with its reason (0 where it is not known).
DomainState domain_state(int state, int reason);
ControlState control_state_of(const virDomainControlInfo& info);
/// One record of a bulk call. Sizes and counters that are missing stay none; a last-update of 0
/// means that the guest has never reported.
DomainRecord domain_record(const virDomainStatsRecord& record);
/// The tags of virDomainMemoryStats, into a record.
void take_memory_stats(std::span<const virDomainMemoryStatStruct> stats, DomainRecord& record);
/// The operation of the job that virDomainGetJobStats tells of; none where no job is under way.
std::optional<int> job_operation(int type, std::span<const virTypedParameter> statistics);
/// Whether libvirt lets a balloon change wait for a job of this virDomainJobOperation. Only a
/// backup lets it through; an operation that is not known counts as one that does not.
bool holds_up_balloons(int operation);
/// virNodeGetMemoryStats of the host or of one cell.
HostRecord host_record(std::span<const virNodeMemoryStats> stats);

}  // namespace memcoord::libvirt
