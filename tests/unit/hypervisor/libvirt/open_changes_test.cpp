// The daemon may carry out a balloon change without an answer at any time.
#include <doctest/doctest.h>

#include <thread>

#include "tests/unit/hypervisor/libvirt/fake_host.h"

using namespace memcoord;
using namespace memcoord::libvirt;
using namespace memcoord::libvirt::fake;

namespace {

constexpr std::chrono::milliseconds kShort{300};

/// A host after a move of "b" to 900 MiB, which was sent and has no answer.
class Unanswered {
 public:
  explicit Unanswered(Duration lost_call_lives = std::chrono::hours(1))
      : host({"a", "b"}, options(lost_call_lives)) {
    (void)host.sample();
    host.daemon->with("b",
                      [](FakeDomain& domain) { domain.hangs = domain.monitor_is_free = true; });
    outcome = host.move("b", 900_MiB);
    CHECK(outcome.kind == Outcome::Kind::unknown);
  }
  ~Unanswered() { host.daemon->go_on("b"); }
  Unanswered(const Unanswered&) = delete;
  Unanswered& operator=(const Unanswered&) = delete;

  void wait_for_workers() const {
    while (host.hypervisor->stuck_workers() != 0) std::this_thread::yield();
  }
  Outcome move_again() { return host.move("b", 800_MiB); }

  FakeHost host;
  Outcome outcome;

 private:
  static LibvirtOptions options(Duration lost_call_lives) {
    LibvirtOptions options = FakeHost::options(kShort);
    options.lost_call_lives = lost_call_lives;
    return options;
  }
};

}  // namespace

TEST_CASE("a late answer gives the outcome of a move") {
  Unanswered change;
  // The reason differs with whether the monitor was queried in time.
  CHECK(change.outcome.error->message.ends_with("; its balloon may still move"));
  CHECK(change.host.hypervisor->drain_late_outcomes().empty());
  change.host.daemon->go_on("b");
  change.wait_for_workers();
  CHECK(change.host.hypervisor->drain_late_outcomes() ==
        std::vector{Outcome{FakeDaemon::uuid("b"), 1_GiB, 900_MiB, Outcome::Kind::applied, {}}});
  CHECK(change.host.notes().find("b: its balloon change to 900 MiB was carried out") !=
        std::string::npos);
  CHECK(change.host.hypervisor->drain_late_outcomes().empty());
}

TEST_CASE("a late answer may be a refusal") {
  Unanswered change;
  change.host.daemon->with("b", [](FakeDomain& domain) { domain.refuses = true; });
  change.host.daemon->go_on("b");
  change.wait_for_workers();
  const auto late = change.host.hypervisor->drain_late_outcomes();
  REQUIRE(late.size() == 1);
  CHECK(late[0].kind == Outcome::Kind::failed);
  CHECK(change.host.daemon->domain("b").actual == 1_GiB);
}

TEST_CASE("a domain takes no other move until the outcome of the last one is known") {
  Unanswered change;
  CHECK(change.move_again().kind == Outcome::Kind::skipped);
  change.host.daemon->go_on("b");
  change.wait_for_workers();
  // The answer has arrived, but drain_late_outcomes() has not returned it yet.
  const Outcome again = change.move_again();
  CHECK(again.kind == Outcome::Kind::skipped);
  CHECK(again.error->message.find("to 900 MiB has not been answered") != std::string::npos);
  (void)change.host.hypervisor->drain_late_outcomes();
  CHECK(change.move_again().kind == Outcome::Kind::applied);
}

TEST_CASE(
    "a change that was sent to a domain has vanished when the domain has stopped, even if it "
    "restarts") {
  Unanswered change;
  change.host.daemon->drop_connections();
  change.wait_for_workers();
  (void)change.host.sample();
  CHECK(change.host.hypervisor->drain_late_outcomes().empty());
  change.host.daemon->stop_and_start("b", 1_GiB);
  (void)change.host.sample();
  const auto late = change.host.hypervisor->drain_late_outcomes();
  REQUIRE(late.size() == 1);
  CHECK(late[0].kind == Outcome::Kind::vanished);
  CHECK(change.move_again().kind == Outcome::Kind::applied);
}

TEST_CASE("a change that was sent to a domain right after its restart stays open") {
  FakeHost host({"b"}, FakeHost::options(kShort));
  (void)host.sample();
  host.daemon->stop_and_start("b", 1_GiB);
  host.daemon->with("b", [](FakeDomain& domain) { domain.hangs = domain.monitor_is_free = true; });
  CHECK(host.move("b", 900_MiB).kind == Outcome::Kind::unknown);
  (void)host.sample();  // shows that the domain has another process
  CHECK(host.hypervisor->drain_late_outcomes().empty());
  CHECK(host.move("b", 800_MiB).kind == Outcome::Kind::skipped);
  host.daemon->go_on("b");
}

TEST_CASE("after a lost connection the daemon may still carry out a change") {
  Unanswered change;
  change.host.daemon->drop_connections();
  change.wait_for_workers();
  change.host.daemon->go_on("b");
  (void)change.host.sample();
  CHECK(change.host.hypervisor->drain_late_outcomes().empty());
  CHECK(change.move_again().kind == Outcome::Kind::skipped);
}

TEST_CASE("a domain takes moves again some time after the connection of its last change was lost") {
  Unanswered change(Duration(0));
  change.host.daemon->drop_connections();
  change.wait_for_workers();
  (void)change.host.sample();
  CHECK(change.host.hypervisor->drain_late_outcomes().empty());
  change.host.daemon->go_on("b");
  CHECK(change.move_again().kind == Outcome::Kind::applied);
}

TEST_CASE("a move that is repeated after a lost connection leaves the first one open") {
  for (const bool refuses : {false, true}) {
    CAPTURE(refuses);
    LibvirtOptions options = FakeHost::options();
    options.lost_call_lives = std::chrono::hours(1);
    FakeHost host({"b"}, options);
    (void)host.sample();
    host.daemon->with("b", [](FakeDomain& domain) { domain.loses_connections = true; });
    // The guest answers when the same call arrives on another connection.
    std::jthread goes_on([&] {
      while (host.daemon->domain("b").sent.size() < 2) std::this_thread::yield();
      host.daemon->with("b", [&](FakeDomain& domain) {
        domain.hangs = false;
        domain.refuses = refuses;
      });
    });
    const Outcome outcome = host.move("b", 900_MiB);
    goes_on.join();
    CHECK(outcome.kind == (refuses ? Outcome::Kind::unknown : Outcome::Kind::applied));
    CHECK(host.move("b", 800_MiB).kind == Outcome::Kind::skipped);
  }
}

TEST_CASE("a move without an answer is not repeated, even if no monitor can be queried") {
  FakeHost host({"a", "b"}, FakeHost::options(std::chrono::milliseconds(400)));
  (void)host.sample();
  host.daemon->hang("a");
  host.daemon->answer_only(Call::control_state, 0);
  const auto outcomes = host.move_all({"a", "b"}, 900_MiB);
  CHECK(outcomes[0].kind == Outcome::Kind::unknown);
  CHECK(outcomes[1].kind == Outcome::Kind::applied);
  host.daemon->answer_all(Call::control_state);
  host.daemon->go_on("a");
  while (host.hypervisor->stuck_workers() != 0) std::this_thread::yield();
  CHECK(host.daemon->domain("a").memory_calls == 1);
  CHECK(host.daemon->domain("b").memory_calls == 1);
}

TEST_CASE("a change that begins during a query of another monitor is not sent twice") {
  const auto daemon = std::make_shared<FakeDaemon>();
  daemon->add("a");
  daemon->add("b");
  daemon->hang("a");
  daemon->hang("b");
  // When the answer comes, "a" has answered and the call to "b" is under way.
  WorkerPool pool(std::make_shared<FakeConnector>(daemon), 1,
                  [&](const std::vector<Uuid>& domains, Instant) {
                    std::vector<std::optional<ControlState>> states(domains.size());
                    daemon->go_on("a");
                    while (daemon->domain("b").sent.empty()) std::this_thread::yield();
                    states.at(0) = ControlState{ControlState::Kind::broken, {}};
                    return states;
                  });
  const std::vector<DomainTask> tasks{
      {DomainTask::Kind::set_memory, FakeDaemon::uuid("a"), 900_MiB, {}, {}},
      {DomainTask::Kind::set_memory, FakeDaemon::uuid("b"), 900_MiB, {}, {}}};
  const TaskReport report = pool.run(tasks, std::chrono::steady_clock::now() + kShort);
  CHECK(report.answers[0].kind == TaskAnswer::Kind::done);
  CHECK(report.answers[1].under_way);
  CHECK(daemon->domain("b").sent.size() == 1);
  daemon->go_on("b");
  pool.end_until(std::chrono::steady_clock::now() + std::chrono::seconds(4));
}
