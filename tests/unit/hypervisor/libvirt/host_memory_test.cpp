#include "engine/hypervisor/libvirt/host_memory.h"

#include <doctest/doctest.h>

using namespace memcoord;
using namespace memcoord::libvirt;
using memcoord::literals::operator""_GiB;
using memcoord::literals::operator""_KiB;

namespace {

constexpr std::string_view kMemInfo =
    "MemTotal:       16777216 kB\n"
    "MemFree:         1048576 kB\n"
    "MemAvailable:    8388608 kB\n"
    "SwapTotal:       2097152 kB\n"
    "SwapFree:        1048576 kB\n";

HostRecord record() {
  HostRecord host;
  host.total = 16_GiB;
  host.free = 1_GiB;
  host.buffers = 1_GiB;
  host.cached = 4_GiB;
  return host;
}

}  // namespace

TEST_CASE("a meminfo file is read") {
  CHECK(parse_meminfo(kMemInfo) == MemInfo{16_GiB, 8_GiB, 1_GiB});
}

TEST_CASE("a kernel that does not tell what is available is no error") {
  const auto read = parse_meminfo("MemTotal: 100 kB\nMemFree: 5 kB\n");
  REQUIRE(read);
  CHECK(read->total == 100_KiB);
  CHECK_FALSE(read->available);
}

TEST_CASE("what is no meminfo file is none") {
  CHECK_FALSE(parse_meminfo(""));
  CHECK_FALSE(parse_meminfo("MemTotal:"));
  CHECK_FALSE(parse_meminfo("MemTotal: many kB"));
  CHECK_FALSE(parse_meminfo("XMemTotal: 5 kB"));
  CHECK_FALSE(read_meminfo("/nowhere/meminfo"));
}

TEST_CASE("on this machine, available is what the kernel says") {
  const Host host = make_host(record(), parse_meminfo(kMemInfo), {});
  CHECK(host.free == 1_GiB);
  CHECK(host.available == 8_GiB);
  CHECK_FALSE(host.available_is_estimate);
  CHECK(host.swap_free == 1_GiB);
}

TEST_CASE("elsewhere, available is an estimate and marked as one") {
  const Host host = make_host(record(), std::nullopt, {});
  CHECK(host.available == 4_GiB);
  CHECK(host.available_is_estimate);
}

TEST_CASE("a meminfo file of another machine is not believed") {
  HostRecord other = record();
  other.total = 32_GiB;
  CHECK(make_host(other, parse_meminfo(kMemInfo), {}).available_is_estimate);
}

TEST_CASE("where the driver does not tell what is free, it is what the domains leave") {
  HostRecord test_driver;
  test_driver.total = 3_GiB;
  CHECK(make_host(test_driver, std::nullopt, 2_GiB).free == 1_GiB);
  CHECK(make_host(test_driver, std::nullopt, 5_GiB).free == 0_KiB);
}
