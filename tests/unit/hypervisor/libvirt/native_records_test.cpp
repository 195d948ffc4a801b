#include <doctest/doctest.h>

#include <chrono>
#include <string>
#include <vector>

#include "engine/hypervisor/libvirt/libvirt_error.h"
#include "engine/hypervisor/libvirt/native_connection.h"

using namespace memcoord;
using namespace memcoord::libvirt;
using memcoord::literals::operator""_KiB;

namespace {

virTypedParameter parameter(const std::string& name, int type) {
  virTypedParameter made{};
  name.copy(made.field, VIR_TYPED_PARAM_FIELD_LENGTH - 1);
  made.type = type;
  return made;
}

virTypedParameter number(const std::string& name, int value) {
  virTypedParameter made = parameter(name, VIR_TYPED_PARAM_INT);
  made.value.i = value;
  return made;
}

virTypedParameter count(const std::string& name, unsigned long long value) {
  virTypedParameter made = parameter(name, VIR_TYPED_PARAM_ULLONG);
  made.value.ul = value;
  return made;
}

/// The record of no domain, about which libvirt would print a message.
DomainRecord record_of(std::vector<virTypedParameter>& parameters) {
  (void)virInitialize();
  silence_libvirt();
  return domain_record({nullptr, parameters.data(), static_cast<int>(parameters.size())});
}

}  // namespace

TEST_CASE("the driver's name decides what memcoord expects of its answers") {
  CHECK(driver_traits("QEMU").always_reports_rss);
  CHECK(driver_traits("QEMU").stamps_reports);
  CHECK(driver_traits("QEMU").reports_on_demand);
  CHECK_FALSE(driver_traits("TEST").always_reports_rss);
  CHECK_FALSE(driver_traits("TEST").stamps_reports);
  CHECK_FALSE(driver_traits("TEST").reports_on_demand);
  CHECK(driver_traits("QEMU").ids_are_unique);
  CHECK_FALSE(driver_traits("VBOX").ids_are_unique);
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

TEST_CASE("names identify the statistics of a bulk record") {
  std::vector<virTypedParameter> parameters = {number("state.state", VIR_DOMAIN_PAUSED),
                                               number("state.reason", VIR_DOMAIN_PAUSED_MIGRATION),
                                               count("balloon.current", 1000),
                                               count("balloon.maximum", 2000),
                                               count("balloon.swap_in", 1),
                                               count("balloon.swap_out", 2),
                                               count("balloon.major_fault", 3),
                                               count("balloon.minor_fault", 4),
                                               count("balloon.unused", 400),
                                               count("balloon.available", 950),
                                               count("balloon.usable", 600),
                                               count("balloon.last-update", 1700000000),
                                               count("balloon.disk_caches", 200),
                                               count("balloon.hugetlb_pgalloc", 7),
                                               count("balloon.rss", 900)};
  const DomainRecord made = record_of(parameters);
  CHECK(made.state == DomainState::migrating);
  CHECK(made.actual == 1000_KiB);
  CHECK(made.maximum == 2000_KiB);
  CHECK(made.rss == 900_KiB);
  CHECK(made.guest.available == 950_KiB);
  CHECK(made.guest.unused == 400_KiB);
  CHECK(made.guest.usable == 600_KiB);
  CHECK(made.guest.disk_caches == 200_KiB);
  CHECK(made.guest.swap_in == 1_KiB);
  CHECK(made.guest.swap_out == 2_KiB);
  CHECK(made.guest.major_faults == 3);
  CHECK(made.guest.minor_faults == 4);
  CHECK(made.guest.last_update == WallTime(std::chrono::seconds(1700000000)));
}

TEST_CASE("a bulk record without figures leaves them out") {
  std::vector<virTypedParameter> none;
  const DomainRecord made = record_of(none);
  CHECK_FALSE(made.state);
  CHECK_FALSE(made.actual);
  CHECK_FALSE(made.maximum);
  CHECK_FALSE(made.guest.last_update);
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
