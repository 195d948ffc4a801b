// A balloon change that was sent and not answered may be carried out at any time.
#include <doctest/doctest.h>

#include <thread>

#include "tests/unit/hypervisor/libvirt/fake_host.h"

using namespace memcoord;
using namespace memcoord::libvirt;
using namespace memcoord::libvirt::fake;

namespace {

constexpr std::chrono::milliseconds kShort{300};

/// A host on which a move of "b" to 900 MiB has just been sent, and was not answered.
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

  void wait_for_lanes() const {
    while (host.hypervisor->stuck_lanes() != 0) std::this_thread::yield();
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

TEST_CASE("a late answer says what came of a move") {
  Unanswered change;
  // Whether the monitor was asked in time decides between two reasons.
  CHECK(change.outcome.error->message.ends_with("; its balloon may still move"));
  CHECK(change.host.hypervisor->take_late_outcomes().empty());
  change.host.daemon->go_on("b");
  change.wait_for_lanes();
  CHECK(change.host.hypervisor->take_late_outcomes() ==
        std::vector{Outcome{FakeDaemon::uuid("b"), 1_GiB, 900_MiB, Outcome::Kind::applied, {}}});
  CHECK(change.host.notes().find("b: its balloon change to 900 MiB was carried out") !=
        std::string::npos);
  CHECK(change.host.hypervisor->take_late_outcomes().empty());
}

TEST_CASE("a late answer may be a refusal") {
  Unanswered change;
  change.host.daemon->with("b", [](FakeDomain& domain) { domain.refuses = true; });
  change.host.daemon->go_on("b");
  change.wait_for_lanes();
  const auto late = change.host.hypervisor->take_late_outcomes();
  REQUIRE(late.size() == 1);
  CHECK(late[0].kind == Outcome::Kind::failed);
  CHECK(change.host.daemon->look("b").actual == 1_GiB);
}

TEST_CASE("a domain takes no other move until it is known what came of the last one") {
  Unanswered change;
  CHECK(change.move_again().kind == Outcome::Kind::skipped);
  change.host.daemon->go_on("b");
  change.wait_for_lanes();
  // The answer is there, but has not been told yet.
  const Outcome again = change.move_again();
  CHECK(again.kind == Outcome::Kind::skipped);
  CHECK(again.error->message.find("to 900 MiB has not been answered") != std::string::npos);
  (void)change.host.hypervisor->take_late_outcomes();
  CHECK(change.move_again().kind == Outcome::Kind::applied);
}

TEST_CASE("what was sent to a domain is over when it has stopped, though it is started again") {
  Unanswered change;
  change.host.daemon->drop_connections();
  change.wait_for_lanes();
  (void)change.host.sample();
  CHECK(change.host.hypervisor->take_late_outcomes().empty());
  change.host.daemon->stop_and_start("b", 1_GiB);
  (void)change.host.sample();
  const auto late = change.host.hypervisor->take_late_outcomes();
  REQUIRE(late.size() == 1);
  CHECK(late[0].kind == Outcome::Kind::vanished);
  CHECK(change.move_again().kind == Outcome::Kind::applied);
}

TEST_CASE("what was sent to a domain that had just been started again is not over") {
  FakeHost host({"b"}, FakeHost::options(kShort));
  (void)host.sample();
  host.daemon->stop_and_start("b", 1_GiB);
  host.daemon->with("b", [](FakeDomain& domain) { domain.hangs = domain.monitor_is_free = true; });
  CHECK(host.move("b", 900_MiB).kind == Outcome::Kind::unknown);
  (void)host.sample();  // shows that it is another process than before
  CHECK(host.hypervisor->take_late_outcomes().empty());
  CHECK(host.move("b", 800_MiB).kind == Outcome::Kind::skipped);
  host.daemon->go_on("b");
}

TEST_CASE("a lost connection proves nothing: the daemon may carry out what was sent on it") {
  Unanswered change;
  change.host.daemon->drop_connections();
  change.wait_for_lanes();
  change.host.daemon->go_on("b");
  (void)change.host.sample();
  CHECK(change.host.hypervisor->take_late_outcomes().empty());
  CHECK(change.move_again().kind == Outcome::Kind::skipped);
}

TEST_CASE("a call whose connection was lost lives for a while, then the domain takes moves again") {
  Unanswered change(Duration(0));
  change.host.daemon->drop_connections();
  change.wait_for_lanes();
  (void)change.host.sample();
  CHECK(change.host.hypervisor->take_late_outcomes().empty());
  change.host.daemon->go_on("b");
  CHECK(change.move_again().kind == Outcome::Kind::applied);
}

TEST_CASE("a move that is made once more after a lost connection leaves the first one open") {
  for (const bool refuses : {false, true}) {
    CAPTURE(refuses);
    LibvirtOptions options = FakeHost::options();
    options.lost_call_lives = std::chrono::hours(1);
    FakeHost host({"b"}, options);
    (void)host.sample();
    host.daemon->with("b", [](FakeDomain& domain) { domain.loses_connections = true; });
    // It goes on as the same call comes on another connection.
    std::jthread goes_on([&] {
      while (host.daemon->look("b").sent.size() < 2) std::this_thread::yield();
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

TEST_CASE("a move that is not answered is not sent once more, though no monitor can be asked") {
  FakeHost host({"a", "b"}, FakeHost::options(std::chrono::milliseconds(400)));
  (void)host.sample();
  host.daemon->hang("a");
  host.daemon->answer_only(Call::control_state, 0);
  const auto outcomes = host.move_all({"a", "b"}, 900_MiB);
  CHECK(outcomes[0].kind == Outcome::Kind::unknown);
  CHECK(outcomes[1].kind == Outcome::Kind::applied);
  host.daemon->answer_all(Call::control_state);
  host.daemon->go_on("a");
  while (host.hypervisor->stuck_lanes() != 0) std::this_thread::yield();
  CHECK(host.daemon->look("a").memory_calls == 1);
  CHECK(host.daemon->look("b").memory_calls == 1);
}

TEST_CASE("a change that begins while its neighbour's monitor is asked about is not sent twice") {
  const auto daemon = std::make_shared<FakeDaemon>();
  daemon->add("a");
  daemon->add("b");
  daemon->hang("a");
  daemon->hang("b");
  // By the time the answer comes, "a" has gone on and the call to "b" is under way.
  LanePool pool(std::make_shared<FakeConnector>(daemon), 1,
                [&](const std::vector<Uuid>& domains, Instant) {
                  std::vector<std::optional<ControlState>> states(domains.size());
                  daemon->go_on("a");
                  while (daemon->look("b").sent.empty()) std::this_thread::yield();
                  states.at(0) = ControlState{ControlState::Kind::broken, {}};
                  return states;
                });
  const std::vector<DomainTask> tasks{
      {DomainTask::Kind::set_memory, FakeDaemon::uuid("a"), 900_MiB, {}, {}},
      {DomainTask::Kind::set_memory, FakeDaemon::uuid("b"), 900_MiB, {}, {}}};
  const TaskReport report = pool.run(tasks, std::chrono::steady_clock::now() + kShort);
  CHECK(report.answers[0].kind == TaskAnswer::Kind::done);
  CHECK(report.answers[1].under_way);
  CHECK(daemon->look("b").sent.size() == 1);
  daemon->go_on("b");
  pool.end_until(std::chrono::steady_clock::now() + std::chrono::seconds(4));
}
