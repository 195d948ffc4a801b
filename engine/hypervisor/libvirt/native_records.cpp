// libvirt's structures turned into memcoord's values.

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/hypervisor/libvirt/native_connection.h"

namespace memcoord::libvirt {
namespace {

using std::string_view_literals::operator""sv;

std::optional<WallTime> update_time(std::uint64_t unix_seconds) {
  // The journal's calendar ends with the year 9999; a later stamp is garbage.
  constexpr std::uint64_t kEnd = 253402300800;
  if (unix_seconds == 0 || unix_seconds >= kEnd) return std::nullopt;
  return WallTime(std::chrono::seconds(static_cast<std::int64_t>(unix_seconds)));
}

DomainState paused_state(int reason) {
  switch (reason) {
    case VIR_DOMAIN_PAUSED_MIGRATION:
    case VIR_DOMAIN_PAUSED_POSTCOPY:
    case VIR_DOMAIN_PAUSED_POSTCOPY_FAILED:
      return DomainState::migrating;
    case VIR_DOMAIN_PAUSED_SAVE:
    case VIR_DOMAIN_PAUSED_DUMP:
    case VIR_DOMAIN_PAUSED_SNAPSHOT:
    case VIR_DOMAIN_PAUSED_FROM_SNAPSHOT:
      return DomainState::busy;
    case VIR_DOMAIN_PAUSED_CRASHED:
      return DomainState::crashed;
    case VIR_DOMAIN_PAUSED_SHUTTING_DOWN:
      return DomainState::shutting_down;
    default:
      return DomainState::paused;
  }
}

constexpr std::string_view kBalloonGroup = "balloon.";
/// What the balloon group of bulk records calls the statistics of virDomainMemoryStats().
constexpr std::array kBalloonFields{
    std::pair{"current"sv, VIR_DOMAIN_MEMORY_STAT_ACTUAL_BALLOON},
    std::pair{"rss"sv, VIR_DOMAIN_MEMORY_STAT_RSS},
    std::pair{"available"sv, VIR_DOMAIN_MEMORY_STAT_AVAILABLE},
    std::pair{"unused"sv, VIR_DOMAIN_MEMORY_STAT_UNUSED},
    std::pair{"usable"sv, VIR_DOMAIN_MEMORY_STAT_USABLE},
    std::pair{"disk_caches"sv, VIR_DOMAIN_MEMORY_STAT_DISK_CACHES},
    std::pair{"swap_in"sv, VIR_DOMAIN_MEMORY_STAT_SWAP_IN},
    std::pair{"swap_out"sv, VIR_DOMAIN_MEMORY_STAT_SWAP_OUT},
    std::pair{"major_fault"sv, VIR_DOMAIN_MEMORY_STAT_MAJOR_FAULT},
    std::pair{"minor_fault"sv, VIR_DOMAIN_MEMORY_STAT_MINOR_FAULT},
    std::pair{"last-update"sv, VIR_DOMAIN_MEMORY_STAT_LAST_UPDATE},
};

}  // namespace

DriverTraits driver_traits(std::string_view type) {
  return {.always_reports_rss = type == "QEMU",
          .stamps_reports = type != "TEST",
          .ids_are_unique = type == "QEMU" || type == "TEST",
          .reports_on_demand = type == "QEMU"};
}

DomainState domain_state(int state, int reason) {
  switch (state) {
    case VIR_DOMAIN_RUNNING:
      return reason == VIR_DOMAIN_RUNNING_POSTCOPY ? DomainState::migrating : DomainState::running;
    case VIR_DOMAIN_BLOCKED:
      return DomainState::running;
    case VIR_DOMAIN_PAUSED:
      return paused_state(reason);
    case VIR_DOMAIN_PMSUSPENDED:
      return DomainState::paused;
    case VIR_DOMAIN_SHUTDOWN:
      return DomainState::shutting_down;
    case VIR_DOMAIN_SHUTOFF:
      return DomainState::shut_off;
    case VIR_DOMAIN_CRASHED:
      return DomainState::crashed;
    default:
      return DomainState::busy;
  }
}

ControlState control_state_of(const virDomainControlInfo& info) {
  using Kind = ControlState::Kind;
  // The daemon subtracts two readings of its wall clock. The difference wraps around when the clock
  // was set back in between.
  constexpr std::chrono::milliseconds kMost = std::chrono::hours(24 * 366);
  const auto since =
      std::clamp(std::chrono::milliseconds(static_cast<std::int64_t>(info.stateTime)),
                 std::chrono::milliseconds(), kMost);
  switch (info.state) {
    case VIR_DOMAIN_CONTROL_OK:
      return {Kind::ok, {}};
    case VIR_DOMAIN_CONTROL_JOB:
      return {Kind::in_job, since};
    case VIR_DOMAIN_CONTROL_OCCUPIED:
      return {Kind::occupied, since};
    default:
      return {Kind::broken, since};
  }
}

DomainRecord domain_record(const virDomainStatsRecord& record) {
  DomainRecord made;
  made.uuid = uuid_of(record.dom);
  std::optional<int> state;
  int reason = 0;
  std::vector<virDomainMemoryStatStruct> stats;
  for (const virTypedParameter& parameter :
       std::span(record.params, static_cast<std::size_t>(record.nparams))) {
    std::string_view field = static_cast<const char*>(parameter.field);
    if (parameter.type == VIR_TYPED_PARAM_INT) {
      if (field == "state.state") state = parameter.value.i;
      if (field == "state.reason") reason = parameter.value.i;
    }
    if (parameter.type != VIR_TYPED_PARAM_ULLONG || !field.starts_with(kBalloonGroup)) continue;
    field.remove_prefix(kBalloonGroup.size());
    if (field == "maximum") made.maximum = MemorySize::from_kib(parameter.value.ul);
    const auto found = std::find_if(kBalloonFields.begin(), kBalloonFields.end(),
                                    [&](const auto& known) { return known.first == field; });
    if (found != kBalloonFields.end()) stats.push_back({found->second, parameter.value.ul});
  }
  if (state) made.state = domain_state(*state, reason);
  update_memory_stats(stats, made);
  return made;
}

void update_memory_stats(std::span<const virDomainMemoryStatStruct> stats, DomainRecord& record) {
  GuestStatistics& guest = record.guest;
  for (const virDomainMemoryStatStruct& stat : stats) {
    const MemorySize size = MemorySize::from_kib(stat.val);
    switch (stat.tag) {
      case VIR_DOMAIN_MEMORY_STAT_ACTUAL_BALLOON:
        record.actual = size;
        break;
      case VIR_DOMAIN_MEMORY_STAT_RSS:
        record.rss = size;
        break;
      case VIR_DOMAIN_MEMORY_STAT_AVAILABLE:
        guest.available = size;
        break;
      case VIR_DOMAIN_MEMORY_STAT_UNUSED:
        guest.unused = size;
        break;
      case VIR_DOMAIN_MEMORY_STAT_USABLE:
        guest.usable = size;
        break;
      case VIR_DOMAIN_MEMORY_STAT_DISK_CACHES:
        guest.disk_caches = size;
        break;
      case VIR_DOMAIN_MEMORY_STAT_SWAP_IN:
        guest.swap_in = size;
        break;
      case VIR_DOMAIN_MEMORY_STAT_SWAP_OUT:
        guest.swap_out = size;
        break;
      case VIR_DOMAIN_MEMORY_STAT_MAJOR_FAULT:
        guest.major_faults = stat.val;
        break;
      case VIR_DOMAIN_MEMORY_STAT_MINOR_FAULT:
        guest.minor_faults = stat.val;
        break;
      case VIR_DOMAIN_MEMORY_STAT_LAST_UPDATE:
        guest.last_update = update_time(stat.val);
        break;
      default:
        break;
    }
  }
}

std::optional<int> job_operation(int type, std::span<const virTypedParameter> statistics) {
  if (type != VIR_DOMAIN_JOB_BOUNDED && type != VIR_DOMAIN_JOB_UNBOUNDED) return std::nullopt;
  for (const virTypedParameter& statistic : statistics) {
    const std::string_view field = static_cast<const char*>(statistic.field);
    const bool number = statistic.type == VIR_TYPED_PARAM_INT;
    if (number && field == VIR_DOMAIN_JOB_OPERATION) return statistic.value.i;
  }
  return VIR_DOMAIN_JOB_OPERATION_UNKNOWN;
}

bool holds_up_balloons(int operation) {
  return operation != VIR_DOMAIN_JOB_OPERATION_BACKUP;
}

HostRecord host_record(std::span<const virNodeMemoryStats> stats) {
  HostRecord record;
  for (const virNodeMemoryStats& stat : stats) {
    const std::string_view field = stat.field;
    const MemorySize size = MemorySize::from_kib(stat.value);
    if (field == VIR_NODE_MEMORY_STATS_TOTAL) record.total = size;
    if (field == VIR_NODE_MEMORY_STATS_FREE) record.free = size;
    if (field == VIR_NODE_MEMORY_STATS_BUFFERS) record.buffers = size;
    if (field == VIR_NODE_MEMORY_STATS_CACHED) record.cached = size;
  }
  return record;
}

}  // namespace memcoord::libvirt
