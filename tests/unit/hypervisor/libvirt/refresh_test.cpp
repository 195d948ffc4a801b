// Reports on demand: memcoord sets a statistics period to 0 and back.
#include <doctest/doctest.h>

#include <thread>

#include "tests/unit/hypervisor/libvirt/fake_host.h"

using namespace memcoord;
using namespace memcoord::libvirt;
using namespace memcoord::libvirt::fake;
using namespace std::chrono_literals;

namespace {

constexpr MemorySize kUnused = MemorySize::from_mib(123);

/// Hosts domains that report once in 60 s, and have less unused memory by now than they reported.
struct SlowReporters {
  explicit SlowReporters(std::vector<std::string> names,
                         LibvirtOptions options = FakeHost::options()) {
    for (const std::string& name : names) {
      daemon->add(name).period = 60;
      daemon->with(name, [](FakeDomain& domain) { domain.unused = kUnused; });
    }
    host.emplace(daemon, options);
    (void)host->sample();
    (void)host->notes();
  }
  void refresh(const std::vector<std::string>& names, Duration patience = 4s) {
    std::vector<Uuid> uuids;
    for (const std::string& name : names) uuids.push_back(FakeDaemon::uuid(name));
    host->hypervisor->refresh(uuids, patience);
  }
  /// Whether the domain's guest has reported since it was asked.
  bool reported(const std::string& name) {
    return FakeHost::domain(host->sample(), name).guest.unused == kUnused;
  }

  std::shared_ptr<FakeDaemon> daemon = std::make_shared<FakeDaemon>();
  std::optional<FakeHost> host;
};

}  // namespace

TEST_CASE("a guest that is asked reports at once, and its period is as before") {
  SlowReporters world({"a", "b", "c", "d", "e", "f", "g", "h", "i", "j"});
  world.refresh({"a", "c", "e", "f", "g", "h", "i", "j"});
  CHECK(world.reported("a"));
  CHECK(world.reported("j"));
  CHECK_FALSE(world.reported("b"));
  CHECK(world.daemon->domain("a").period == 60);
  CHECK(world.daemon->domain("a").period_calls == 2);
  CHECK(world.daemon->domain("b").period_calls == 0);
  world.host->hypervisor->close();
  CHECK(world.daemon->domain("a").period == 60);
}

TEST_CASE("a period that memcoord has set is off again at its end, after requests too") {
  FakeHost host({"a"});
  (void)host.sample();
  const Uuid a = FakeDaemon::uuid("a");
  host.hypervisor->refresh({&a, 1}, 4s);
  CHECK(host.daemon->domain("a").period == 1);
  CHECK(host.daemon->domain("a").period_calls == 3);
  host.hypervisor->close();
  CHECK(host.daemon->domain("a").period == 0);
}

TEST_CASE("a request puts back the period that another tool has set meanwhile") {
  FakeHost host({"a"});
  (void)host.sample();
  host.daemon->with("a", [](FakeDomain& domain) { domain.period = 7; });
  const Uuid a = FakeDaemon::uuid("a");
  host.hypervisor->refresh({&a, 1}, 4s);
  CHECK(host.daemon->domain("a").period == 7);
  CHECK(host.sample().domains.front().guest.period == 7s);
  host.hypervisor->close();
  CHECK(host.daemon->domain("a").period == 7);
}

TEST_CASE("a period that another tool has set to 0 is no request, and memcoord sets it again") {
  SlowReporters world({"a"});
  world.daemon->with("a", [](FakeDomain& domain) { domain.period = 0; });
  world.refresh({"a"});
  CHECK(world.daemon->domain("a").period_calls == 0);
  (void)world.host->sample();
  CHECK(world.daemon->domain("a").period == 1);
}

TEST_CASE("a report that was asked for is newer than the move before it") {
  SlowReporters world({"a"});
  const MonotonicTime before = monotonic_now();
  (void)world.host->move("a", MemorySize::from_mib(900));
  const MonotonicTime moved = monotonic_now();
  world.refresh({"a"});
  const Domain domain = world.host->sample().domains.front();
  REQUIRE(domain.reported_after.has_value());
  CHECK(*domain.reported_after >= moved);
  CHECK(*domain.reported_after > before);
}

TEST_CASE("a hung guest is left out, the others report") {
  SlowReporters world({"a", "b", "c", "d"});
  world.daemon->hang("a");
  world.refresh({"a", "b", "c", "d"}, 2s);  // half of it passes before the pool inspects
  CHECK(world.reported("b"));
  CHECK(world.reported("d"));
  CHECK(world.daemon->domain("a").period == 60);
  world.daemon->go_on("a");
}

TEST_CASE("a guest that hangs while it is asked has its old period when it answers again") {
  SlowReporters world({"a"}, FakeHost::options(200ms));
  world.daemon->with("a", [](FakeDomain& domain) { domain.period_hangs = true; });
  world.refresh({"a"}, 100ms);
  world.daemon->with("a", [](FakeDomain& domain) { domain.period_hangs = false; });
  world.daemon->go_on("a");
  while (world.host->hypervisor->stuck_workers() != 0) std::this_thread::yield();
  CHECK(world.daemon->domain("a").period == 60);
}

TEST_CASE("a request whose connection is lost midway is repaired by the next sample") {
  SlowReporters world({"a"});
  world.daemon->with("a", [](FakeDomain& domain) { domain.loses_connections_off = true; });
  world.refresh({"a"});
  CHECK(world.daemon->domain("a").period == 0);
  (void)world.host->hypervisor->sample();
  (void)world.host->hypervisor->sample();
  CHECK(world.daemon->domain("a").period == 60);
  world.refresh({"a"});
  CHECK(world.reported("a"));
  world.host->hypervisor->close();
  CHECK(world.daemon->domain("a").period == 60);
}

TEST_CASE("close puts back a period that a request has left off") {
  SlowReporters world({"a"});
  world.daemon->with("a", [](FakeDomain& domain) { domain.loses_connections_off = true; });
  world.refresh({"a"});
  REQUIRE(world.daemon->domain("a").period == 0);
  world.host->hypervisor->close();
  CHECK(world.daemon->domain("a").period == 60);
}

TEST_CASE("a refused request is reported once, and memcoord does not ask that guest again") {
  SlowReporters world({"a", "b"});
  world.daemon->with("a", [](FakeDomain& domain) { domain.refuses = true; });
  world.refresh({"a", "b"});
  CHECK(world.host->notes() ==
        "a: guests report at their statistics periods alone: no such device\n");
  world.daemon->with("a", [](FakeDomain& domain) { domain.refuses = false; });
  world.refresh({"a", "b"});
  CHECK(world.host->notes().empty());
  CHECK(world.daemon->domain("a").period_calls == 0);
  CHECK(world.daemon->domain("b").period_calls == 4);
}

TEST_CASE("a connection that cannot ask guests says so once") {
  for (const bool read_only : {true, false}) {
    const auto daemon = std::make_shared<FakeDaemon>();
    daemon->add("a").period = 60;
    if (read_only) {
      daemon->make_read_only();
    } else {
      daemon->set_driver("TEST");
    }
    FakeHost host(daemon);
    (void)host.sample();
    (void)host.notes();
    const Uuid a = FakeDaemon::uuid("a");
    host.hypervisor->refresh({&a, 1}, 4s);
    CHECK(host.notes() == (read_only ? "fake:///: guests report at their statistics periods alone: "
                                       "the connection is read-only\n"
                                     : "fake:///: guests report at their statistics periods alone: "
                                       "libvirt's driver cannot ask them\n"));
    host.hypervisor->refresh({&a, 1}, 4s);
    CHECK(host.notes().empty());
    CHECK(daemon->domain("a").period_calls == 0);
  }
}

TEST_CASE("guests that are paused, in a job or gone are not asked") {
  SlowReporters world({"a", "b", "c"});
  world.host->event("a", DomainEvent::Kind::paused);
  world.daemon->with("b", [](FakeDomain& domain) { domain.in_long_job = true; });
  world.daemon->remove("c");
  world.refresh({"a", "b", "c"});
  CHECK(world.daemon->domain("a").period_calls == 0);
  CHECK(world.daemon->domain("b").period_calls == 0);
  CHECK(world.host->notes().empty());
}
