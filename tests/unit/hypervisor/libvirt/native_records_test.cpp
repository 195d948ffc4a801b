#include <doctest/doctest.h>

#include <vector>

#include "engine/hypervisor/libvirt/native_connection.h"

using namespace memcoord;
using namespace memcoord::libvirt;
using memcoord::literals::operator""_KiB;

TEST_CASE("the driver's name decides what memcoord expects of its answers") {
  CHECK(driver_traits("QEMU").always_reports_rss);
  CHECK(driver_traits("QEMU").stamps_reports);
  CHECK_FALSE(driver_traits("TEST").always_reports_rss);
  CHECK_FALSE(driver_traits("TEST").stamps_reports);
  CHECK_FALSE(driver_traits("").always_reports_rss);
  CHECK(driver_traits("").stamps_reports);
}

TEST_CASE("libvirt's states become memcoord's") {
  CHECK(domain_state(VIR_DOMAIN_RUNNING, VIR_DOMAIN_RUNNING_BOOTED) == DomainState::running);
  CHECK(domain_state(VIR_DOMAIN_RUNNING, VIR_DOMAIN_RUNNING_POSTCOPY) == DomainState::migrating);
  CHECK(domain_state(VIR_DOMAIN_BLOCKED, 0) == DomainState::running);
  CHECK(domain_state(VIR_DOMAIN_PAUSED, VIR_DOMAIN_PAUSED_USER) == DomainState::paused);
  CHECK(domain_state(VIR_DOMAIN_PAUSED, VIR_DOMAIN_PAUSED_MIGRATION) == DomainState::migrating);
  CHECK(domain_state(VIR_DOMAIN_PAUSED, VIR_DOMAIN_PAUSED_SAVE) == DomainState::busy);
  CHECK(domain_state(VIR_DOMAIN_PAUSED, VIR_DOMAIN_PAUSED_SNAPSHOT) == DomainState::busy);
  CHECK(domain_state(VIR_DOMAIN_PAUSED, VIR_DOMAIN_PAUSED_CRASHED) == DomainState::crashed);
  CHECK(domain_state(VIR_DOMAIN_PMSUSPENDED, 0) == DomainState::paused);
  CHECK(domain_state(VIR_DOMAIN_SHUTDOWN, 0) == DomainState::shutting_down);
  CHECK(domain_state(VIR_DOMAIN_SHUTOFF, 0) == DomainState::shut_off);
  CHECK(domain_state(VIR_DOMAIN_CRASHED, 0) == DomainState::crashed);
  CHECK(domain_state(VIR_DOMAIN_NOSTATE, 0) == DomainState::busy);
}

TEST_CASE("tags identify the statistics of a single domain") {
  const std::vector<virDomainMemoryStatStruct> stats = {
      {VIR_DOMAIN_MEMORY_STAT_ACTUAL_BALLOON, 1000},
      {VIR_DOMAIN_MEMORY_STAT_RSS, 900},
      {VIR_DOMAIN_MEMORY_STAT_AVAILABLE, 950},
      {VIR_DOMAIN_MEMORY_STAT_UNUSED, 400},
      {VIR_DOMAIN_MEMORY_STAT_USABLE, 600},
      {VIR_DOMAIN_MEMORY_STAT_DISK_CACHES, 200},
      {VIR_DOMAIN_MEMORY_STAT_SWAP_IN, 1},
      {VIR_DOMAIN_MEMORY_STAT_SWAP_OUT, 2},
      {VIR_DOMAIN_MEMORY_STAT_MAJOR_FAULT, 3},
      {VIR_DOMAIN_MEMORY_STAT_MINOR_FAULT, 4},
      {VIR_DOMAIN_MEMORY_STAT_LAST_UPDATE, 1700000000}};
  DomainRecord record;
  update_memory_stats(stats, record);
  CHECK(record.actual == 1000_KiB);
  CHECK(record.rss == 900_KiB);
  CHECK(record.guest.available == 950_KiB);
  CHECK(record.guest.unused == 400_KiB);
  CHECK(record.guest.usable == 600_KiB);
  CHECK(record.guest.disk_caches == 200_KiB);
  CHECK(record.guest.swap_in == 1_KiB);
  CHECK(record.guest.swap_out == 2_KiB);
  CHECK(record.guest.major_faults == 3);
  CHECK(record.guest.minor_faults == 4);
  CHECK(record.guest.last_update == WallTime(std::chrono::seconds(1700000000)));
}

TEST_CASE("a guest that has never reported has no last update") {
  const virDomainMemoryStatStruct never{VIR_DOMAIN_MEMORY_STAT_LAST_UPDATE, 0};
  DomainRecord record;
  update_memory_stats(std::span(&never, 1), record);
  CHECK_FALSE(record.guest.last_update);
}

TEST_CASE("a stamp after the year 9999 is none") {
  const auto stamped = [](unsigned long long seconds) {
    const virDomainMemoryStatStruct stat{VIR_DOMAIN_MEMORY_STAT_LAST_UPDATE, seconds};
    DomainRecord record;
    update_memory_stats(std::span(&stat, 1), record);
    return record.guest.last_update;
  };
  const auto last_second =
      std::chrono::sys_days{std::chrono::year{10000} / 1 / 1} - std::chrono::seconds(1);
  CHECK(stamped(253402300799) == WallTime(last_second));
  CHECK_FALSE(stamped(253402300800));
  CHECK_FALSE(stamped(18446744073709551615U));
}

TEST_CASE("a monitor's state has a duration") {
  using Kind = ControlState::Kind;
  const auto state = [](int kind, unsigned long long milliseconds) {
    virDomainControlInfo info{};
    info.state = static_cast<unsigned>(kind);
    info.stateTime = milliseconds;
    return control_state_of(info);
  };
  CHECK(state(VIR_DOMAIN_CONTROL_OK, 0).kind == Kind::ok);
  CHECK(state(VIR_DOMAIN_CONTROL_JOB, 10).kind == Kind::in_job);
  CHECK(state(VIR_DOMAIN_CONTROL_OCCUPIED, 1500).kind == Kind::occupied);
  CHECK(state(VIR_DOMAIN_CONTROL_OCCUPIED, 1500).since == std::chrono::milliseconds(1500));
  CHECK(state(VIR_DOMAIN_CONTROL_ERROR, 0).kind == Kind::broken);
  // The daemon's clock was set back by 5 ms; then a time that cannot be.
  CHECK(state(VIR_DOMAIN_CONTROL_OCCUPIED, -5ULL).since == Duration());
  CHECK(state(VIR_DOMAIN_CONTROL_OCCUPIED, 1ULL << 62U).since == std::chrono::hours(24 * 366));
}

TEST_CASE("a job's statistics name its operation, which is unknown otherwise") {
  REQUIRE(virInitialize() == 0);
  virTypedParameterPtr raw = nullptr;
  int count = 0;
  int room = 0;
  REQUIRE(virTypedParamsAddULLong(&raw, &count, &room, VIR_DOMAIN_JOB_TIME_ELAPSED, 3) == 0);
  const auto operation = [&](int type) {
    return job_operation(type, std::span(raw, static_cast<std::size_t>(count)));
  };
  CHECK(operation(VIR_DOMAIN_JOB_UNBOUNDED) == VIR_DOMAIN_JOB_OPERATION_UNKNOWN);
  REQUIRE(virTypedParamsAddInt(&raw, &count, &room, VIR_DOMAIN_JOB_OPERATION,
                               VIR_DOMAIN_JOB_OPERATION_BACKUP) == 0);
  CHECK(operation(VIR_DOMAIN_JOB_UNBOUNDED) == VIR_DOMAIN_JOB_OPERATION_BACKUP);
  CHECK(operation(VIR_DOMAIN_JOB_BOUNDED) == VIR_DOMAIN_JOB_OPERATION_BACKUP);
  CHECK_FALSE(operation(VIR_DOMAIN_JOB_NONE));
  CHECK_FALSE(operation(VIR_DOMAIN_JOB_COMPLETED));
  virTypedParamsFree(raw, count);
}

TEST_CASE("balloon changes wait for every job but a backup") {
  CHECK_FALSE(holds_up_balloons(VIR_DOMAIN_JOB_OPERATION_BACKUP));
  for (int operation = 0; operation <= VIR_DOMAIN_JOB_OPERATION_SNAPSHOT_DELETE; ++operation) {
    CAPTURE(operation);
    CHECK(holds_up_balloons(operation) == (operation != VIR_DOMAIN_JOB_OPERATION_BACKUP));
  }
  CHECK(holds_up_balloons(1000));
}
