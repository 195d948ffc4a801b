#include "engine/core/coordinator.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <memory>

#include "tests/world/fakes.h"
#include "tests/world/world.h"

using namespace memcoord;
using namespace memcoord::test;
using namespace std::chrono_literals;

namespace {

std::unique_ptr<Policy> fails() {
  return std::make_unique<FakePolicy>([](const Situation&) -> Result<PolicyAnswer> {
    return fail(ErrorCode::policy_failed, "bad.lua:3", "broke");
  });
}

bool has_note(const Tick& tick, const std::string& text) {
  return std::any_of(tick.notes.begin(), tick.notes.end(),
                     [&](const Note& note) { return note.text.find(text) != std::string::npos; });
}

const World kCalm = World().host(8_GiB, free(4_GiB)).domain("a", unused(800_MiB));

}  // namespace

TEST_CASE("a tick samples, evaluates and moves, and records all of it") {
  CoordinatorHarness harness({kCalm}, asks({{"a", 900_MiB}}));
  const Tick tick = harness.coordinator.tick();
  CHECK(tick.number == 1);
  CHECK(tick.policy == "fake");
  CHECK(tick.proposals.size() == 1);
  REQUIRE(tick.decisions.size() == 1);
  CHECK(tick.decisions[0].target == 900_MiB);
  REQUIRE(tick.outcomes.size() == 1);
  CHECK(tick.outcomes[0].kind == Outcome::Kind::applied);
  CHECK(harness.hypervisor.moves == std::vector{Move{id("a"), 1_GiB, 900_MiB}});
}

TEST_CASE("a tick wants the next one as early as the policy or the engine does") {
  const auto wants = [](std::optional<Duration> again) {
    return std::make_unique<FakePolicy>([again](const Situation&) -> Result<PolicyAnswer> {
      PolicyAnswer answer;
      answer.again = again;
      return answer;
    });
  };
  CHECK_FALSE(CoordinatorHarness({kCalm}, wants({})).coordinator.tick().again);
  CHECK(CoordinatorHarness({kCalm}, wants(500ms)).coordinator.tick().again == 500ms);
  CHECK_FALSE(CoordinatorHarness({kCalm}, fails()).coordinator.tick().again);
  // The engine rescues the host.
  const World dry = World().host(8_GiB, free(50_MiB)).domain("a", actual(7_GiB), unused(4_GiB));
  CHECK(CoordinatorHarness({dry}, wants(500ms)).coordinator.tick().again == Duration());
  CoordinatorHarness down({kCalm}, wants(500ms));
  down.hypervisor.down = Error{ErrorCode::unavailable, "", "gone", "", ""};
  CHECK_FALSE(down.coordinator.tick().again);
}

TEST_CASE("a tick records the host's account and the domains that do not report") {
  const World world = World()
                          .host(8_GiB, free(4_GiB))
                          .domain("a", actual(1_GiB), unused(800_MiB), rss(700_MiB))
                          .domain("b", no_report());
  CoordinatorHarness harness({world}, asks({}));
  const Tick tick = harness.coordinator.tick();
  const Situation situation = Observed(world).situation();
  CHECK(tick.account.headroom == 4_GiB);
  CHECK(tick.account.committed == situation.committed);
  CHECK(tick.account.unbacked == situation.unbacked);
  CHECK(tick.account.unbacked >= 324_MiB);
  CHECK(tick.account.shortfall.is_zero());
  CHECK(tick.account.reclaimable == 400_MiB);
  CHECK(tick.not_reporting == std::vector{id("b")});
}

TEST_CASE("a dry run decides and records, and moves nothing") {
  CoordinatorOptions options;
  options.dry_run = true;
  CoordinatorHarness harness({kCalm}, asks({{"a", 900_MiB}}), options);
  const Tick tick = harness.coordinator.tick();
  CHECK(tick.decisions[0].target == 900_MiB);
  CHECK(tick.outcomes[0].kind == Outcome::Kind::dry_run);
  CHECK(harness.hypervisor.moves.empty());
}

TEST_CASE("dry run, pauses and notes of the operator's own begin with the next tick") {
  CoordinatorHarness harness({kCalm}, asks({{"a", 900_MiB}}));
  harness.coordinator.set_dry_run(true);
  harness.coordinator.add_note({Note::Severity::info, "dry run on"});
  const Tick dry = harness.coordinator.tick();
  CHECK(dry.dry_run);
  CHECK(dry.outcomes[0].kind == Outcome::Kind::dry_run);
  CHECK(has_note(dry, "dry run on"));
  harness.coordinator.set_dry_run(false);
  harness.coordinator.pause(id("a"), {"paused by root", std::nullopt});
  const Tick paused = harness.coordinator.tick();
  CHECK_FALSE(has_note(paused, "dry run on"));
  REQUIRE(paused.skipped.size() == 1);
  CHECK(paused.skipped[0].why == "paused by root");
  harness.coordinator.resume(id("a"));
  CHECK(harness.coordinator.tick().outcomes.size() == 1);
  CHECK(harness.hypervisor.moves.size() == 1);
}

TEST_CASE("a failed sample costs only its own tick") {
  CoordinatorHarness harness({kCalm}, asks({{"a", 900_MiB}}));
  harness.hypervisor.down = Error{ErrorCode::unavailable, "fake:", "down", {}, {}};
  CHECK(harness.coordinator.tick().sample_error.has_value());
  harness.hypervisor.down.reset();
  const Tick tick = harness.coordinator.tick();
  CHECK_FALSE(tick.sample_error.has_value());
  CHECK(tick.number == 2);
  CHECK(tick.outcomes.size() == 1);
}

TEST_CASE("a policy error costs only its own tick, and five in a row are reported once") {
  CoordinatorHarness harness({kCalm}, fails());
  for (int i = 1; i <= 4; ++i) {
    const Tick tick = harness.coordinator.tick();
    CHECK(tick.policy_error->object == "bad.lua:3");
    CHECK_FALSE(has_note(tick, "no usable answer"));
  }
  CHECK(has_note(harness.coordinator.tick(), "no usable answer for 5 ticks in a row"));
  CHECK_FALSE(has_note(harness.coordinator.tick(), "no usable answer"));
  CHECK(harness.hypervisor.moves.empty());
}

TEST_CASE("the fallback policy decides while the policy gives no usable answer") {
  CoordinatorHarness harness({kCalm}, fails());
  harness.coordinator.set_fallback(asks({{"a", 900_MiB}}, "careful"));
  for (int i = 1; i <= 4; ++i) CHECK(harness.coordinator.tick().fallback.empty());
  CHECK(harness.hypervisor.moves.empty());
  const Tick tick = harness.coordinator.tick();
  CHECK(has_note(tick, "careful decides instead"));
  CHECK(tick.fallback == "careful");
  CHECK(harness.hypervisor.moves.size() == 1);
  CHECK(tick.policy_error.has_value());
}

TEST_CASE("a fallback policy that fails too does not decide, and is noted") {
  CoordinatorHarness harness({kCalm}, fails());
  harness.coordinator.set_fallback(fails());
  for (int i = 1; i <= 4; ++i) static_cast<void>(harness.coordinator.tick());
  const Tick tick = harness.coordinator.tick();
  CHECK(tick.fallback.empty());
  CHECK(has_note(tick, " fails too: bad.lua:3: "));
  CHECK(tick.policy_error->object == "bad.lua:3");
}

TEST_CASE("include and exclude choose domains by name, and exclude wins") {
  CoordinatorOptions options;
  options.include = {"web*"};
  options.exclude = {"*-old"};
  const World world = World()
                          .domain("db", unused(800_MiB))
                          .domain("web1", unused(800_MiB))
                          .domain("web-old", unused(800_MiB));
  CoordinatorHarness harness(
      {world}, asks({{"db", 900_MiB}, {"web1", 900_MiB}, {"web-old", 900_MiB}}), options);
  const Tick tick = harness.coordinator.tick();
  CHECK(harness.hypervisor.moves == std::vector{Move{id("web1"), 1_GiB, 900_MiB}});
  CHECK(tick.skipped.size() == 2);
  CHECK(has_note(tick, "web-old: skipped: excluded by --exclude"));
  CHECK(has_note(tick, "db: skipped: not among those of --include"));
  CHECK_FALSE(has_note(harness.coordinator.tick(), "skipped"));
}

TEST_CASE("a pattern that matches no active domain is noted once, with the nearest name") {
  CoordinatorOptions options;
  options.include = {"wbe*", "web1", "zzz"};
  options.exclude = {"scratch", "dbs"};
  const World world = World().domain("db").domain("web").domain("web1");
  CoordinatorHarness harness({world}, asks({}), options);
  const Tick tick = harness.coordinator.tick();
  CHECK(has_note(tick, "--include wbe* matches no active domain; did you mean web?"));
  CHECK(has_note(tick, "--include zzz matches no active domain; these are active: db, web, web1"));
  CHECK(has_note(tick, "--exclude scratch matches no active domain; these are active: db, web"));
  CHECK(has_note(tick, "--exclude dbs matches no active domain; did you mean db?"));
  CHECK_FALSE(has_note(tick, "web1 matches"));
  for (const Note& note : tick.notes) {
    const bool may_be_shut_off = note.text.starts_with("--exclude scratch");
    if (!note.text.starts_with("--")) continue;
    CHECK(note.severity == (may_be_shut_off ? Note::Severity::info : Note::Severity::warning));
  }
  CHECK_FALSE(has_note(harness.coordinator.tick(), "matches no active domain"));
}

TEST_CASE("a host without domains has no note about patterns") {
  CoordinatorOptions options;
  options.include = {"web*"};
  CoordinatorHarness harness({World()}, asks({}), options);
  CHECK_FALSE(has_note(harness.coordinator.tick(), "matches no active domain"));
}

TEST_CASE("a domain that vanishes before its move does not disturb other moves") {
  CoordinatorHarness harness({World().domain("a", unused(800_MiB)).domain("b", unused(800_MiB))},
                             asks({{"a", 900_MiB}, {"b", 900_MiB}}));
  harness.hypervisor.outcomes[id("a")] = Outcome::Kind::vanished;
  const Tick tick = harness.coordinator.tick();
  REQUIRE(tick.outcomes.size() == 2);
  CHECK(tick.outcomes[0].kind == Outcome::Kind::vanished);
  CHECK(tick.outcomes[1].kind == Outcome::Kind::applied);
}

TEST_CASE("a hung domain is reported once, and nothing is decided for it") {
  CoordinatorHarness harness({World().domain("a", state(DomainState::hung))}, asks({{"a", 2_GiB}}));
  const Tick tick = harness.coordinator.tick();
  CHECK(has_note(tick, "a: skipped: does not answer"));
  CHECK(tick.decisions[0].holds());
  CHECK_FALSE(has_note(harness.coordinator.tick(), "does not answer"));
  CHECK(harness.hypervisor.moves.empty());
}

TEST_CASE("the notes about very many skipped domains all appear, and are not repeated") {
  constexpr int kDomains = 12'000;
  World world;
  for (int i = 0; i < kDomains; ++i) {
    world.domain("vm" + std::to_string(i), unsuitable("it has no balloon device"));
  }
  CoordinatorHarness harness({world}, asks({}));
  CHECK(harness.coordinator.tick().notes.size() == kDomains);
  for (int i = 0; i < 3; ++i) CHECK(harness.coordinator.tick().notes.empty());
}

TEST_CASE("page cache that --headroom unused does not count is reported once, whatever its size") {
  std::vector<Snapshot> snapshots;
  for (int i = 0; i < 4; ++i) {
    const auto more = MemorySize::from_mib(static_cast<std::uint64_t>(i));
    snapshots.push_back(World()
                            .at(std::chrono::seconds(i))
                            .host(8_GiB, free(200_MiB), available(6_GiB + more))
                            .domain("files", unused(60_MiB + more), usable(900_MiB + more)));
  }
  CoordinatorOptions options;
  options.limits.headroom = Headroom::unused;
  CoordinatorHarness harness(snapshots, asks({}), options);
  const Tick tick = harness.coordinator.tick();
  CHECK(tick.notes.size() == 2);
  CHECK(has_note(tick, "files: counts as short by --headroom unused, with 60 MiB unused"));
  CHECK(has_note(tick, "host: has nothing to give by --headroom unused, with 200 MiB free"));
  for (int i = 0; i < 3; ++i) CHECK(harness.coordinator.tick().notes.empty());
  CoordinatorHarness by_default(snapshots, asks({}));
  for (int i = 0; i < 4; ++i) CHECK(by_default.coordinator.tick().notes.empty());
}

TEST_CASE("a domain that was started again is reported again") {
  const auto snapshot_with = [](int start) {
    return World().domain("a", numbered(start), unsuitable("it has no balloon device"));
  };
  CoordinatorHarness harness({snapshot_with(1), snapshot_with(1), snapshot_with(2)}, asks({}));
  CHECK(has_note(harness.coordinator.tick(), "a: skipped"));
  CHECK_FALSE(has_note(harness.coordinator.tick(), "a: skipped"));
  CHECK(has_note(harness.coordinator.tick(), "a: skipped"));
}

TEST_CASE("a domain that options exclude shows its new settings") {
  CoordinatorOptions options;
  options.exclude = {"a"};
  CoordinatorHarness harness({World().domain("a"), World().domain("a", weight(3))}, asks({}),
                             options);
  harness.coordinator.tick();
  CHECK(harness.coordinator.tick().snapshot.domains[0].settings().weight == 3);
}

TEST_CASE("memory stays bounded over a week of domains that come, go, restart and are renamed") {
  // There are four domains at a time: one is new in each minute, one is excluded, one has no
  // balloon.
  struct Churn final : Hypervisor {
    [[nodiscard]] std::string description() const override { return "churn:"; }
    Result<Snapshot> sample() override {
      const auto name = [](int n) { return "vm" + std::to_string(n); };
      ++minute;
      Snapshot snapshot = World()
                              .at(std::chrono::minutes(minute))
                              .domain(name(minute), unused(800_MiB))
                              .domain(name(minute + 1) + "-out", unused(800_MiB))
                              .domain(name(minute + 2), unsuitable("it has no balloon device"))
                              .domain("steady", numbered(minute / 10), unused(800_MiB));
      DomainIdentity renamed = *snapshot.domains[0].identity;
      renamed.name += "-renamed" + std::to_string(minute);
      renamed.uuid = id("renamed");
      renamed.unsuitable = "it has no balloon device";
      snapshot.domains[0].identity = std::make_shared<const DomainIdentity>(renamed);
      return snapshot;
    }
    std::vector<Outcome> apply(std::span<const Move> moves) override { return all_applied(moves); }
    std::vector<Note> drain_notes() override { return {}; }
    void close() override {}
    int minute = 0;
  } churn;
  FakeClock clock;
  CoordinatorOptions options;
  options.exclude = {"*-out"};
  auto all = std::make_unique<FakePolicy>([](const Situation& situation) -> Result<PolicyAnswer> {
    PolicyAnswer answer;
    for (const Domain& domain : situation.snapshot.domains) {
      answer.proposals.push_back({domain.uuid(), 900_MiB, "why"});
    }
    return answer;
  });
  Coordinator coordinator(churn, clock, std::move(all), options);
  std::size_t most = 0;
  for (int minute = 0; minute < 7 * 24 * 60; ++minute) {
    coordinator.tick();
    most = std::max(most, coordinator.remembered());
  }
  // Each domain has a history and a note, one is excluded. Notes are kept for a hundred ticks.
  CHECK(most <= 2 * 4 + 1 + SaidNotes::kForgetAfter + 1);
}

TEST_CASE("memory of a move whose outcome is unknown is not granted to another domain") {
  const auto snapshot_at = [](Duration at) {
    return World()
        .at(at)
        .host(8_GiB, free(900_MiB))
        .domain("a", actual(512_MiB), unused(20_MiB))
        .domain("b", actual(512_MiB), unused(20_MiB));
  };
  CoordinatorHarness harness({snapshot_at(0s), snapshot_at(2s), snapshot_at(4s)},
                             asks({{"a", 1_GiB}}));
  harness.hypervisor.outcomes[id("a")] = Outcome::Kind::unknown;
  CHECK(harness.coordinator.tick().outcomes[0].kind == Outcome::Kind::unknown);
  harness.coordinator.replace_policy(asks({{"b", 2_GiB}}));
  const Tick tick = harness.coordinator.tick();
  CHECK(tick.grantable == 188_MiB);
  CHECK(tick.decisions[0].target == 700_MiB);
  // The late outcome says that the first move failed.
  harness.hypervisor.late = {{id("a"), 512_MiB, 1_GiB, Outcome::Kind::failed, {}}};
  const Tick later = harness.coordinator.tick();
  CHECK(later.late_outcomes.size() == 1);
  CHECK(later.grantable == 512_MiB);
}

TEST_CASE(
    "a host under its floor whose domains cannot give enough is reported once the shortage lasts") {
  const auto snapshot_at = [](Duration at, MemorySize unused_by_a) {
    return Snapshot(World().at(at).host(8_GiB, free(100_MiB)).domain("a", unused(unused_by_a)));
  };
  const std::string text =
      "host: has 100 MiB available, under its floor of 200 MiB, and its domains can give no more "
      "than 20 MiB; stop or migrate a guest, or free memory that the host itself uses";
  std::vector<Snapshot> snapshots;
  for (int i = 0; i < 6; ++i) snapshots.push_back(snapshot_at(i * 1s, 120_MiB));
  CoordinatorOptions watches;
  watches.dry_run = true;
  CoordinatorHarness harness(snapshots, asks({}), watches);
  for (int i = 0; i < 6; ++i) CHECK(has_note(harness.coordinator.tick(), text) == (i == 2));

  CoordinatorHarness helped({snapshot_at(0s, 900_MiB), snapshot_at(1s, 900_MiB),
                             snapshot_at(2s, 900_MiB), snapshot_at(3s, 900_MiB)},
                            asks({}), watches);
  for (int i = 0; i < 4; ++i) CHECK_FALSE(has_note(helped.coordinator.tick(), "under its floor"));
}

TEST_CASE("a rebooted guest gets back, once, the memory that its old target would take") {
  const auto snapshot_at = [](Duration at, MemorySize counter, MemorySize has) {
    return World()
        .at(at)
        .host(8_GiB, free(4_GiB))
        .domain("a", actual(has), maximum(1_GiB), unused(400_MiB), swapped(counter, counter));
  };
  Snapshot boots = snapshot_at(6s, 9_MiB, 900_MiB);
  boots.domains[0].guest.last_update = *boots.domains[0].guest.last_update - 4s;
  Snapshot still_boots = snapshot_at(7s, 9_MiB, 900_MiB);
  still_boots.domains[0].guest.last_update = boots.domains[0].guest.last_update;
  CoordinatorHarness harness(
      {snapshot_at(0s, 9_MiB, 1_GiB), snapshot_at(2s, 9_MiB, 900_MiB), boots, still_boots,
       snapshot_at(8s, 0_MiB, 900_MiB), snapshot_at(9s, 0_MiB, 1_GiB)},
      asks({{"a", 900_MiB}}));
  for (int i = 0; i < 4; ++i) harness.coordinator.tick();
  const Tick tick = harness.coordinator.tick();
  REQUIRE(tick.decisions.size() == 1);
  // 1 MiB stays in the balloon: a driver that finds the balloon empty reports no size.
  CHECK(tick.decisions[0].target == 1_GiB - 1_MiB);
  CHECK(tick.decisions[0].why.find("rebooted") == 0);
}

TEST_CASE("a guest that reboots without an event gets its memory back once it reports") {
  const auto snapshot_at = [](Duration at, MemorySize has) {
    return World()
        .at(at)
        .host(8_GiB, free(4_GiB))
        .domain("a", actual(has), maximum(1_GiB), unused(400_MiB));
  };
  Snapshot rebooted = snapshot_at(4s, 900_MiB);
  rebooted.domains[0].started_at = rebooted.taken_at;
  rebooted.domains[0].guest = {};
  Snapshot reports = snapshot_at(8s, 900_MiB);
  reports.domains[0].started_at = rebooted.taken_at;
  CoordinatorHarness harness({snapshot_at(0s, 1_GiB), snapshot_at(2s, 900_MiB), rebooted, reports},
                             asks({{"a", 900_MiB}}));
  for (int i = 0; i < 3; ++i) harness.coordinator.tick();
  CHECK(harness.hypervisor.moves.size() == 1);
  const Tick tick = harness.coordinator.tick();
  REQUIRE(harness.hypervisor.moves.size() == 2);
  CHECK(harness.hypervisor.moves[1].to == 1_GiB - 1_MiB);
  CHECK(tick.proposals.size() == 1);
}

TEST_CASE("a guest that is reverted to a snapshot keeps the balloon size of the snapshot") {
  const auto snapshot_at = [](Duration at, MemorySize counter, MemorySize has) {
    return World()
        .at(at)
        .host(8_GiB, free(4_GiB))
        .domain("a", actual(has), maximum(1_GiB), unused(400_MiB), swapped(counter, counter));
  };
  // Its counters fall, its reports have a gap, and its balloon has the size of the snapshot.
  Snapshot silent = snapshot_at(6s, 9_MiB, 900_MiB);
  silent.domains[0].guest.last_update = *silent.domains[0].guest.last_update - 4s;
  Snapshot reverted = snapshot_at(8s, 0_MiB, 950_MiB);
  reverted.domains[0].restored_at = reverted.taken_at;
  Snapshot later = snapshot_at(10s, 1_MiB, 950_MiB);
  later.domains[0].restored_at = reverted.taken_at;
  CoordinatorHarness harness(
      {snapshot_at(0s, 9_MiB, 1_GiB), snapshot_at(2s, 9_MiB, 900_MiB), silent, reverted, later},
      asks({{"a", 900_MiB}}));
  for (int i = 0; i < 4; ++i) {
    const Tick tick = harness.coordinator.tick();
    for (const Decision& decision : tick.decisions) CHECK(decision.target <= 950_MiB);
  }
  // There is no grace: after its report, a policy may shrink it.
  const Tick tick = harness.coordinator.tick();
  REQUIRE(tick.decisions.size() == 1);
  CHECK(tick.decisions[0].target == 900_MiB);
}

TEST_CASE("observers get every tick, failed ones too") {
  struct Count final : Observer {
    void observe(const Tick& tick) override { last = tick.number; }
    std::uint64_t last = 0;
  } count;
  CoordinatorHarness harness({kCalm}, asks({}));
  harness.coordinator.add_observer(count);
  harness.hypervisor.down = Error{ErrorCode::unavailable, "fake:", "down", {}, {}};
  harness.coordinator.tick();
  harness.coordinator.tick();
  CHECK(count.last == 2);
}
