// A hung guest costs itself alone.
#include <doctest/doctest.h>

#include <thread>

#include "tests/unit/hypervisor/libvirt/fake_host.h"

using namespace memcoord;
using namespace memcoord::libvirt;
using namespace memcoord::libvirt::fake;

namespace {

const std::vector<std::string> kFour = {"a", "b", "c", "d"};

/// A short deadline, for tests whose silent calls never answer.
LibvirtOptions impatient() {
  LibvirtOptions options = FakeHost::options();
  options.deadline = std::chrono::seconds(2);
  return options;
}

std::vector<std::string> many(int count) {
  std::vector<std::string> names;
  for (int i = 0; i < count; ++i) names.push_back("vm" + std::to_string(100 + i));
  return names;
}

int running(const Snapshot& snapshot) {
  int count = 0;
  for (const Domain& domain : snapshot.domains) {
    count += domain.state == DomainState::running && domain.guest.unused ? 1 : 0;
  }
  return count;
}

}  // namespace

TEST_CASE("the other guests are sampled in the same tick in which one hangs") {
  FakeHost host(kFour, impatient());
  CHECK(running(host.sample()) == 4);
  host.daemon->hang("b");
  const Snapshot snapshot = host.sample();
  CHECK(running(snapshot) == 3);
  CHECK(FakeHost::state(snapshot, "b") == DomainState::hung);
  CHECK_FALSE(FakeHost::domain(snapshot, "b").guest.unused);
  host.daemon->go_on("b");
}

TEST_CASE("a snapshot has a hung guest's last known size") {
  FakeHost host(kFour, impatient());
  const MemorySize before = FakeHost::domain(host.sample(), "b").actual;
  host.daemon->hang("b");
  CHECK(FakeHost::domain(host.sample(), "b").actual == before);
  host.daemon->go_on("b");
}

TEST_CASE("two guests that hang at the same moment cost only themselves") {
  FakeHost host(kFour, impatient());
  host.daemon->hang("a");
  host.daemon->hang("d");
  const Snapshot snapshot = host.sample();
  CHECK(running(snapshot) == 2);
  CHECK(FakeHost::state(snapshot, "a") == DomainState::hung);
  CHECK(FakeHost::state(snapshot, "d") == DomainState::hung);
  host.daemon->go_on("a");
  host.daemon->go_on("d");
}

TEST_CASE("the first sample after a hung guest answers serves it again") {
  FakeHost host(kFour, impatient());
  host.daemon->hang("b");
  (void)host.sample();
  host.daemon->go_on("b");
  CHECK(running(host.sample()) == 4);
  CHECK(host.notes().find("b: answers again") != std::string::npos);
  (void)host.sample();
  CHECK(host.notes().empty());
}

TEST_CASE("a hung guest holds one connection worker, however long it hangs") {
  FakeHost host(many(40), impatient());
  (void)host.sample();
  host.daemon->hang("vm107");
  (void)host.sample();
  (void)host.sample();  // another worker replaces the stuck one
  const int opened = host.daemon->opened();
  const std::size_t open = host.hypervisor->connections().open;
  for (int i = 0; i < 20; ++i) (void)host.sample();
  CHECK(host.hypervisor->stuck_workers() == 1);
  CHECK(host.hypervisor->connections() == Connections{open, 1});
  CHECK(open >= 3);  // a worker, and the two that query the host and the list of domains
  CHECK(host.daemon->opened() == opened);
  host.daemon->go_on("vm107");
}

TEST_CASE("a connection worker that a guest released works again") {
  FakeHost host(kFour, impatient());
  for (int i = 0; i < 5; ++i) {
    host.daemon->hang("b");
    (void)host.sample();
    host.daemon->go_on("b");
    while (host.hypervisor->stuck_workers() != 0) std::this_thread::yield();
    (void)host.sample();
  }
  // Host, control, the worker, and the one that replaces it while it is stuck.
  CHECK(host.daemon->opened() == 4);
}

TEST_CASE("memcoord opens no more connections than the daemon has workers for") {
  LibvirtOptions options = impatient();
  options.connections = 2;
  FakeHost host(many(60), options);
  for (int i = 0; i < 30; ++i) host.daemon->hang("vm" + std::to_string(100 + i));
  for (int i = 0; i < 3; ++i) (void)host.sample();
  CHECK(host.daemon->opened() <= 2 + 2 + static_cast<int>(WorkerPool::kMaxStuck));
  for (int i = 0; i < 30; ++i) host.daemon->go_on("vm" + std::to_string(100 + i));
}

TEST_CASE("superfluous connection workers end when guests release them") {
  LibvirtOptions options = impatient();
  options.connections = 2;
  FakeHost host(many(60), options);
  for (int i = 0; i < 30; ++i) host.daemon->hang("vm" + std::to_string(100 + i));
  (void)host.sample();
  CHECK(host.daemon->open_now() > 4);
  for (int i = 0; i < 30; ++i) host.daemon->go_on("vm" + std::to_string(100 + i));
  while (host.hypervisor->stuck_workers() != 0) std::this_thread::yield();
  // Host, control and two workers; the other threads end some time later.
  for (int i = 0; i < 1000 && host.daemon->open_now() > 4; ++i) {
    (void)host.sample();
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  CHECK(host.daemon->open_now() == 4);
}

TEST_CASE("memcoord waits for a slow guest whose monitor answers") {
  FakeHost host(kFour);
  host.daemon->with("b", [](FakeDomain& domain) { domain.hangs = domain.monitor_is_free = true; });
  std::jthread later([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(2500));  // longer than the first wait
    host.daemon->go_on("b");
  });
  CHECK(running(host.sample()) == 4);
}

TEST_CASE("the outcome of a hung guest's move is unknown, and the other moves are made once each") {
  FakeHost host(kFour, impatient());
  (void)host.sample();
  host.daemon->hang("b");
  const auto outcomes = host.move_all(kFour, MemorySize::from_mib(900));
  CHECK(outcomes[0].kind == Outcome::Kind::applied);
  CHECK(outcomes[1].kind == Outcome::Kind::unknown);
  CHECK(outcomes[1].error->code == ErrorCode::timed_out);
  CHECK(outcomes[2].kind == Outcome::Kind::applied);
  CHECK(outcomes[3].kind == Outcome::Kind::applied);
  host.daemon->go_on("b");
  host.hypervisor->close();  // abandoned workers have ended by then
  CHECK(host.daemon->domain("a").memory_calls == 1);
  CHECK(host.daemon->domain("c").memory_calls == 1);
  CHECK(host.daemon->domain("d").memory_calls == 1);
}

TEST_CASE("a guest that hung during a move is not sampled until it answers") {
  FakeHost host(kFour, impatient());
  (void)host.sample();
  host.daemon->hang("b");
  (void)host.move("b", MemorySize::from_mib(900));
  const Snapshot snapshot = host.sample();
  CHECK(FakeHost::state(snapshot, "b") == DomainState::hung);
  CHECK(running(snapshot) == 3);
  CHECK(host.move("b", MemorySize::from_mib(900)).kind == Outcome::Kind::skipped);
  CHECK(host.hypervisor->stuck_workers() == 1);
  host.daemon->go_on("b");
}

TEST_CASE(
    "a guest that hung during a move holds no second worker where its driver needs single calls") {
  FakeHost host(kFour, impatient());
  host.daemon->answer_bulk_with_states_alone();
  (void)host.sample();
  host.daemon->hang("b");
  (void)host.move("b", MemorySize::from_mib(900));
  CHECK(running(host.sample()) == 3);
  CHECK(host.hypervisor->stuck_workers() == 1);
  host.daemon->go_on("b");
}

TEST_CASE("a guest that hangs while its balloon moves is skipped like any other") {
  FakeHost host(kFour, impatient());
  (void)host.sample();
  REQUIRE(host.move("a", MemorySize::from_mib(700)).kind == Outcome::Kind::applied);
  host.daemon->hang("a");
  const Snapshot hung = host.sample();
  CHECK(FakeHost::state(hung, "a") == DomainState::hung);
  CHECK(running(hung) == 3);
  host.daemon->go_on("a");
  CHECK(running(host.sample()) == 4);
}

TEST_CASE("a guest on which another tool's call hangs is hung, and holds no connection worker") {
  FakeHost host(kFour, impatient());
  host.daemon->with("c", [](FakeDomain& domain) { domain.hangs = domain.job_taken = true; });
  const Snapshot snapshot = host.sample();
  CHECK(FakeHost::state(snapshot, "c") == DomainState::hung);
  CHECK(running(snapshot) == 3);
  CHECK(host.hypervisor->stuck_workers() == 0);
  host.daemon->go_on("c");
}

TEST_CASE("closing does not wait for a hung guest, and its late answer does no harm") {
  const auto daemon = std::make_shared<FakeDaemon>();
  for (const std::string& name : kFour) daemon->add(name);
  {
    FakeHost host(daemon, impatient());
    daemon->hang("b");
    (void)host.sample();
    host.hypervisor->close();
    CHECK(daemon->open_now() == 1);  // the one that the hung call holds
  }
  daemon->go_on("b");
  while (daemon->open_now() != 0) std::this_thread::yield();
}

TEST_CASE("while the daemon locks a domain that it stops, memcoord serves the others") {
  FakeHost host(many(24), impatient());
  (void)host.sample();
  host.daemon->with("vm110", [](FakeDomain& domain) { domain.locked = true; });
  const Snapshot snapshot = host.sample();
  CHECK(running(snapshot) == 23);
  CHECK(FakeHost::state(snapshot, "vm110") == DomainState::busy);
  CHECK(running(host.sample()) == 23);
  CHECK(host.hypervisor->stuck_workers() <= 4);
  CHECK(host.move("vm111", MemorySize::from_mib(900)).kind == Outcome::Kind::applied);
  CHECK(host.move("vm110", MemorySize::from_mib(900)).kind == Outcome::Kind::skipped);
  host.daemon->with("vm110", [](FakeDomain& domain) { domain.locked = false; });
  CHECK(running(host.sample()) == 24);
}

TEST_CASE("the error of a move of a domain that the daemon locks names the daemon, not the guest") {
  FakeHost host(kFour, impatient());
  (void)host.sample();
  host.daemon->with("b", [](FakeDomain& domain) { domain.locked = true; });
  const Outcome outcome = host.move("b", 900_MiB);
  CHECK(outcome.kind == Outcome::Kind::skipped);
  CHECK(outcome.error->message.find("the daemon does not reach it") == 0);
  host.daemon->with("b", [](FakeDomain& domain) { domain.locked = false; });
  while (host.hypervisor->stuck_workers() != 0) std::this_thread::yield();
  // A skipped move is not sent later.
  CHECK(host.daemon->domain("b").memory_calls == 0);
}

TEST_CASE("a domain that was stopped while the daemon locked it is gone afterwards") {
  FakeHost host(kFour, impatient());
  (void)host.sample();
  host.daemon->with("b", [](FakeDomain& domain) { domain.locked = true; });
  CHECK(running(host.sample()) == 3);
  host.daemon->remove("b");
  CHECK(host.sample().domains.size() == 3);
}

TEST_CASE("where bulk calls report states alone, memcoord queries each domain") {
  FakeHost host(kFour);
  host.daemon->answer_bulk_with_states_alone();
  CHECK(running(host.sample()) == 4);
  CHECK(running(host.sample()) == 4);
}

TEST_CASE("with single calls, too, only the hung guest is skipped") {
  FakeHost host(kFour, impatient());
  host.daemon->answer_bulk_with_states_alone();
  CHECK(running(host.sample()) == 4);
  host.daemon->hang("b");
  const Snapshot snapshot = host.sample();
  CHECK(running(snapshot) == 3);
  CHECK(FakeHost::state(snapshot, "b") == DomainState::hung);
  host.daemon->go_on("b");
}

TEST_CASE("connection workers share the domains, with a bulk call each") {
  LibvirtOptions options = FakeHost::options();
  options.connections = 3;
  FakeHost host(many(40), options);
  (void)host.sample();
  CHECK(host.daemon->bulk_calls() == 3);
  CHECK(host.daemon->opened() == 2 + 3);
}

TEST_CASE("few domains get one connection worker") {
  FakeHost host(kFour);
  (void)host.sample();
  CHECK(host.daemon->bulk_calls() == 1);
}
