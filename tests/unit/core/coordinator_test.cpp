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

using Targets = std::vector<std::pair<std::string, MemorySize>>;

std::unique_ptr<Policy> asks(Targets targets, std::string name = "fake") {
  return std::make_unique<FakePolicy>(
      [targets = std::move(targets)](const Situation&) -> Result<PolicyAnswer> {
        PolicyAnswer answer;
        for (const auto& [who, target] : targets)
          answer.proposals.push_back({id(who), target, "why"});
        return answer;
      },
      std::move(name));
}

std::unique_ptr<Policy> fails() {
  return std::make_unique<FakePolicy>([](const Situation&) -> Result<PolicyAnswer> {
    return fail(ErrorCode::policy_failed, "bad.lua:3", "broke");
  });
}

/// A coordinator in a world of its own.
struct Bench {
  explicit Bench(std::vector<Snapshot> looks, std::unique_ptr<Policy> policy,
                 CoordinatorOptions options = {})
      : hypervisor(looks), coordinator(hypervisor, clock, std::move(policy), std::move(options)) {
    clock.follow(looks.front());
  }
  FakeHypervisor hypervisor;
  FakeClock clock;
  Coordinator coordinator;
};

bool says(const Tick& tick, const std::string& text) {
  return std::any_of(tick.notes.begin(), tick.notes.end(),
                     [&](const Note& note) { return note.text.find(text) != std::string::npos; });
}

const World kCalm = World().host(8_GiB, free(4_GiB)).domain("a", unused(800_MiB));
/// A host with nothing to give, a domain that is short and one that has plenty.
const World kTight = World()
                         .host(8_GiB, free(200_MiB))
                         .domain("poor", actual(512_MiB), unused(20_MiB))
                         .domain("rich", unused(800_MiB));

}  // namespace

TEST_CASE("a tick samples, decides, reviews, applies, and shows all of it") {
  Bench bench({kCalm}, asks({{"a", 900_MiB}}));
  const Tick tick = bench.coordinator.tick();
  CHECK(tick.number == 1);
  CHECK(tick.policy == "fake");
  CHECK(tick.proposals.size() == 1);
  REQUIRE(tick.decisions.size() == 1);
  CHECK(tick.decisions[0].target == 900_MiB);
  REQUIRE(tick.outcomes.size() == 1);
  CHECK(tick.outcomes[0].kind == Outcome::Kind::applied);
  CHECK(bench.hypervisor.moves == std::vector{Move{id("a"), 1_GiB, 900_MiB}});
}

TEST_CASE("shrinks go first, and grows wait for what they set free") {
  Bench bench({kTight}, asks({{"poor", 900_MiB}, {"rich", 624_MiB}}));
  const Tick tick = bench.coordinator.tick();
  REQUIRE(bench.hypervisor.moves.size() == 2);
  CHECK(bench.hypervisor.moves[0].domain == id("rich"));
  CHECK(bench.hypervisor.moves[1] == Move{id("poor"), 512_MiB, 900_MiB});
  CHECK(bench.clock.slept() <= 100ms);
  CHECK(tick.decisions.size() == 2);
}

TEST_CASE("a grow gets only what the host really has when the guest does not follow its shrink") {
  const World tight = World()
                          .host(8_GiB, free(250_MiB))
                          .domain("poor", actual(512_MiB), unused(20_MiB))
                          .domain("rich", unused(800_MiB));
  Bench bench({tight}, asks({{"poor", 900_MiB}, {"rich", 624_MiB}}));
  bench.hypervisor.ignoring = {id("rich")};
  const Tick tick = bench.coordinator.tick();
  REQUIRE(bench.hypervisor.moves.size() == 2);
  CHECK(bench.hypervisor.moves[1].to == 562_MiB);
  CHECK(bench.clock.slept() == 1s);
}

TEST_CASE("a grow that the host can serve at once does not wait for one that it cannot") {
  const World tight = World()
                          .host(8_GiB, free(250_MiB))
                          .domain("little", actual(512_MiB), unused(20_MiB))
                          .domain("much", actual(512_MiB), unused(20_MiB))
                          .domain("rich", unused(800_MiB));
  Bench bench({tight}, asks({{"little", 532_MiB}, {"much", 900_MiB}, {"rich", 624_MiB}}));
  bench.hypervisor.ignoring = {id("rich")};
  const Tick tick = bench.coordinator.tick();
  REQUIRE(bench.hypervisor.moves.size() == 3);
  CHECK(bench.hypervisor.moves[0].domain == id("rich"));
  // With the shrink, before any wait; the other has what there is when the wait is over.
  CHECK(bench.hypervisor.moves[1] == Move{id("little"), 512_MiB, 532_MiB});
  CHECK(bench.hypervisor.moves[2] == Move{id("much"), 512_MiB, 542_MiB});
  CHECK(tick.decisions.size() == 3);
  CHECK(tick.outcomes.size() == 3);
}

TEST_CASE("a large grow is made in steps worth making, as its memory is set free") {
  const auto look = [](MemorySize set_free) {
    return World()
        .host(8_GiB, free(200_MiB + set_free))
        .domain("poor", actual(512_MiB), unused(20_MiB))
        .domain("rich", actual(1_GiB - set_free), unused(800_MiB - set_free));
  };
  Bench bench({look(0_MiB), look(100_MiB), look(140_MiB), look(400_MiB)},
              asks({{"poor", 900_MiB}, {"rich", 624_MiB}}));
  bench.hypervisor.ignoring = {id("rich")};
  const Tick tick = bench.coordinator.tick();
  CHECK(bench.hypervisor.moves == std::vector{Move{id("rich"), 1_GiB, 624_MiB},
                                              Move{id("poor"), 512_MiB, 612_MiB},
                                              // 40 MiB more are under a quarter of what it lacks
                                              Move{id("poor"), 612_MiB, 900_MiB}});
  CHECK(bench.clock.slept() == 300ms);
  CHECK(tick.decisions.size() == 2);
  CHECK(tick.outcomes.size() == 3);
}

TEST_CASE("a tick that does not need what its shrinks free does not wait") {
  Bench bench({World().host(8_GiB, free(4_GiB)).domain("a").domain("b", unused(800_MiB))},
              asks({{"a", 1200_MiB}, {"b", 900_MiB}}));
  bench.coordinator.tick();
  CHECK(bench.clock.slept() == 0s);
  CHECK(bench.hypervisor.samples == 1);
}

TEST_CASE("a dry run decides and shows, and moves nothing") {
  CoordinatorOptions options;
  options.dry_run = true;
  Bench bench({kCalm}, asks({{"a", 900_MiB}}), options);
  const Tick tick = bench.coordinator.tick();
  CHECK(tick.decisions[0].target == 900_MiB);
  CHECK(tick.outcomes[0].kind == Outcome::Kind::dry_run);
  CHECK(bench.hypervisor.moves.empty());
}

TEST_CASE("a sample that fails costs its own tick") {
  Bench bench({kCalm}, asks({{"a", 900_MiB}}));
  bench.hypervisor.down = Error{ErrorCode::unavailable, "fake:", "down", {}, {}};
  CHECK(bench.coordinator.tick().sample_error.has_value());
  bench.hypervisor.down.reset();
  const Tick tick = bench.coordinator.tick();
  CHECK_FALSE(tick.sample_error.has_value());
  CHECK(tick.number == 2);
  CHECK(tick.outcomes.size() == 1);
}

TEST_CASE("a policy that fails costs its own tick, and after five of them it is said loudly") {
  Bench bench({kCalm}, fails());
  for (int i = 1; i <= 4; ++i) {
    const Tick tick = bench.coordinator.tick();
    CHECK(tick.policy_error->object == "bad.lua:3");
    CHECK_FALSE(says(tick, "no usable answer"));
  }
  CHECK(says(bench.coordinator.tick(), "no usable answer for 5 ticks in a row"));
  CHECK_FALSE(says(bench.coordinator.tick(), "no usable answer"));
  CHECK(bench.hypervisor.moves.empty());
}

TEST_CASE("a fallback policy decides while the policy itself gives no usable answer") {
  Bench bench({kCalm}, fails());
  bench.coordinator.set_fallback(asks({{"a", 900_MiB}}, "careful"));
  for (int i = 1; i <= 4; ++i) bench.coordinator.tick();
  CHECK(bench.hypervisor.moves.empty());
  const Tick tick = bench.coordinator.tick();
  CHECK(says(tick, "careful decides instead"));
  CHECK(bench.hypervisor.moves.size() == 1);
  CHECK(tick.policy_error.has_value());
}

TEST_CASE("include and exclude choose domains by name, and exclusion wins") {
  CoordinatorOptions options;
  options.include = {"web*"};
  options.exclude = {"*-old"};
  const World world = World()
                          .domain("db", unused(800_MiB))
                          .domain("web1", unused(800_MiB))
                          .domain("web-old", unused(800_MiB));
  Bench bench({world}, asks({{"db", 900_MiB}, {"web1", 900_MiB}, {"web-old", 900_MiB}}), options);
  const Tick tick = bench.coordinator.tick();
  CHECK(bench.hypervisor.moves == std::vector{Move{id("web1"), 1_GiB, 900_MiB}});
  CHECK(tick.held.size() == 2);
  CHECK(says(tick, "web-old: left alone: excluded by --exclude"));
  CHECK(says(tick, "db: left alone: not among those of --include"));
  CHECK_FALSE(says(bench.coordinator.tick(), "left alone"));
}

TEST_CASE("a domain that vanished between sample and apply is its own affair") {
  Bench bench({World().domain("a", unused(800_MiB)).domain("b", unused(800_MiB))},
              asks({{"a", 900_MiB}, {"b", 900_MiB}}));
  bench.hypervisor.outcomes[id("a")] = Outcome::Kind::vanished;
  const Tick tick = bench.coordinator.tick();
  REQUIRE(tick.outcomes.size() == 2);
  CHECK(tick.outcomes[0].kind == Outcome::Kind::vanished);
  CHECK(tick.outcomes[1].kind == Outcome::Kind::applied);
}

TEST_CASE("a domain that hangs is told of once, and nothing is decided for it") {
  Bench bench({World().domain("a", state(DomainState::hung))}, asks({{"a", 2_GiB}}));
  const Tick tick = bench.coordinator.tick();
  CHECK(says(tick, "a: left alone: does not answer"));
  CHECK(tick.decisions[0].holds());
  CHECK_FALSE(says(bench.coordinator.tick(), "does not answer"));
  CHECK(bench.hypervisor.moves.empty());
}

TEST_CASE("restore gives every moved domain back the memory it had at first") {
  const World world = World().host(8_GiB, free(4_GiB)).domain("a", unused(800_MiB)).domain("b");
  const World later =
      World().at(2s).host(8_GiB, free(4_GiB)).domain("a", unused(676_MiB)).domain("b");
  Bench bench({world, later}, asks({{"a", 900_MiB}}));
  bench.coordinator.tick();
  bench.coordinator.replace_policy(asks({{"a", 800_MiB}}));
  bench.coordinator.tick();
  const auto restored = bench.coordinator.restore();
  REQUIRE(restored);
  REQUIRE(restored->size() == 1);
  CHECK(restored->front().domain == id("a"));
  CHECK(restored->front().whole());
  CHECK(bench.hypervisor.moves.back().to == 1_GiB);
  // Once more: there is nothing left to move.
  const std::size_t moves = bench.hypervisor.moves.size();
  (void)bench.coordinator.restore();
  CHECK(bench.hypervisor.moves.size() == moves);
}

TEST_CASE("restore waits for memory that is being released, also where a signal ended the run") {
  const auto look = [](Duration at, MemorySize hosts) {
    return World()
        .at(at)
        .host(8_GiB, free(hosts))
        .domain("a", unused(800_MiB))
        .domain("b", unused(800_MiB));
  };
  // What b gives back is there at the third look only.
  Bench bench({look(0s, 300_MiB), look(0s, 300_MiB), look(2s, 200_MiB), look(2s, 200_MiB),
               look(2s, 500_MiB)},
              asks({{"a", 724_MiB}, {"b", 1324_MiB}}));
  bench.coordinator.tick();
  REQUIRE(bench.hypervisor.moves.back().to == 1324_MiB);
  bench.hypervisor.ignoring = {id("b")};
  bench.clock.asked_to_end = true;
  const auto restored = bench.coordinator.restore();
  REQUIRE(restored);
  REQUIRE(restored->size() == 2);
  for (const Restored& one : *restored) {
    CAPTURE(one.name);
    CAPTURE(one.why);
    CHECK(one.whole());
  }
  CHECK(bench.hypervisor.moves.back() == Move{id("a"), 724_MiB, 1_GiB});
}

TEST_CASE("restore that goes in steps counts its domain once") {
  const auto look = [](Duration at, MemorySize hosts, MemorySize has) {
    return World().at(at).host(8_GiB, free(hosts)).domain("a", actual(has), unused(800_MiB));
  };
  // (The fake host adds the move's 400 MiB to what it has free.)
  Bench bench({look(0s, 4_GiB, 1_GiB), look(2s, 0_MiB, 1_GiB), look(2s, 150_MiB, 1_GiB)},
              asks({{"a", 624_MiB}}));
  bench.coordinator.tick();
  bench.hypervisor.ignoring = {id("a")};
  const auto restored = bench.coordinator.restore();
  REQUIRE(restored);
  CHECK(bench.hypervisor.moves.size() == 3);
  REQUIRE(restored->size() == 1);
  CHECK(restored->front().has == 974_MiB);
}

TEST_CASE("restore waits for a report where the guard needs one before it takes memory back") {
  const auto look = [](Duration at, Duration reported, MemorySize left) {
    return World()
        .at(at)
        .host(8_GiB, free(4_GiB))
        .domain("a", unused(left), reported_ago(at - reported));
  };
  // At the first look the guest has not reported since its grow, at the third since its first
  // shrink.
  Bench bench({look(0s, 0s, 100_MiB), look(1s, 0s, 100_MiB), look(3s, 2s, 600_MiB),
               look(3s, 2s, 600_MiB), look(5s, 4s, 300_MiB)},
              asks({{"a", 1424_MiB}}));
  bench.coordinator.tick();
  const auto restored = bench.coordinator.restore();
  REQUIRE(restored->size() == 1);
  CAPTURE(restored->front().why);
  CHECK(restored->front().whole());
  CHECK(bench.hypervisor.moves == std::vector{Move{id("a"), 1_GiB, 1424_MiB},
                                              Move{id("a"), 1424_MiB, 1124_MiB},
                                              Move{id("a"), 1124_MiB, 1_GiB}});
}

TEST_CASE("restore does not wait where nothing is to come") {
  Bench bench({World().host(8_GiB, free(4_GiB)).domain("a", unused(50_MiB)),
               World().at(2s).host(8_GiB, free(4_GiB)).domain("a", unused(90_MiB))},
              asks({{"a", 2_GiB}}));
  bench.coordinator.tick();
  const auto restored = bench.coordinator.restore();
  CHECK(restored->front().has == 2_GiB);
  CHECK(restored->front().why.find("its floor is 100 MiB") != std::string::npos);
  CHECK(bench.clock.slept() == 0s);
}

TEST_CASE("a restore that cannot see the host moves nothing and says why") {
  Bench bench({kCalm}, asks({{"a", 900_MiB}}));
  bench.coordinator.tick();
  bench.hypervisor.down = Error{ErrorCode::unavailable, "fake:", "down", {}, {}};
  const auto restored = bench.coordinator.restore();
  REQUIRE_FALSE(restored);
  CHECK(restored.error().message == "down");
  CHECK(bench.hypervisor.moves.size() == 1);
}

TEST_CASE("restore leaves a domain alone that was started again and not moved since") {
  const auto look = [](Duration at, int start, MemorySize has) {
    return World()
        .at(at)
        .host(64_GiB, free(40_GiB))
        .domain("a", numbered(start), actual(has), unused(3_GiB));
  };
  SUBCASE("between two looks") {
    Bench bench({look(0s, 1, 4_GiB), look(60s, 2, 8_GiB)}, asks({{"a", 5_GiB}}));
    bench.coordinator.tick();
    bench.coordinator.replace_policy(asks({}));
    bench.coordinator.tick();
    CHECK(bench.coordinator.restore()->empty());
    CHECK(bench.hypervisor.moves.size() == 1);
  }
  SUBCASE("and was missing from a look meanwhile") {
    Bench bench({look(0s, 0, 4_GiB), World().at(2s), look(60s, 0, 8_GiB)}, asks({{"a", 5_GiB}}));
    bench.coordinator.tick();
    bench.coordinator.replace_policy(asks({}));
    bench.coordinator.tick();
    bench.coordinator.tick();
    CHECK(bench.coordinator.restore()->empty());
    CHECK(bench.hypervisor.moves.size() == 1);
  }
}

TEST_CASE("a guest that reboots within its domain is still restored to what it had") {
  Snapshot rebooted = World().at(4s).host(8_GiB, free(4_GiB)).domain("a", numbered(1));
  rebooted.domains[0].started_at = rebooted.taken_at;
  Bench bench(
      {World().host(8_GiB, free(4_GiB)).domain("a", numbered(1), unused(800_MiB)), rebooted},
      asks({{"a", 900_MiB}}));
  bench.coordinator.tick();
  const auto restored = bench.coordinator.restore();
  REQUIRE(restored->size() == 1);
  CHECK(restored->front().had == 1_GiB);
  CHECK(restored->front().whole());
}

TEST_CASE("a domain whose step fails gets no other step in its tick") {
  const auto look = [](MemorySize set_free) {
    return World()
        .host(8_GiB, free(200_MiB + set_free))
        .domain("poor", actual(512_MiB), unused(20_MiB))
        .domain("rich", actual(1_GiB - set_free), unused(800_MiB - set_free));
  };
  Bench bench({look(0_MiB), look(100_MiB), look(400_MiB)},
              asks({{"poor", 900_MiB}, {"rich", 624_MiB}}));
  bench.hypervisor.ignoring = {id("rich")};
  bench.hypervisor.outcomes[id("poor")] = Outcome::Kind::failed;
  const Tick tick = bench.coordinator.tick();
  CHECK(bench.hypervisor.moves ==
        std::vector{Move{id("rich"), 1_GiB, 624_MiB}, Move{id("poor"), 512_MiB, 612_MiB}});
  CHECK(tick.outcomes.back().kind == Outcome::Kind::failed);
}

TEST_CASE("an outcome has the time of its step") {
  Bench bench({kTight}, asks({{"poor", 900_MiB}, {"rich", 624_MiB}}));
  const Tick tick = bench.coordinator.tick();
  REQUIRE(tick.outcomes.size() == 2);
  CHECK(tick.outcomes[0].at == tick.snapshot.taken_at);
  CHECK(tick.outcomes[1].at == tick.snapshot.taken_at + 100ms);
}

TEST_CASE("the notes of very many domains that are left alone are all said, and not repeated") {
  constexpr int kDomains = 12'000;
  World world;
  for (int i = 0; i < kDomains; ++i) {
    world.domain("vm" + std::to_string(i), unsuitable("it has no balloon device"));
  }
  Bench bench({world}, asks({}));
  CHECK(bench.coordinator.tick().notes.size() == kDomains);
  for (int i = 0; i < 3; ++i) CHECK(bench.coordinator.tick().notes.empty());
}

TEST_CASE("page cache that --headroom unused does not count is told of once, whatever its size") {
  std::vector<Snapshot> looks;
  for (int i = 0; i < 4; ++i) {
    const auto more = MemorySize::from_mib(static_cast<std::uint64_t>(i));
    looks.push_back(World()
                        .at(std::chrono::seconds(i))
                        .host(8_GiB, free(200_MiB), available(6_GiB + more))
                        .domain("files", unused(60_MiB + more), usable(900_MiB + more)));
  }
  CoordinatorOptions options;
  options.limits.headroom = Headroom::unused;
  Bench bench(looks, asks({}), options);
  const Tick tick = bench.coordinator.tick();
  CHECK(tick.notes.size() == 2);
  CHECK(says(tick, "files: counts as short by --headroom unused, with 60 MiB unused"));
  CHECK(says(tick, "host: has nothing to give by --headroom unused, with 200 MiB free"));
  for (int i = 0; i < 3; ++i) CHECK(bench.coordinator.tick().notes.empty());
  Bench by_default(looks, asks({}));
  for (int i = 0; i < 4; ++i) CHECK(by_default.coordinator.tick().notes.empty());
}

TEST_CASE("a domain that is started again is told of anew") {
  const auto look = [](int start) {
    return World().domain("a", numbered(start), unsuitable("it has no balloon device"));
  };
  Bench bench({look(1), look(1), look(2)}, asks({}));
  CHECK(says(bench.coordinator.tick(), "a: left alone"));
  CHECK_FALSE(says(bench.coordinator.tick(), "a: left alone"));
  CHECK(says(bench.coordinator.tick(), "a: left alone"));
}

TEST_CASE("new settings of a domain that options exclude are seen") {
  CoordinatorOptions options;
  options.exclude = {"a"};
  Bench bench({World().domain("a"), World().domain("a", weight(3))}, asks({}), options);
  bench.coordinator.tick();
  CHECK(bench.coordinator.tick().snapshot.domains[0].settings().weight == 3);
}

TEST_CASE("a week of domains that come, go, restart and are renamed leaves nothing behind") {
  // Four domains at a time: one is new in each minute, one is left out, one cannot be moved.
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
    std::vector<Note> take_notes() override { return {}; }
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
  // Per domain a past and a note; one is left out. A note of a name is kept for a hundred ticks.
  CHECK(most <= 2 * 4 + 1 + SaidNotes::kForgetAfter + 1);
}

TEST_CASE("memory of a move whose outcome is unknown is granted to nobody else") {
  const auto look = [](Duration at) {
    return World()
        .at(at)
        .host(8_GiB, free(900_MiB))
        .domain("a", actual(512_MiB), unused(20_MiB))
        .domain("b", actual(512_MiB), unused(20_MiB));
  };
  Bench bench({look(0s), look(2s), look(4s)}, asks({{"a", 1_GiB}}));
  bench.hypervisor.outcomes[id("a")] = Outcome::Kind::unknown;
  CHECK(bench.coordinator.tick().outcomes[0].kind == Outcome::Kind::unknown);
  bench.coordinator.replace_policy(asks({{"b", 2_GiB}}));
  const Tick tick = bench.coordinator.tick();
  CHECK(tick.grantable == 188_MiB);
  CHECK(tick.decisions[0].target == 700_MiB);
  // It is learnt that the first one never came.
  bench.hypervisor.late = {{id("a"), 512_MiB, 1_GiB, Outcome::Kind::failed, {}}};
  const Tick later = bench.coordinator.tick();
  CHECK(later.late_outcomes.size() == 1);
  CHECK(later.grantable == 512_MiB);
}

TEST_CASE("restore knows a domain whose only move has an unknown outcome") {
  const auto look = [](Duration at, MemorySize has) {
    return World().at(at).host(8_GiB, free(4_GiB)).domain("a", actual(has), unused(800_MiB));
  };
  Bench bench({look(0s, 1_GiB), look(2s, 900_MiB)}, asks({{"a", 900_MiB}}));
  bench.hypervisor.outcomes[id("a")] = Outcome::Kind::unknown;
  bench.coordinator.tick();
  bench.hypervisor.outcomes.clear();
  const auto restored = bench.coordinator.restore();
  REQUIRE(restored->size() == 1);
  CHECK(restored->front().had == 1_GiB);
  CHECK(restored->front().whole());
}

TEST_CASE("restore says where a balloon may still move after it") {
  Bench bench({kCalm}, asks({{"a", 900_MiB}}));
  bench.hypervisor.outcomes[id("a")] = Outcome::Kind::unknown;
  bench.coordinator.tick();
  const auto restored = bench.coordinator.restore();
  REQUIRE(restored->size() == 1);
  CHECK_FALSE(restored->front().whole());
  CHECK(restored->front().why.find("to 900 MiB has not been answered") != std::string::npos);
}

TEST_CASE("restore takes back what a late answer has moved meanwhile") {
  Bench bench({kCalm}, asks({{"a", 1100_MiB}}));
  bench.hypervisor.outcomes[id("a")] = Outcome::Kind::unknown;
  bench.coordinator.tick();
  bench.hypervisor.outcomes.clear();
  bench.hypervisor.late = {{id("a"), 1_GiB, 900_MiB, Outcome::Kind::applied, {}}};
  const auto restored = bench.coordinator.restore();
  REQUIRE(restored->size() == 1);
  CHECK(restored->front().whole());
  REQUIRE_FALSE(bench.hypervisor.moves.empty());
  CHECK(bench.hypervisor.moves.back().to == 1_GiB);
}

TEST_CASE("restore leaves alone what turned out never to have been moved") {
  Bench bench({kCalm}, asks({{"a", 900_MiB}}));
  bench.hypervisor.outcomes[id("a")] = Outcome::Kind::unknown;
  bench.coordinator.tick();
  bench.hypervisor.late = {{id("a"), 1_GiB, 900_MiB, Outcome::Kind::failed, {}}};
  bench.coordinator.replace_policy(asks({}));
  bench.coordinator.tick();
  CHECK(bench.coordinator.restore()->empty());
}

TEST_CASE("a host under its floor that its domains cannot help is told of once it lasts") {
  const auto look = [](Duration at, MemorySize unused_by_a) {
    return Snapshot(World().at(at).host(8_GiB, free(100_MiB)).domain("a", unused(unused_by_a)));
  };
  const std::string text =
      "host: has 100 MiB available, under its floor of 200 MiB, and its domains can give no more "
      "than 20 MiB; stop or migrate a guest, or free memory that the host itself uses";
  std::vector<Snapshot> looks;
  for (int i = 0; i < 6; ++i) looks.push_back(look(i * 1s, 120_MiB));
  CoordinatorOptions watches;
  watches.dry_run = true;
  Bench bench(looks, asks({}), watches);
  for (int i = 0; i < 6; ++i) CHECK(says(bench.coordinator.tick(), text) == (i == 2));

  Bench helped({look(0s, 900_MiB), look(1s, 900_MiB), look(2s, 900_MiB), look(3s, 900_MiB)},
               asks({}), watches);
  for (int i = 0; i < 4; ++i) CHECK_FALSE(says(helped.coordinator.tick(), "under its floor"));
}

TEST_CASE("a guest that reboots gets back what its old target would squeeze out of it, once") {
  const auto look = [](Duration at, MemorySize counter, MemorySize has) {
    return World()
        .at(at)
        .host(8_GiB, free(4_GiB))
        .domain("a", actual(has), maximum(1_GiB), unused(400_MiB), swapped(counter, counter));
  };
  Snapshot boots = look(6s, 9_MiB, 900_MiB);
  boots.domains[0].guest.last_update = *boots.domains[0].guest.last_update - 4s;
  Snapshot still_boots = look(7s, 9_MiB, 900_MiB);
  still_boots.domains[0].guest.last_update = boots.domains[0].guest.last_update;
  Bench bench({look(0s, 9_MiB, 1_GiB), look(2s, 9_MiB, 900_MiB), boots, still_boots,
               look(8s, 0_MiB, 900_MiB), look(9s, 0_MiB, 1_GiB)},
              asks({{"a", 900_MiB}}));
  for (int i = 0; i < 4; ++i) bench.coordinator.tick();
  const Tick tick = bench.coordinator.tick();
  REQUIRE(tick.decisions.size() == 1);
  // Not all of it: the balloon keeps something for the guest's driver to answer for.
  CHECK(tick.decisions[0].target == 1_GiB - 1_MiB);
  CHECK(tick.decisions[0].why.find("rebooted") == 0);
}

TEST_CASE("a guest that reboots without a word gets its memory back once it reports") {
  const auto look = [](Duration at, MemorySize has) {
    return World()
        .at(at)
        .host(8_GiB, free(4_GiB))
        .domain("a", actual(has), maximum(1_GiB), unused(400_MiB));
  };
  Snapshot rebooted = look(4s, 900_MiB);
  rebooted.domains[0].started_at = rebooted.taken_at;
  rebooted.domains[0].guest = {};
  Snapshot reports = look(8s, 900_MiB);
  reports.domains[0].started_at = rebooted.taken_at;
  Bench bench({look(0s, 1_GiB), look(2s, 900_MiB), rebooted, reports}, asks({{"a", 900_MiB}}));
  for (int i = 0; i < 3; ++i) bench.coordinator.tick();
  CHECK(bench.hypervisor.moves.size() == 1);
  const Tick tick = bench.coordinator.tick();
  REQUIRE(bench.hypervisor.moves.size() == 2);
  CHECK(bench.hypervisor.moves[1].to == 1_GiB - 1_MiB);
  CHECK(tick.proposals.size() == 1);
}

TEST_CASE("a guest that is reverted to a snapshot keeps the balloon that comes with it") {
  const auto look = [](Duration at, MemorySize counter, MemorySize has) {
    return World()
        .at(at)
        .host(8_GiB, free(4_GiB))
        .domain("a", actual(has), maximum(1_GiB), unused(400_MiB), swapped(counter, counter));
  };
  // Its counters go back, its reports have a gap, and its balloon is the snapshot's.
  Snapshot silent = look(6s, 9_MiB, 900_MiB);
  silent.domains[0].guest.last_update = *silent.domains[0].guest.last_update - 4s;
  Snapshot reverted = look(8s, 0_MiB, 950_MiB);
  reverted.domains[0].restored_at = reverted.taken_at;
  Snapshot later = look(10s, 1_MiB, 950_MiB);
  later.domains[0].restored_at = reverted.taken_at;
  Bench bench({look(0s, 9_MiB, 1_GiB), look(2s, 9_MiB, 900_MiB), silent, reverted, later},
              asks({{"a", 900_MiB}}));
  for (int i = 0; i < 4; ++i) {
    const Tick tick = bench.coordinator.tick();
    for (const Decision& decision : tick.decisions) CHECK(decision.target <= 950_MiB);
  }
  // No grace: once it has reported, a policy may shrink it.
  const Tick tick = bench.coordinator.tick();
  REQUIRE(tick.decisions.size() == 1);
  CHECK(tick.decisions[0].target == 900_MiB);
}

TEST_CASE("restore squeezes no guest that has come to need what it got") {
  const auto look = [](Duration at, MemorySize has, MemorySize left) {
    return World().at(at).host(8_GiB, free(4_GiB)).domain("a", actual(has), unused(left));
  };
  Bench bench({look(0s, 1_GiB, 50_MiB), look(2s, 2_GiB, 120_MiB)}, asks({{"a", 2_GiB}}));
  bench.coordinator.tick();
  const auto restored = bench.coordinator.restore();
  REQUIRE(restored->size() == 1);
  CHECK(restored->front().has == 2_GiB - 20_MiB);
  CHECK(restored->front().had == 1_GiB);
  CHECK(restored->front().why.find("its floor is 100 MiB") != std::string::npos);
}

TEST_CASE("restore keeps a maximum that was configured meanwhile") {
  const auto look = [](Duration at, MemorySize has) {
    return World().at(at).host(8_GiB, free(4_GiB)).domain("a", actual(has), unused(800_MiB));
  };
  Snapshot later = look(2s, 700_MiB);
  DomainIdentity limited = *later.domains[0].identity;
  limited.settings.maximum = 900_MiB;
  later.domains[0].identity = std::make_shared<const DomainIdentity>(limited);
  Bench bench({look(0s, 1_GiB), later}, asks({{"a", 700_MiB}}));
  bench.coordinator.tick();
  const auto restored = bench.coordinator.restore();
  REQUIRE(restored->size() == 1);
  CHECK(restored->front().has == 900_MiB);
  CHECK(bench.hypervisor.moves.back() == Move{id("a"), 700_MiB, 900_MiB});
  CHECK(restored->front().why == "passes its maximum of 900 MiB");
}

TEST_CASE("restore moves no domain that the guard would leave alone") {
  const auto look = [](Duration at, MemorySize has, DomainSays says) {
    return World().at(at).host(8_GiB, free(4_GiB)).domain("a", actual(has), unused(800_MiB), says);
  };
  const auto moves_after = [&](DomainSays says) {
    Bench bench({look(0s, 1_GiB, state(DomainState::running)), look(2s, 700_MiB, says)},
                asks({{"a", 700_MiB}}));
    bench.coordinator.tick();
    const auto restored = bench.coordinator.restore();
    CHECK(restored->front().has == 700_MiB);
    CHECK_FALSE(restored->front().why.empty());
    return bench.hypervisor.moves.size() - 1;
  };
  CHECK(moves_after(state(DomainState::paused)) == 0);
  CHECK(moves_after(state(DomainState::migrating)) == 0);
  CHECK(moves_after(excluded()) == 0);
}

TEST_CASE("restore needs no report to give memory back, and one to take it") {
  const auto look = [](Duration at, MemorySize as, MemorySize bs) {
    return World()
        .at(at)
        .host(8_GiB, free(4_GiB))
        .domain("a", actual(as), unused(800_MiB), reported_ago(at))
        .domain("b", actual(bs), unused(800_MiB), reported_ago(at));
  };
  Bench bench({look(0s, 1_GiB, 1_GiB), look(60s, 700_MiB, 1200_MiB)},
              asks({{"a", 700_MiB}, {"b", 1200_MiB}}));
  bench.coordinator.tick();
  const auto restored = bench.coordinator.restore();
  REQUIRE(restored->size() == 2);
  CHECK((*restored)[0].whole());
  CHECK((*restored)[1].has == 1200_MiB);
}

TEST_CASE("observers are told once what a restore came to, a decision a domain") {
  struct Keep final : Observer {
    void observe(const Tick& tick) override { ticks.push_back(tick); }
    std::vector<Tick> ticks;
  } keep;
  const auto look = [](Duration at, MemorySize as, MemorySize bs) {
    return World()
        .at(at)
        .host(8_GiB, free(4_GiB))
        .domain("a", actual(as), unused(800_MiB))
        .domain("b", actual(bs), unused(200_MiB));
  };
  Bench bench({look(0s, 1_GiB, 1_GiB), look(2s, 700_MiB, 1400_MiB)},
              asks({{"a", 700_MiB}, {"b", 1400_MiB}}));
  bench.coordinator.add_observer(keep);
  bench.coordinator.tick();
  (void)bench.coordinator.restore();
  REQUIRE(keep.ticks.size() == 2);
  const Tick& told = keep.ticks[1];
  CHECK_FALSE(keep.ticks[0].restoring);
  CHECK(told.restoring);
  CHECK(told.number == 2);
  REQUIRE(told.decisions.size() == 2);
  CHECK(told.decisions[0].actual == 700_MiB);
  CHECK(told.decisions[0].target == 1_GiB);
  CHECK(told.decisions[0].why == "gets back the memory it had");
  CHECK(told.decisions[0].rules.empty());
  CHECK(told.decisions[1].proposed == 1_GiB);
  CHECK(told.decisions[1].target == 1300_MiB);
  CHECK(told.decisions[1].rules.back().rule == Rule::fresh_stats);
  CHECK(told.outcomes.size() == 2);
  SUBCASE("and not at all where nothing was moved") {
    Bench idle({kCalm}, asks({}));
    Keep none;
    idle.coordinator.add_observer(none);
    idle.coordinator.tick();
    (void)idle.coordinator.restore();
    CHECK(none.ticks.size() == 1);
  }
}

TEST_CASE("restore gives no more than the host has above its floor") {
  const auto look = [](Duration at, MemorySize has, MemorySize hosts) {
    return World().at(at).host(8_GiB, free(hosts)).domain("a", actual(has), unused(800_MiB));
  };
  // Someone else has used what the domain gave back. (The fake host adds the move's 400 MiB.)
  Bench bench({look(0s, 1_GiB, 4_GiB), look(2s, 1_GiB, 0_MiB)}, asks({{"a", 624_MiB}}));
  bench.coordinator.tick();
  const auto restored = bench.coordinator.restore();
  REQUIRE(restored->size() == 1);
  CHECK(restored->front().has == 824_MiB);
  CHECK_FALSE(restored->front().whole());
  CHECK(restored->front().why == "the host has nothing to give above its floor");
}

TEST_CASE("observers see every tick, failed ones too") {
  struct Count final : Observer {
    void observe(const Tick& tick) override { last = tick.number; }
    std::uint64_t last = 0;
  } count;
  Bench bench({kCalm}, asks({}));
  bench.coordinator.add_observer(count);
  bench.hypervisor.down = Error{ErrorCode::unavailable, "fake:", "down", {}, {}};
  bench.coordinator.tick();
  bench.coordinator.tick();
  CHECK(count.last == 2);
}
