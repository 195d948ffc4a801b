// memcoord sets statistics periods and restores them.
#include <doctest/doctest.h>

#include <thread>

#include "tests/unit/hypervisor/libvirt/fake_host.h"

using namespace memcoord;
using namespace memcoord::libvirt;
using namespace memcoord::libvirt::fake;

TEST_CASE("memcoord sets a period of 0, and close restores it") {
  FakeHost host({"a"});
  const Snapshot snapshot = host.sample();
  CHECK(host.daemon->domain("a").period == 1);
  CHECK(snapshot.domains.front().guest.period == std::chrono::seconds(1));
  host.hypervisor->close();
  CHECK(host.daemon->domain("a").period == 0);
}

TEST_CASE("memcoord keeps every period over 0, however long") {
  const auto daemon = std::make_shared<FakeDaemon>();
  daemon->add("a").period = 60;
  FakeHost host(daemon);
  CHECK(host.sample().domains.front().guest.period == std::chrono::seconds(60));
  host.hypervisor->close();
  CHECK(daemon->domain("a").period_calls == 0);
}

TEST_CASE("a period that an administrator set while memcoord ran stays") {
  FakeHost host({"a"});
  (void)host.sample();
  host.daemon->with("a", [](FakeDomain& domain) { domain.period = 60; });
  host.event("a", DomainEvent::Kind::redefined);  // as when a guest misses reports
  CHECK(host.sample().domains.front().guest.period == std::chrono::seconds(60));
  host.hypervisor->close();
  CHECK(host.daemon->domain("a").period == 60);
}

TEST_CASE("close keeps a period that an administrator has changed since") {
  FakeHost host({"a"});
  (void)host.sample();
  host.daemon->with("a", [](FakeDomain& domain) { domain.period = 5; });
  host.hypervisor->close();
  CHECK(host.daemon->domain("a").period == 5);
}

TEST_CASE("close restores periods after a restart of the daemon") {
  FakeHost host({"a"});
  (void)host.sample();
  host.daemon->stop();
  (void)host.hypervisor->sample();
  host.daemon->start();
  host.hypervisor->close();
  CHECK(host.daemon->domain("a").period == 0);
}

TEST_CASE("domains that memcoord skips for good keep their period") {
  const auto daemon = std::make_shared<FakeDaemon>();
  daemon->add("excluded").metadata =
      "<m:domain xmlns:m='https://memcoord.org/xmlns/domain/1.0' exclude='yes'/>";
  daemon->add("no-balloon").balloon = "<memballoon model='none'>";
  FakeHost host(daemon);
  (void)host.sample();
  CHECK(daemon->domain("excluded").period_calls == 0);
  CHECK(daemon->domain("no-balloon").period_calls == 0);
}

TEST_CASE("a read-only connection sets no period") {
  const auto daemon = std::make_shared<FakeDaemon>();
  daemon->add("a");
  daemon->make_read_only();
  FakeHost host(daemon);
  (void)host.sample();
  CHECK(daemon->domain("a").period_calls == 0);
}

TEST_CASE("a note reports a refused period once, and memcoord does not try again") {
  FakeHost host({"a"});
  host.daemon->with("a", [](FakeDomain& domain) { domain.refuses = true; });
  (void)host.sample();
  CHECK(host.notes().find("statistics period cannot be set") != std::string::npos);
  (void)host.sample();
  CHECK(host.notes().empty());
}

TEST_CASE("a restarted domain gets its period again") {
  FakeHost host({"a"});
  (void)host.sample();
  host.daemon->with("a", [](FakeDomain& domain) {
    domain.id = 2;
    domain.period = 0;
  });
  (void)host.sample();
  CHECK(host.daemon->domain("a").period == 1);
}

TEST_CASE(
    "memcoord sets a period again that an administrator has set to 0, and close restores it") {
  FakeHost host({"a"});
  (void)host.sample();
  (void)host.notes();
  host.daemon->with("a", [](FakeDomain& domain) { domain.period = 0; });
  host.event("a", DomainEvent::Kind::redefined);  // as when a guest misses reports
  (void)host.sample();
  CHECK(host.daemon->domain("a").period == 1);
  CHECK(host.notes() == "a: its statistics period was off; memcoord has set it again\n");
  host.hypervisor->close();
  CHECK(host.daemon->domain("a").period == 0);
}

TEST_CASE("a note reports periods that could not be restored") {
  LibvirtOptions options = FakeHost::options();
  options.deadline = std::chrono::seconds(2);
  FakeHost host({"a"}, options);
  (void)host.sample();
  host.daemon->with("a", [](FakeDomain& domain) { domain.refuses = true; });
  host.hypervisor->close();
  CHECK(host.notes().find("could not be restored") != std::string::npos);
}

TEST_CASE("a guest that hangs when memcoord closes keeps its new period, and a note says so") {
  LibvirtOptions options = FakeHost::options();
  options.deadline = std::chrono::seconds(2);
  FakeHost host({"a", "b"}, options);
  (void)host.sample();
  host.daemon->hang("a");
  (void)host.sample();
  (void)host.notes();
  host.hypervisor->close();
  CHECK(host.daemon->domain("b").period == 0);
  CHECK(host.notes().find("of 1 domain could not be restored") != std::string::npos);
  host.daemon->go_on("a");
}

TEST_CASE("close restores a period whose change had no answer") {
  LibvirtOptions options = FakeHost::options();
  options.deadline = std::chrono::milliseconds(200);
  FakeHost host({"a"}, options);
  host.daemon->with(
      "a", [](FakeDomain& domain) { domain.period_hangs = domain.monitor_is_free = true; });
  (void)host.sample();
  host.daemon->with("a", [](FakeDomain& domain) { domain.period_hangs = false; });
  host.daemon->go_on("a");
  while (host.hypervisor->stuck_workers() != 0) std::this_thread::yield();
  REQUIRE(host.daemon->domain("a").period == 1);
  host.hypervisor->close();
  CHECK(host.daemon->domain("a").period == 0);
}

TEST_CASE("a note reports a period that stays because its guest hung while memcoord set it") {
  LibvirtOptions options = FakeHost::options();
  options.deadline = std::chrono::milliseconds(200);
  FakeHost host({"a"}, options);
  host.daemon->with("a", [](FakeDomain& domain) { domain.period_hangs = true; });
  (void)host.sample();
  host.hypervisor->close();
  CHECK(host.notes().find("period of 1 domain could not be restored") != std::string::npos);
  host.daemon->go_on("a");
}
