// The daemon goes and returns, domains come and go, and notes are not repeated.
#include <doctest/doctest.h>

#include <thread>

#include "tests/integration/cli/scratch_files.h"
#include "tests/unit/hypervisor/libvirt/fake_host.h"

using namespace memcoord;
using namespace memcoord::libvirt;
using namespace memcoord::libvirt::fake;

namespace {

/// The fake daemon's host is this machine: a meminfo file has its total of 64 GiB.
class HostFiles {
 public:
  [[nodiscard]] LibvirtOptions options() const {
    LibvirtOptions options = FakeHost::options();
    options.meminfo = meminfo_;
    options.ksm = "/nowhere";
    return options;
  }

 private:
  testing::ScratchFiles files_;
  std::string meminfo_ = files_.write("meminfo",
                                      "MemTotal:       67108864 kB\n"
                                      "MemFree:         2097152 kB\n"
                                      "MemAvailable:    4194304 kB\n"
                                      "Buffers:         1048576 kB\n"
                                      "Cached:          3145728 kB\n");
};

}  // namespace

TEST_CASE("a lost connection is an error of its own tick, and a note says so once") {
  FakeHost host({"a"});
  (void)host.sample();
  host.daemon->stop();
  const auto down = host.hypervisor->sample();
  REQUIRE_FALSE(down);
  CHECK(down.error().code == ErrorCode::unavailable);
  CHECK(host.notes().find("connection lost") != std::string::npos);
  CHECK_FALSE(host.hypervisor->sample());
  CHECK(host.notes().empty());
}

TEST_CASE("when the daemon is back, the next sample uses a new connection") {
  FakeHost host({"a", "b"});
  (void)host.sample();
  host.daemon->stop();
  (void)host.hypervisor->sample();
  (void)host.notes();
  host.daemon->start();
  CHECK(host.sample().domains.size() == 2);
  CHECK(host.notes().find("connected again") != std::string::npos);
  CHECK(host.daemon->open_now() == 3);  // host, control and one worker: no handle is left over
}

TEST_CASE("a daemon that restarts between two samples costs neither of them") {
  FakeHost host({"a"});
  (void)host.sample();
  host.daemon->stop();
  host.daemon->start();
  CHECK(FakeHost::state(host.sample(), "a") == DomainState::running);
  CHECK(host.daemon->open_now() == 3);
}

TEST_CASE("where this machine's files have the host's figures, calm ticks do not query the host") {
  const HostFiles files;
  FakeHost host({"a"}, files.options());
  (void)host.sample();
  const int calls = host.daemon->host_calls();
  const Snapshot snapshot = host.sample();
  CHECK(host.daemon->host_calls() == calls);
  CHECK(snapshot.host.total == MemorySize::from_gib(64));
  CHECK(snapshot.host.free == MemorySize::from_gib(2));
  CHECK(snapshot.host.available == MemorySize::from_gib(4));
  CHECK(snapshot.host.buffers == MemorySize::from_gib(1));
  CHECK(snapshot.host.cached == MemorySize::from_gib(3));
}

TEST_CASE("on a host of several nodes every tick queries the nodes") {
  const HostFiles files;
  const auto daemon = std::make_shared<FakeDaemon>();
  daemon->add("a");
  daemon->set_cells({{0, MemorySize::from_gib(32), MemorySize::from_gib(1)},
                     {1, MemorySize::from_gib(32), MemorySize::from_gib(1)}});
  FakeHost host(daemon, files.options());
  (void)host.sample();
  const int calls = daemon->host_calls();
  (void)host.sample();
  CHECK(daemon->host_calls() == calls + 1);
}

TEST_CASE(
    "without queries of the host, a lost connection is noticed and opened again all the same") {
  const HostFiles files;
  FakeHost host({"a"}, files.options());
  (void)host.sample();
  (void)host.sample();
  host.daemon->stop();
  const auto down = host.hypervisor->sample();
  REQUIRE_FALSE(down);
  CHECK(down.error().code == ErrorCode::unavailable);
  CHECK(host.notes().find("connection lost") != std::string::npos);
  host.daemon->start();
  CHECK(FakeHost::state(host.sample(), "a") == DomainState::running);
  CHECK(host.notes().find("connected again") != std::string::npos);
  CHECK(host.daemon->open_now() == 3);
}

TEST_CASE("without queries of the host, a daemon that restarts between two samples is noted") {
  const HostFiles files;
  FakeHost host({"a"}, files.options());
  (void)host.sample();
  (void)host.sample();
  host.daemon->stop();
  host.daemon->start();
  CHECK(FakeHost::state(host.sample(), "a") == DomainState::running);
  CHECK(host.notes().find("connected again") != std::string::npos);
}

TEST_CASE(
    "where the list of domains does not come, a query of the host shows that the daemon answers") {
  const HostFiles files;
  LibvirtOptions options = files.options();
  options.deadline = std::chrono::milliseconds(500);
  FakeHost host({"a"}, options);
  (void)host.sample();
  const int calls = host.daemon->host_calls();
  host.daemon->answer_only(Call::list, 0);
  CHECK(host.sample().domains.size() == 1);
  CHECK(host.daemon->host_calls() == calls + 1);
  host.daemon->answer_all(Call::list);
}

TEST_CASE(
    "a connection worker that loses its connection during a call performs the same task again") {
  FakeHost host({"a", "b"});
  (void)host.sample();
  host.daemon->with("b", [](FakeDomain& domain) { domain.hangs = domain.monitor_is_free = true; });
  std::jthread restart([&] {
    while (!host.daemon->domain("b").job_taken) std::this_thread::yield();
    host.daemon->restart();
  });
  const Snapshot snapshot = host.sample();
  CHECK(FakeHost::state(snapshot, "a") == DomainState::running);
  CHECK(FakeHost::state(snapshot, "b") == DomainState::running);
}

TEST_CASE("memcoord sets statistics periods again that a restart of the daemon has lost") {
  FakeHost host({"a"});
  (void)host.sample();
  CHECK(host.daemon->domain("a").period == 1);
  host.daemon->stop();
  (void)host.hypervisor->sample();
  host.daemon->start();
  host.daemon->with("a", [](FakeDomain& domain) { domain.period = 0; });
  (void)host.sample();
  CHECK(host.daemon->domain("a").period == 1);
}

TEST_CASE("while the connection is down, memcoord does not connect before the pause is over") {
  const auto daemon = std::make_shared<FakeDaemon>();
  daemon->add("a");
  WorkerHypervisorParts parts{
      "fake:///",
      true,
      std::make_shared<FakeConnector>(daemon),
      std::make_shared<FakeConnector>(daemon),
      nullptr,
      Backoff(std::chrono::hours(1), std::chrono::hours(1), [] { return 0.0; })};
  WorkerHypervisor hypervisor(std::move(parts), FakeHost::options());
  REQUIRE(hypervisor.start());
  daemon->stop();
  CHECK_FALSE(hypervisor.sample());
  daemon->start();
  const int opened = daemon->opened();
  CHECK(hypervisor.sample().error().code == ErrorCode::unavailable);
  CHECK(daemon->opened() == opened);
}

TEST_CASE("while the connection is down, moves fail") {
  FakeHost host({"a"});
  (void)host.sample();
  host.daemon->stop();
  (void)host.hypervisor->sample();
  const Outcome outcome = host.move("a", MemorySize::from_mib(900));
  CHECK(outcome.kind == Outcome::Kind::failed);
  CHECK(outcome.error->code == ErrorCode::unavailable);
}

TEST_CASE("a connection that dies during a move fails that move alone") {
  FakeHost host({"a"});
  (void)host.sample();
  host.daemon->stop();
  const Outcome outcome = host.move("a", MemorySize::from_mib(900));
  CHECK(outcome.kind == Outcome::Kind::failed);
  CHECK(outcome.error->code == ErrorCode::unavailable);
}

TEST_CASE(
    "the error about a daemon that does not answer differs from that about a missing daemon") {
  LibvirtOptions options = FakeHost::options();
  options.deadline = std::chrono::milliseconds(200);
  FakeHost host({"a"}, options);
  host.daemon->stop_answering();
  const auto silent = host.hypervisor->sample();
  REQUIRE_FALSE(silent);
  CHECK(silent.error().code == ErrorCode::timed_out);
  for (int i = 0; i < 5; ++i) CHECK_FALSE(host.hypervisor->sample());
  host.daemon->start();
}

TEST_CASE("the next sample uses a daemon that answers again, with a single call") {
  LibvirtOptions options = FakeHost::options();
  options.deadline = std::chrono::milliseconds(500);
  FakeHost host({"a"}, options);
  host.daemon->stop_answering();
  for (int i = 0; i < 5; ++i) CHECK_FALSE(host.hypervisor->sample());
  CHECK(host.daemon->opened() == 2);
  host.daemon->start();
  CHECK(host.sample().domains.size() == 1);
  CHECK(host.daemon->host_calls() == 3);  // at the start, the call that hung, the call that worked
}

TEST_CASE("the error of opening says why it failed") {
  const auto daemon = std::make_shared<FakeDaemon>();
  daemon->stop();
  WorkerHypervisorParts parts{
      "qemu:///system",
      true,
      std::make_shared<FakeConnector>(daemon),
      std::make_shared<FakeConnector>(daemon),
      nullptr,
      Backoff(std::chrono::seconds(1), std::chrono::seconds(1), [] { return 0.0; })};
  WorkerHypervisor hypervisor(std::move(parts), FakeHost::options());
  const Status started = hypervisor.start();
  REQUIRE_FALSE(started);
  CHECK(started.error().code == ErrorCode::unavailable);
  CHECK(started.error().text().find("no libvirt daemon answers") != std::string::npos);
}

TEST_CASE("a domain that vanished between sample and apply is an outcome, not an error") {
  FakeHost host({"a", "b"});
  (void)host.sample();
  host.daemon->remove("a");
  const auto outcomes = host.move_all({"a", "b"}, MemorySize::from_mib(900));
  CHECK(outcomes[0].kind == Outcome::Kind::vanished);
  CHECK(outcomes[1].kind == Outcome::Kind::applied);
  CHECK(host.sample().domains.size() == 1);
}

TEST_CASE("a move of a domain that was never listed has vanished") {
  FakeHost host({"a"});
  (void)host.sample();
  host.daemon->add("b");
  CHECK(host.move("b", MemorySize::from_mib(900)).kind == Outcome::Kind::vanished);
}

TEST_CASE("a move of a domain that was paused since the sample is skipped") {
  FakeHost host({"a"});
  (void)host.sample();
  host.event("a", DomainEvent::Kind::paused);
  CHECK(host.move("a", MemorySize::from_mib(900)).kind == Outcome::Kind::skipped);
  host.event("a", DomainEvent::Kind::resumed);
  CHECK(host.move("a", MemorySize::from_mib(900)).kind == Outcome::Kind::applied);
}

TEST_CASE("a move of a domain that was stopped since the sample has vanished") {
  FakeHost host({"a"});
  (void)host.sample();
  host.event("a", DomainEvent::Kind::stopped);
  CHECK(host.move("a", MemorySize::from_mib(900)).kind == Outcome::Kind::vanished);
}

TEST_CASE("a move of a domain that is being migrated or saved is skipped without waiting") {
  FakeHost host({"a"});
  (void)host.sample();
  host.daemon->with("a", [](FakeDomain& domain) { domain.in_long_job = true; });
  CHECK(host.move("a", MemorySize::from_mib(900)).kind == Outcome::Kind::skipped);
  CHECK(host.daemon->domain("a").memory_calls == 0);
  CHECK(FakeHost::state(host.sample(), "a") == DomainState::migrating);
  host.daemon->with("a", [](FakeDomain& domain) { domain.in_long_job = false; });
  (void)host.sample();
  CHECK(FakeHost::state(host.sample(), "a") == DomainState::running);
}

TEST_CASE("a job that lets balloon changes through does not skip its domain") {
  FakeHost host({"a"});
  (void)host.sample();
  host.daemon->with("a", [](FakeDomain& domain) {
    domain.in_long_job = true;
    domain.job_operation = VIR_DOMAIN_JOB_OPERATION_BACKUP;
  });
  CHECK(host.move("a", MemorySize::from_mib(900)).kind == Outcome::Kind::applied);
  CHECK(FakeHost::state(host.sample(), "a") == DomainState::running);
  host.event("a", DomainEvent::Kind::job_began);
  CHECK(FakeHost::state(host.sample(), "a") == DomainState::running);
}

TEST_CASE("a domain whose migration was announced is migrating until the migration ends") {
  FakeHost host({"a"});
  (void)host.sample();
  host.daemon->with("a", [](FakeDomain& domain) { domain.in_long_job = true; });
  host.event("a", DomainEvent::Kind::job_began);
  CHECK(FakeHost::state(host.sample(), "a") == DomainState::migrating);
  CHECK(FakeHost::state(host.sample(), "a") == DomainState::migrating);
  host.daemon->with("a", [](FakeDomain& domain) { domain.in_long_job = false; });
  CHECK(FakeHost::state(host.sample(), "a") == DomainState::running);
}

TEST_CASE("a move that libvirt refuses fails alone") {
  FakeHost host({"a", "b"});
  (void)host.sample();
  host.daemon->with("a", [](FakeDomain& domain) { domain.refuses = true; });
  const auto outcomes = host.move_all({"a", "b"}, MemorySize::from_mib(900));
  CHECK(outcomes[0].kind == Outcome::Kind::failed);
  CHECK(outcomes[0].error->object == "a");
  CHECK(outcomes[1].kind == Outcome::Kind::applied);
}

TEST_CASE("a renamed domain stays the same domain: its UUID identifies it") {
  FakeHost host({"a"});
  (void)host.sample();
  host.daemon->rename("a", "z");
  const Snapshot snapshot = host.sample();
  REQUIRE(snapshot.domains.size() == 1);
  CHECK(snapshot.domains.front().name() == "z");
  CHECK(snapshot.domains.front().uuid() == FakeDaemon::uuid("a"));
}

TEST_CASE("a snapshot lists domains in name order") {
  FakeHost host({"c", "a", "b"});
  const Snapshot snapshot = host.sample();
  CHECK(snapshot.domains[0].name() == "a");
  CHECK(snapshot.domains[2].name() == "c");
}

TEST_CASE("memcoord queries a domain again that another tool queried at the same moment") {
  FakeHost host({"a", "b"});
  host.daemon->with("a", [](FakeDomain& domain) { domain.asked_by_others = 1; });
  const Snapshot snapshot = host.sample();
  CHECK(FakeHost::state(snapshot, "a") == DomainState::running);
  CHECK(FakeHost::domain(snapshot, "a").guest.unused.has_value());
}

TEST_CASE("a domain whose figures the daemon leaves out is busy") {
  FakeHost host({"a"});
  host.daemon->with("a",
                    [](FakeDomain& domain) { domain.job_taken = domain.monitor_is_free = true; });
  CHECK(FakeHost::state(host.sample(), "a") == DomainState::busy);
}

TEST_CASE("the test driver's figures count as fresh, although their stamp is of 1989") {
  const auto daemon = std::make_shared<FakeDaemon>();
  daemon->add("a");
  daemon->set_driver("TEST");
  FakeHost host(daemon);
  const Snapshot snapshot = host.sample();
  CHECK(snapshot.domains.front().guest.last_update == snapshot.wall_time);
}

TEST_CASE("a snapshot has a moving balloon's present size, not the one that QEMU last announced") {
  FakeHost host({"a", "b"});
  (void)host.sample();
  host.daemon->with("a", [](FakeDomain& domain) { domain.announced = domain.actual; });
  REQUIRE(host.move("a", MemorySize::from_mib(700)).kind == Outcome::Kind::applied);
  CHECK(FakeHost::domain(host.sample(), "a").actual == MemorySize::from_mib(700));
  CHECK(host.daemon->domain("b").balloon_calls == 0);
}

TEST_CASE(
    "a snapshot has the host's nodes, the nodes that domains are bound to, and the balloons' "
    "options") {
  const auto daemon = std::make_shared<FakeDaemon>();
  const std::vector<NumaCell> cells = {{0, MemorySize::from_gib(32), MemorySize::from_gib(3)},
                                       {1, MemorySize::from_gib(32), MemorySize::from_gib(5)}};
  daemon->set_cells(cells);
  FakeDomain& bound = daemon->add("bound");
  bound.numatune = "<memory mode='strict' nodeset='1'/>";
  bound.balloon = "<memballoon model='virtio' freePageReporting='on' autodeflate='on'>";
  FakeDomain& placed = daemon->add("placed");
  placed.numatune = "<memory mode='strict' placement='auto'/>";
  placed.placed_on = "0";
  FakeHost host(daemon);
  const Snapshot snapshot = host.sample();
  CHECK(snapshot.host.cells == cells);
  const Domain& one = FakeHost::domain(snapshot, "bound");
  CHECK(one.identity->bound_to == std::vector<NodeBinding>{{{1}}});
  CHECK(one.free_page_reporting);
  CHECK(one.deflates_by_itself);
  const Domain& other = FakeHost::domain(snapshot, "placed");
  CHECK(other.identity->bound_to == std::vector<NodeBinding>{{{0}}});
  CHECK_FALSE(other.free_page_reporting);
}

TEST_CASE("the pauses between tries double up to the longest, extended at random") {
  using std::chrono::seconds;
  Backoff plain(seconds(1), seconds(30), [] { return 0.0; });
  CHECK(plain.next() == seconds(1));
  CHECK(plain.next() == seconds(2));
  CHECK(plain.next() == seconds(4));
  for (int i = 0; i < 10; ++i) (void)plain.next();
  CHECK(plain.next() == seconds(30));
  plain.reset();
  CHECK(plain.next() == seconds(1));
  Backoff drawn_out(seconds(4), seconds(30), [] { return 1.0; });
  CHECK(drawn_out.next() == seconds(5));
}
