#include "engine/hypervisor/libvirt/host_memory.h"

#include <doctest/doctest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>

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

TEST_CASE("parse_meminfo reads a meminfo file") {
  CHECK(parse_meminfo(kMemInfo) == MemInfo{16_GiB, 8_GiB, 1_GiB, 1_GiB});
}

TEST_CASE("a meminfo file without MemAvailable is no error") {
  const auto read = parse_meminfo("MemTotal: 100 kB\nMemFree: 5 kB\n");
  REQUIRE(read);
  CHECK(read->total == 100_KiB);
  CHECK_FALSE(read->available);
}

TEST_CASE("text that is no meminfo file gives none") {
  CHECK_FALSE(parse_meminfo(""));
  CHECK_FALSE(parse_meminfo("MemTotal:"));
  CHECK_FALSE(parse_meminfo("MemTotal: many kB"));
  CHECK_FALSE(parse_meminfo("XMemTotal: 5 kB"));
  CHECK_FALSE(read_meminfo("/nowhere/meminfo", "/nowhere", "/nowhere"));
}

TEST_CASE("on this machine, the kernel says what is available") {
  const Host host = make_host(record(), parse_meminfo(kMemInfo), {});
  CHECK(host.free == 1_GiB);
  CHECK(host.available == 8_GiB);
  CHECK_FALSE(host.available_is_estimate);
  CHECK(host.swap_free == 1_GiB);
}

TEST_CASE("on this machine, free and available memory are of the same moment") {
  HostRecord earlier = record();
  earlier.free = 3_GiB;
  CHECK(make_host(earlier, parse_meminfo(kMemInfo), {}).free == 1_GiB);
  CHECK(make_host(earlier, std::nullopt, {}).free == 3_GiB);
}

TEST_CASE("this machine's KSM files say what KSM saves, and libvirt says it of another machine") {
  const std::filesystem::path folder =
      std::filesystem::temp_directory_path() / ("memcoord-ksm-" + std::to_string(::getpid()));
  std::filesystem::create_directories(folder);
  std::ofstream(folder / "meminfo") << kMemInfo;
  std::ofstream(folder / "pages_sharing") << "1000\n";
  const Host here = make_host(record(), read_meminfo(folder / "meminfo", folder, "/nowhere"), {});
  CHECK(here.merged == here.page_size * 1000);
  std::filesystem::remove(folder / "pages_sharing");
  HostRecord remote = record();
  remote.merged_pages = 500;
  CHECK(make_host(remote, std::nullopt, {}).merged == here.page_size * 500);
  CHECK(make_host(record(), read_meminfo(folder / "meminfo", folder, "/nowhere"), {}).merged ==
        0_KiB);
  std::filesystem::remove_all(folder);
}

TEST_CASE("on this machine, each node has its own page cache") {
  const std::filesystem::path folder =
      std::filesystem::temp_directory_path() / ("memcoord-nodes-" + std::to_string(::getpid()));
  for (const char* node : {"node0", "node1", "nodeX"}) {
    std::filesystem::create_directories(folder / node);
  }
  std::ofstream(folder / "meminfo") << kMemInfo;
  std::ofstream(folder / "node0" / "meminfo") << "Node 0 MemTotal:       8388608 kB\n"
                                                 "Node 0 Active(file):   1048576 kB\n"
                                                 "Node 0 Inactive(file): 1048576 kB\n";
  std::ofstream(folder / "node1" / "meminfo") << "Node 1 MemTotal:       8388608 kB\n"
                                                 "Node 1 Active(file):   2097152 kB\n"
                                                 "Node 1 Inactive(file): 4194304 kB\n";
  HostRecord two_nodes = record();
  two_nodes.cells = {{0, 8_GiB, 512 * 1024_KiB}, {1, 8_GiB, 512 * 1024_KiB}};
  const auto local = read_meminfo(folder / "meminfo", "/nowhere", folder);
  std::filesystem::remove_all(folder);
  // 7 of the 8 GiB available are page cache; node 0 has a quarter of the files' pages.
  const Host host = make_host(two_nodes, local, {});
  CHECK(host.cells[0].available == 512 * 1024_KiB + 7_GiB / 4);
  CHECK(host.cells[1].available == 512 * 1024_KiB + 7_GiB / 4 * 3);
  CHECK_FALSE(make_host(two_nodes, parse_meminfo(kMemInfo), {}).cells[0].available);
}

TEST_CASE("on this machine, a single node has all of the available page cache") {
  HostRecord one_node = record();
  one_node.cells = {{0, 16_GiB, 1_GiB}};
  const Host host = make_host(one_node, parse_meminfo(kMemInfo), {});
  CHECK(host.cells[0].available == 8_GiB);
}

TEST_CASE("in a container, whose totals differ, KSM's files count all the same") {
  HostRecord machine = record();
  machine.total = 32_GiB;
  auto local = parse_meminfo(kMemInfo);
  local->merged = 3_GiB;
  CHECK(make_host(machine, local, {}).merged == 3_GiB);
}

TEST_CASE("the estimate for a remote host leaves out the domains' shared memory") {
  const Host host = make_host(record(), std::nullopt, {.actual = 8_GiB, .shared = 3_GiB});
  CHECK(host.available == 2_GiB + 512 * 1024_KiB);
}

TEST_CASE("on a remote host, available is an estimate and marked as one") {
  const Host host = make_host(record(), std::nullopt, {});
  CHECK(host.available == 4_GiB);
  CHECK(host.available_is_estimate);
}

TEST_CASE("a meminfo file of another machine does not count") {
  HostRecord other = record();
  other.total = 32_GiB;
  CHECK(make_host(other, parse_meminfo(kMemInfo), {}).available_is_estimate);
}

TEST_CASE("without free memory in libvirt's answer, free is the total less the domains' sizes") {
  HostRecord test_driver;
  test_driver.total = 3_GiB;
  CHECK(make_host(test_driver, std::nullopt, {.actual = 2_GiB, .shared = {}}).free == 1_GiB);
  CHECK(make_host(test_driver, std::nullopt, {.actual = 5_GiB, .shared = {}}).free == 0_KiB);
}
