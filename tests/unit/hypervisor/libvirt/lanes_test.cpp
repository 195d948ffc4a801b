// One hung guest costs itself, and nothing else.
#include <doctest/doctest.h>

#include <thread>

#include "tests/unit/hypervisor/libvirt/fake_host.h"

using namespace memcoord;
using namespace memcoord::libvirt;
using namespace memcoord::libvirt::fake;

namespace {

const std::vector<std::string> kFour = {"a", "b", "c", "d"};

/// A short deadline, for tests in which every call that is not to answer hangs for good.
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

TEST_CASE("the others are sampled in the very tick in which one guest hangs") {
  FakeHost host(kFour, impatient());
  CHECK(running(host.sample()) == 4);
  host.daemon->hang("b");
  const Snapshot snapshot = host.sample();
  CHECK(running(snapshot) == 3);
  CHECK(FakeHost::state(snapshot, "b") == DomainState::hung);
  CHECK_FALSE(FakeHost::domain(snapshot, "b").guest.unused);
  host.daemon->go_on("b");
}

TEST_CASE("a hung guest keeps the size it was last seen with") {
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

TEST_CASE("a guest that hung is served again in the first sample after it goes on") {
  FakeHost host(kFour, impatient());
  host.daemon->hang("b");
  (void)host.sample();
  host.daemon->go_on("b");
  CHECK(running(host.sample()) == 4);
  CHECK(host.notes().find("b: answers again") != std::string::npos);
  (void)host.sample();
  CHECK(host.notes().empty());
}

TEST_CASE("a hung guest holds one lane, however long it hangs") {
  FakeHost host(many(40), impatient());
  (void)host.sample();
  host.daemon->hang("vm107");
  (void)host.sample();
  (void)host.sample();  // one lane takes the place of the stuck one
  const int opened = host.daemon->opened();
  for (int i = 0; i < 20; ++i) (void)host.sample();
  CHECK(host.hypervisor->stuck_lanes() == 1);
  CHECK(host.daemon->opened() == opened);
  host.daemon->go_on("vm107");
}

TEST_CASE("a lane that comes back is taken up again") {
  FakeHost host(kFour, impatient());
  for (int i = 0; i < 5; ++i) {
    host.daemon->hang("b");
    (void)host.sample();
    host.daemon->go_on("b");
    while (host.hypervisor->stuck_lanes() != 0) std::this_thread::yield();
    (void)host.sample();
  }
  // Those for host and control, the lane, and the one that takes its place while it is held.
  CHECK(host.daemon->opened() == 4);
}

TEST_CASE("no more lanes are opened than the daemon has workers for") {
  LibvirtOptions options = impatient();
  options.lanes = 2;
  FakeHost host(many(60), options);
  for (int i = 0; i < 30; ++i) host.daemon->hang("vm" + std::to_string(100 + i));
  for (int i = 0; i < 3; ++i) (void)host.sample();
  CHECK(host.daemon->opened() <= 2 + 2 + static_cast<int>(LanePool::kMostStuck));
  for (int i = 0; i < 30; ++i) host.daemon->go_on("vm" + std::to_string(100 + i));
}

TEST_CASE("lanes that come back and are too many then are ended") {
  LibvirtOptions options = impatient();
  options.lanes = 2;
  FakeHost host(many(60), options);
  for (int i = 0; i < 30; ++i) host.daemon->hang("vm" + std::to_string(100 + i));
  (void)host.sample();
  CHECK(host.daemon->open_now() > 4);
  for (int i = 0; i < 30; ++i) host.daemon->go_on("vm" + std::to_string(100 + i));
  while (host.hypervisor->stuck_lanes() != 0) std::this_thread::yield();
  // Those for host and control, and the two lanes; the others' threads end when they get to it.
  for (int i = 0; i < 1000 && host.daemon->open_now() > 4; ++i) {
    (void)host.sample();
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  CHECK(host.daemon->open_now() == 4);
}

TEST_CASE("a guest that is slow, but whose monitor answers, is waited for") {
  FakeHost host(kFour);
  host.daemon->with("b", [](FakeDomain& domain) { domain.hangs = domain.monitor_is_free = true; });
  std::jthread later([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(2500));  // past the first look
    host.daemon->go_on("b");
  });
  CHECK(running(host.sample()) == 4);
}

TEST_CASE("what came of a move on a hung guest is unknown, the other moves are made, each once") {
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
  host.hypervisor->close();  // lanes that were left behind have ended by then
  CHECK(host.daemon->look("a").memory_calls == 1);
  CHECK(host.daemon->look("c").memory_calls == 1);
  CHECK(host.daemon->look("d").memory_calls == 1);
}

TEST_CASE("a guest that hung in a move is not sampled until it goes on") {
  FakeHost host(kFour, impatient());
  (void)host.sample();
  host.daemon->hang("b");
  (void)host.move("b", MemorySize::from_mib(900));
  const Snapshot snapshot = host.sample();
  CHECK(FakeHost::state(snapshot, "b") == DomainState::hung);
  CHECK(running(snapshot) == 3);
  CHECK(host.move("b", MemorySize::from_mib(900)).kind == Outcome::Kind::skipped);
  CHECK(host.hypervisor->stuck_lanes() == 1);
  host.daemon->go_on("b");
}

TEST_CASE("a guest that hung in a move costs no second lane where it is asked by itself") {
  FakeHost host(kFour, impatient());
  host.daemon->answer_bulk_with_states_alone();
  (void)host.sample();
  host.daemon->hang("b");
  (void)host.move("b", MemorySize::from_mib(900));
  CHECK(running(host.sample()) == 3);
  CHECK(host.hypervisor->stuck_lanes() == 1);
  host.daemon->go_on("b");
}

TEST_CASE("a guest that hangs while its balloon moves is left out like any other") {
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

TEST_CASE("a guest that somebody else's call hangs on is hung, and costs no lane") {
  FakeHost host(kFour, impatient());
  host.daemon->with("c", [](FakeDomain& domain) { domain.hangs = domain.job_taken = true; });
  const Snapshot snapshot = host.sample();
  CHECK(FakeHost::state(snapshot, "c") == DomainState::hung);
  CHECK(running(snapshot) == 3);
  CHECK(host.hypervisor->stuck_lanes() == 0);
  host.daemon->go_on("c");
}

TEST_CASE("closing does not wait for a hung guest, nor does its late answer do harm") {
  const auto daemon = std::make_shared<FakeDaemon>();
  for (const std::string& name : kFour) daemon->add(name);
  {
    FakeHost host(daemon, impatient());
    daemon->hang("b");
    (void)host.sample();
    host.hypervisor->close();
    CHECK(daemon->open_now() == 1);  // the connection that is held
  }
  daemon->go_on("b");
  while (daemon->open_now() != 0) std::this_thread::yield();
}

TEST_CASE("while the daemon holds on to a domain that it stops, the others are served") {
  FakeHost host(many(24), impatient());
  (void)host.sample();
  host.daemon->with("vm110", [](FakeDomain& domain) { domain.held = true; });
  const Snapshot snapshot = host.sample();
  CHECK(running(snapshot) == 23);
  CHECK(FakeHost::state(snapshot, "vm110") == DomainState::busy);
  CHECK(running(host.sample()) == 23);
  CHECK(host.hypervisor->stuck_lanes() <= 4);
  CHECK(host.move("vm111", MemorySize::from_mib(900)).kind == Outcome::Kind::applied);
  CHECK(host.move("vm110", MemorySize::from_mib(900)).kind == Outcome::Kind::skipped);
  host.daemon->with("vm110", [](FakeDomain& domain) { domain.held = false; });
  CHECK(running(host.sample()) == 24);
}

TEST_CASE("a domain that the daemon holds on to is not moved, and is not blamed for it") {
  FakeHost host(kFour, impatient());
  (void)host.sample();
  host.daemon->with("b", [](FakeDomain& domain) { domain.held = true; });
  const Outcome outcome = host.move("b", 900_MiB);
  CHECK(outcome.kind == Outcome::Kind::skipped);
  CHECK(outcome.error->message.find("the daemon does not reach it") == 0);
  host.daemon->with("b", [](FakeDomain& domain) { domain.held = false; });
  while (host.hypervisor->stuck_lanes() != 0) std::this_thread::yield();
  // Skipped is skipped: nothing is sent once nobody waits for it.
  CHECK(host.daemon->look("b").memory_calls == 0);
}

TEST_CASE("a domain that was stopped while the daemon held on to it is gone afterwards") {
  FakeHost host(kFour, impatient());
  (void)host.sample();
  host.daemon->with("b", [](FakeDomain& domain) { domain.held = true; });
  CHECK(running(host.sample()) == 3);
  host.daemon->remove("b");
  CHECK(host.sample().domains.size() == 3);
}

TEST_CASE("drivers that answer bulk calls with states alone are asked domain by domain") {
  FakeHost host(kFour);
  host.daemon->answer_bulk_with_states_alone();
  CHECK(running(host.sample()) == 4);
  CHECK(running(host.sample()) == 4);
}

TEST_CASE("in single calls too, only the guest that hangs is left out") {
  FakeHost host(kFour, impatient());
  host.daemon->answer_bulk_with_states_alone();
  CHECK(running(host.sample()) == 4);
  host.daemon->hang("b");
  const Snapshot snapshot = host.sample();
  CHECK(running(snapshot) == 3);
  CHECK(FakeHost::state(snapshot, "b") == DomainState::hung);
  host.daemon->go_on("b");
}

TEST_CASE("the domains are divided among lanes, a bulk call each") {
  LibvirtOptions options = FakeHost::options();
  options.lanes = 3;
  FakeHost host(many(40), options);
  (void)host.sample();
  CHECK(host.daemon->bulk_calls() == 3);
  CHECK(host.daemon->opened() == 2 + 3);
}

TEST_CASE("few domains get one lane") {
  FakeHost host(kFour);
  (void)host.sample();
  CHECK(host.daemon->bulk_calls() == 1);
}
