#include "engine/core/history.h"

#include <doctest/doctest.h>

#include <cmath>

#include "tests/world/world.h"

using namespace memcoord;
using namespace memcoord::test;
using namespace std::chrono_literals;

namespace {

/// Ten samples, a second apart, with 100, 110, ... 190 MiB unused.
Observed ten_samples() {
  std::vector<Snapshot> samples;
  for (unsigned i = 0; i < 10; ++i) {
    samples.push_back(World()
                          .at(std::chrono::seconds(i))
                          .domain("a", unused(MemorySize::from_mib(100 + 10 * i))));
  }
  return Observed(samples, {});
}

double mib(std::optional<double> kib) {
  return kib.value_or(-1) / 1024;
}

}  // namespace

TEST_CASE("samples answer for the last seconds, the newest sample included") {
  const Observed observed = ten_samples();
  const DomainHistory& past = *observed.history().find(id("a"));
  CHECK(mib(past.samples.average(Field::unused, 1h)) == doctest::Approx(145));
  CHECK(mib(past.samples.average(Field::unused, 1s)) == doctest::Approx(185));
  CHECK(mib(past.samples.average(Field::unused, 0s)) == doctest::Approx(190));
  CHECK(mib(past.samples.maximum(Field::unused, 1h)) == doctest::Approx(190));
  CHECK(mib(past.samples.minimum(Field::unused, 4s)) == doctest::Approx(150));
  CHECK(mib(past.samples.quantile(Field::unused, 0.5, 1h)) == doctest::Approx(145));
  CHECK(mib(past.samples.quantile(Field::unused, 1, 1h)) == doctest::Approx(190));
  CHECK(mib(past.samples.slope(Field::unused, 1h)) == doctest::Approx(10));
}

TEST_CASE("early ticks weigh by the time that they stand for") {
  // A second at 100 MiB in one tick, the next one at 200 MiB in five.
  Observed observed(World().domain("a", unused(100_MiB)));
  observed.then(World().at(1s).domain("a", unused(100_MiB)));
  for (const Duration at : {1200ms, 1400ms, 1600ms, 1800ms, 2000ms}) {
    observed.then(World().at(at).domain("a", unused(200_MiB)));
  }
  const DomainSamples& samples = observed.history().find(id("a"))->samples;
  CHECK(mib(samples.average(Field::unused, 1s)) == doctest::Approx(150));
  CHECK(mib(samples.average(Field::unused, 900ms)) == doctest::Approx(200));
  CHECK(mib(samples.quantile(Field::unused, 0.25, 2s)) == doctest::Approx(100));
  CHECK(mib(samples.quantile(Field::unused, 1, 2s)) == doctest::Approx(200));
  // Of (0, 100) and (1, 100), and five times a fifth of (1.2, 200) to (2, 200).
  CHECK(mib(samples.slope(Field::unused, 2s)) == doctest::Approx(52.885).epsilon(0.001));
}

TEST_CASE("a question without samples has no answer") {
  const Observed observed(World().domain("a"));
  const DomainHistory& past = *observed.history().find(id("a"));
  CHECK_FALSE(past.samples.average(Field::usable, 1h).has_value());
  CHECK_FALSE(past.samples.slope(Field::unused, 1h).has_value());
  CHECK_FALSE(past.samples.quantile(Field::unused, std::nan(""), 1h).has_value());
}

TEST_CASE("rates come from the guest's counters") {
  Observed observed(World().domain("a", swapped(10_MiB, 0_MiB)));
  CHECK(std::isnan(observed.history().find(id("a"))->samples.latest()[Field::swap_in]));
  observed.then(World().at(2s).domain("a", swapped(14_MiB, 1_MiB)));
  const Sample& latest = observed.history().find(id("a"))->samples.latest();
  CHECK(latest[Field::swap_in] == doctest::Approx(2048));
  CHECK(latest[Field::swap_out] == doctest::Approx(512));
  // Between two reports of the guest the rate stands.
  observed.then(World().at(3s).domain("a", swapped(14_MiB, 1_MiB), reported_ago(1s)));
  CHECK(observed.history().find(id("a"))->samples.latest()[Field::swap_in] ==
        doctest::Approx(2048));
}

TEST_CASE("counters that fall give no rate, and alone are no reboot") {
  // As per-second counters do, 32-bit ones that wrap, or a restore.
  Observed observed(World().domain("a", swapped(10_MiB, 10_MiB)));
  for (const auto counter : {1_MiB, 7_MiB, 2_MiB, 0_MiB}) {
    observed.then(World().at(2s).domain("a", swapped(counter, counter)));
    CHECK_FALSE(observed.history().find(id("a"))->balloon.rebooted_at());
  }
  CHECK(std::isnan(observed.history().find(id("a"))->samples.latest()[Field::swap_in]));
}

TEST_CASE("a counter that was misread once gives the rate since its last right value") {
  Observed observed(World().domain("a", swapped(10_MiB, 800_MiB)));
  const auto rate_of = [&](Duration at, MemorySize out) {
    observed.then(World().at(at).domain("a", swapped(10_MiB, out)));
    return observed.history().find(id("a"))->samples.latest()[Field::swap_out];
  };
  CHECK(std::isnan(rate_of(2s, 0_MiB)));
  CHECK(rate_of(4s, 802_MiB) == doctest::Approx(1024.0));  // KiB a second
  // A counter that has restarted counts from there.
  CHECK(std::isnan(rate_of(6s, 100_MiB)));
  CHECK(rate_of(8s, 104_MiB) == doctest::Approx(2048.0));
}

TEST_CASE("counters back near zero after a gap between reports are a reboot") {
  const auto after_a_gap = [](MemorySize in, MemorySize out) {
    Observed observed(World().domain("a", swapped(10_MiB, 10_MiB)));
    for (const auto at : {2s, 4s}) {
      observed.then(World().at(at).domain("a", swapped(10_MiB, 10_MiB), reported_ago(at)));
    }
    observed.then(World().at(6s).domain("a", swapped(in, out)));
    return observed.history().find(id("a"))->balloon.rebooted_at().has_value();
  };
  CHECK(after_a_gap(0_MiB, 1_MiB));
  CHECK_FALSE(after_a_gap(0_MiB, 11_MiB));  // one has risen
  CHECK_FALSE(after_a_gap(8_MiB, 9_MiB));   // far from zero
}

TEST_CASE("counters back near zero and an empty balloon are a reboot") {
  const auto sample = [](Duration at, MemorySize has, MemorySize total, MemorySize counter) {
    return World().at(at).domain("a", actual(has), maximum(2_GiB), guest_total(total),
                                 swapped(counter, counter));
  };
  const auto rebooted = [&](MemorySize has, MemorySize total) {
    Observed observed(sample(0s, 1_GiB, 980_MiB, 10_MiB));
    observed.then(sample(2s, 1_GiB, 980_MiB, 10_MiB));
    observed.then(sample(4s, has, total, 0_MiB));
    return observed.history().find(id("a"))->balloon.rebooted_at().has_value();
  };
  CHECK(rebooted(2_GiB, 2004_MiB));
  CHECK(rebooted(1_GiB, 2004_MiB));  // the hypervisor reports the size from before
  CHECK_FALSE(rebooted(1_GiB, 980_MiB));
}

TEST_CASE("a guest that is restored has not rebooted, whatever its counters and reports do") {
  Observed observed(World().domain("a", maximum(2_GiB), swapped(10_MiB, 10_MiB)));
  observed.then(World().at(4s).domain("a", no_report()));
  Snapshot restored =
      World().at(6s).domain("a", actual(2_GiB), maximum(2_GiB), swapped(1_MiB, 1_MiB));
  restored.domains[0].restored_at = restored.taken_at;
  observed.then(restored);
  CHECK_FALSE(observed.history().find(id("a"))->balloon.rebooted_at());
}

TEST_CASE("counters from before a restore are not compared with a later report") {
  const auto restored_at_4s = [](Duration at, MemorySize counter, Duration ago) {
    Snapshot sample = World().at(at).domain("a", swapped(counter, counter), reported_ago(ago));
    sample.domains[0].restored_at = sample.taken_at - (at - 4s);
    return sample;
  };
  Observed observed(World().domain("a", swapped(10_MiB, 10_MiB)));
  observed.then(World().at(2s).domain("a", swapped(10_MiB, 10_MiB), reported_ago(2s)));
  observed.then(restored_at_4s(4s, 10_MiB, 4s));
  SUBCASE("which is no reboot") {
    observed.then(restored_at_4s(6s, 1_MiB, 0s));
    CHECK_FALSE(observed.history().find(id("a"))->balloon.rebooted_at());
  }
  SUBCASE("and makes no rate") {
    observed.then(restored_at_4s(6s, 12_MiB, 0s));
    CHECK(std::isnan(observed.history().find(id("a"))->samples.latest()[Field::swap_in]));
    observed.then(restored_at_4s(8s, 14_MiB, 0s));
    CHECK(observed.history().find(id("a"))->samples.latest()[Field::swap_in] ==
          doctest::Approx(1024));
  }
}

TEST_CASE("a guest that counted as started until the event of its restore came has not rebooted") {
  Snapshot listed = World().domain("a", state(DomainState::paused));
  listed.domains[0].started_at = listed.taken_at;
  Observed observed(listed);
  CHECK(observed.history().find(id("a"))->balloon.rebooted_at());
  Snapshot told = World().at(2s).domain("a");
  told.domains[0].restored_at = told.taken_at;
  observed.then(told);
  CHECK_FALSE(observed.history().find(id("a"))->balloon.rebooted_at());
  // A later reboot counts.
  Snapshot rebooted = World().at(4s).domain("a");
  rebooted.domains[0].restored_at = told.taken_at;
  rebooted.domains[0].started_at = rebooted.taken_at;
  observed.then(rebooted);
  CHECK(observed.history().find(id("a"))->balloon.rebooted_at());
}

TEST_CASE("a move is followed until it is reached") {
  Observed observed(World().domain("a"));
  const DomainHistory& past = *observed.history().find(id("a"));
  CHECK(past.balloon.reported_since_move());
  observed.moved("a", 2_GiB);
  CHECK_FALSE(past.balloon.reported_since_move());
  CHECK(past.balloon.committed(observed.snapshot().domains[0]) == 2_GiB);
  observed.then(World().at(2s).domain("a", actual(1500_MiB)));
  CHECK(past.balloon.last_move()->progressed);
  CHECK_FALSE(past.balloon.last_move()->reached);
  CHECK(past.balloon.committed(observed.snapshot().domains[0]) == 2_GiB);
  CHECK(past.balloon.reported_since_move());
  observed.then(World().at(4s).domain("a", actual(2_GiB)));
  CHECK(past.balloon.last_move()->reached);
  // Its later sizes do not change that.
  observed.then(World().at(6s).domain("a", actual(1_GiB)));
  CHECK(past.balloon.committed(observed.snapshot().domains[0]) == 1_GiB);
}

TEST_CASE("a balloon holds whole pages: a target between two of them is reached beside it") {
  for (const auto& example :
       {std::pair{700_MiB + 1_KiB, 700_MiB + 4_KiB}, std::pair{2_GiB + 3_KiB, 2_GiB}}) {
    const auto [to, comes_to_lie] = example;
    Observed observed(World().domain("a"));
    observed.moved("a", to);
    const bool shrink = to < 1_GiB;
    const MemorySize a_page_before = shrink ? comes_to_lie + 4_KiB : comes_to_lie - 4_KiB;
    observed.then(World().at(1s).domain("a", actual(a_page_before)));
    CHECK_FALSE(observed.history().find(id("a"))->balloon.last_move()->reached);
    observed.then(World().at(2s).domain("a", actual(comes_to_lie)));
    CHECK(observed.history().find(id("a"))->balloon.last_move()->reached);
  }
}

TEST_CASE("a guest of 64 KiB pages reaches its target where it rests within one page of it") {
  for (const bool shrink : {true, false}) {
    const MemorySize target = shrink ? 700_MiB : 2_GiB;
    const auto beside = [&](MemorySize far) { return shrink ? target + far : target - far; };
    Observed observed(World().domain("a"));
    observed.moved("a", target);
    const auto& move = observed.history().find(id("a"))->balloon.last_move();
    observed.then(World().at(1s).domain("a", actual(beside(60_KiB))));
    CHECK_FALSE(move->reached);  // it may be on its way
    observed.then(World().at(2s).domain("a", actual(beside(60_KiB))));
    CHECK(move->reached);
    observed.moved("a", target);
    for (const auto at : {3s, 4s}) {
      observed.then(World().at(at).domain("a", actual(beside(64_KiB))));
    }
    CHECK_FALSE(move->reached);
  }
}

TEST_CASE("a balloon that something else moves away from its target heads there no more") {
  Observed observed(World().domain("a", unused(50_MiB)));
  observed.moved("a", 3_GiB);
  const auto heads_for = [&](Duration at, MemorySize size) {
    observed.then(World().at(at).domain("a", actual(size), unused(50_MiB)));
    const Domain& domain = observed.snapshot().domains.front();
    return observed.history().find(id("a"))->balloon.heads_for(domain);
  };
  CHECK(heads_for(1s, 2_GiB) == 3_GiB);
  CHECK(heads_for(2s, 900_MiB) == 900_MiB);
  // It may have been an old figure.
  CHECK(heads_for(3s, 2500_MiB) == 3_GiB);
}

TEST_CASE("a shrink in flight does not reduce what is committed") {
  Observed observed(World().domain("a"));
  observed.moved("a", 512_MiB);
  CHECK(observed.history().find(id("a"))->balloon.committed(observed.snapshot().domains[0]) ==
        1_GiB);
}

TEST_CASE("the past is bounded in time, in samples, and to present domains") {
  History history({.window = 10s, .samples = 5, .all_samples = 1000});
  for (int i = 0; i < 100; ++i) {
    history.observe(World().at(std::chrono::seconds(i)).domain("a").domain("b"));
  }
  CHECK(history.find(id("a"))->samples.recent().size() == 2);
  CHECK(history.find(id("a"))->samples.average(Field::unused, 1h).has_value());
  History slow({.window = 10s, .samples = 300, .all_samples = 1000});
  for (int i = 0; i < 20; ++i) slow.observe(World().at(std::chrono::seconds(4 * i)).domain("a"));
  CHECK(slow.find(id("a"))->samples.recent().size() == 3);
  slow.observe(World().at(100s).domain("b"));
  CHECK(slow.find(id("a")) == nullptr);
  CHECK(slow.size() == 1);
}

TEST_CASE("many domains share one budget of samples") {
  History history({.window = 1h, .samples = 360, .all_samples = 400});
  for (int i = 0; i < 100; ++i) {
    World world;
    world.at(std::chrono::seconds(i));
    for (int k = 0; k < 10; ++k) world.domain("d" + std::to_string(k));
    history.observe(world);
  }
  CHECK(history.find(id("d0"))->samples.recent().size() == 13);
}

TEST_CASE("an hour is remembered, however often the domain is observed") {
  // A sample a second, and a guest whose unused memory falls by 1 MiB a minute.
  History history;
  for (int second = 0; second <= 2 * 3600; ++second) {
    history.observe(
        World()
            .at(std::chrono::seconds(second))
            .domain("a",
                    unused(1_GiB - MemorySize::from_kib(static_cast<std::uint64_t>(second) * 17)),
                    rss(second == 2 * 3600 - 40 ? 9_GiB : 1_GiB)));
  }
  const DomainHistory& past = *history.find(id("a"));
  const double now = past.samples.latest()[Field::unused];
  CHECK(past.samples.average(Field::unused, 1h) == doctest::Approx(now + 1800 * 17).epsilon(0.001));
  CHECK(past.samples.quantile(Field::unused, 0.25, 1h) ==
        doctest::Approx(now + 900 * 17).epsilon(0.001));
  CHECK(past.samples.maximum(Field::unused, 1h) == doctest::Approx(now + 3600 * 17).epsilon(0.001));
  CHECK(past.samples.slope(Field::unused, 1h) == doctest::Approx(-17));
  // The last two minutes are complete.
  CHECK(past.samples.average(Field::unused, 10s) == doctest::Approx(now + 5 * 17));
  CHECK(past.samples.maximum(Field::rss, 1h) == doctest::Approx(9 * 1024 * 1024));
}

TEST_CASE("an observation without a report keeps rates and the signs of a reboot") {
  Observed observed(World().domain("a", swapped(10_MiB, 10_MiB)));
  observed.then(World().at(2s).domain("a", no_report(), state(DomainState::hung)));
  CHECK(std::isnan(observed.history().find(id("a"))->samples.latest()[Field::swap_in]));
  observed.then(World().at(4s).domain("a", swapped(14_MiB, 10_MiB)));
  CHECK(observed.history().find(id("a"))->samples.latest()[Field::swap_in] ==
        doctest::Approx(1024));
  observed.then(World().at(6s).domain("a", no_report()));
  observed.then(World().at(8s).domain("a", no_report()));
  observed.then(World().at(10s).domain("a", swapped(1_MiB, 10_MiB)));
  CHECK(observed.history().find(id("a"))->balloon.rebooted_at() == observed.snapshot().taken_at);
  // Not even of counters that have not fallen.
  CHECK(std::isnan(observed.history().find(id("a"))->samples.latest()[Field::swap_out]));
}

TEST_CASE("each domain keeps its past when others come and go") {
  History history;
  history.observe(World().domain("b", rss(2_GiB)).domain("d", rss(4_GiB)));
  history.observe(World().at(2s).domain("a", rss(1_GiB)).domain("b").domain("c").domain("d"));
  const Snapshot now = World().at(4s).domain("c").domain("d").domain("e");
  history.observe(now);
  CHECK(history.size() == 3);
  CHECK(history.find(id("a")) == nullptr);
  CHECK(history.find(id("d"))->samples.recent().size() == 3);
  CHECK(history.find(id("d"))->samples.maximum(Field::rss, 1h) == doctest::Approx(4 * 1024 * 1024));
  CHECK(history.find(id("c"))->samples.recent().size() == 2);
  // The right position and a wrong one find the same domain.
  for (std::size_t i = 0; i < 5; ++i) {
    CHECK(&history.of(now.domains[1], i) == history.find(id("d")));
  }
}

TEST_CASE("a domain that was started again has no past") {
  Observed observed(World().domain("a", numbered(1)));
  observed.moved("a", 900_MiB);
  observed.then(World().at(2s).domain("a", numbered(1), actual(900_MiB)));
  CHECK_FALSE(observed.history().find(id("a"))->balloon.is_new());
  CHECK(observed.history().find(id("a"))->balloon.before_first_move() == 1_GiB);
  observed.then(World().at(4s).domain("a", numbered(2), actual(2_GiB)));
  const DomainHistory& past = *observed.history().find(id("a"));
  CHECK(past.balloon.is_new());
  CHECK_FALSE(past.balloon.before_first_move().has_value());
  CHECK_FALSE(past.balloon.last_move().has_value());
  CHECK(past.samples.recent().size() == 1);
  CHECK_FALSE(observed.history().any_moved());
}

TEST_CASE("the size before a domain's first move is kept through later moves") {
  Observed observed(World().domain("a"));
  observed.moved("a", 900_MiB);
  observed.then(World().at(2s).domain("a", actual(900_MiB)));
  observed.moved("a", 800_MiB);
  CHECK(observed.history().find(id("a"))->balloon.before_first_move() == 1_GiB);
  CHECK(observed.history().any_moved());
}

namespace {

constexpr auto kUnknown = Outcome::Kind::unknown;

/// What a domain of 1 GiB may take after a move to 2 GiB with an unknown outcome.
struct InDoubt {
  Observed observed = Observed(World().domain("a"));
  InDoubt() { observed.moved("a", 2_GiB, kUnknown); }
  MemorySize committed(MemorySize size, Duration at = 2s) {
    observed.then(World().at(at).domain("a", actual(size)));
    return observed.history().find(id("a"))->balloon.committed(observed.snapshot().domains[0]);
  }
  void learns(Outcome::Kind kind) {
    const Outcome late{id("a"), 1_GiB, 2_GiB, kind, std::nullopt};
    observed.history().settle({&late, 1}, observed.snapshot().taken_at,
                              observed.snapshot().wall_time);
  }
};

}  // namespace

TEST_CASE("a target in doubt stays committed until its balloon is observed there") {
  InDoubt doubt;
  CHECK(doubt.committed(1_GiB, 2s) == 2_GiB);
  CHECK(doubt.committed(1500_MiB, 4s) == 2_GiB);
  CHECK(doubt.committed(2_GiB, 6s) == 2_GiB);
  CHECK(doubt.observed.history().find(id("a"))->balloon.last_move()->target == 2_GiB);
  CHECK(doubt.committed(1_GiB, 8s) == 1_GiB);
}

TEST_CASE("the outcome of a move in doubt settles it") {
  InDoubt failed;
  failed.learns(Outcome::Kind::failed);
  CHECK(failed.committed(1_GiB) == 1_GiB);
  InDoubt vanished;
  vanished.learns(Outcome::Kind::vanished);
  CHECK(vanished.committed(1_GiB) == 1_GiB);
  InDoubt applied;
  applied.learns(Outcome::Kind::applied);
  CHECK(applied.committed(1500_MiB) == 2_GiB);
  CHECK_FALSE(applied.observed.history().find(id("a"))->balloon.in_doubt());
}

TEST_CASE("a move in doubt outlives its domain's start, since it may have been sent after it") {
  Observed observed(World().domain("a", numbered(1)));
  observed.moved("a", 2_GiB, kUnknown);
  observed.then(World().at(2s).domain("a", numbered(2), actual(512_MiB)));
  CHECK(observed.history().find(id("a"))->balloon.committed(observed.snapshot().domains[0]) ==
        2_GiB);
  const Outcome over{id("a"), 1_GiB, 2_GiB, Outcome::Kind::vanished, std::nullopt};
  observed.history().settle({&over, 1}, observed.snapshot().taken_at,
                            observed.snapshot().wall_time);
  CHECK(observed.history().find(id("a"))->balloon.committed(observed.snapshot().domains[0]) ==
        512_MiB);
  CHECK_FALSE(observed.history().any_moved());
}

TEST_CASE("a later move settles a target in doubt where the hypervisor takes it") {
  InDoubt doubt;
  doubt.observed.moved("a", 1200_MiB, Outcome::Kind::skipped);
  CHECK(doubt.committed(1_GiB) == 2_GiB);
  doubt.observed.moved("a", 1200_MiB);
  CHECK(doubt.committed(1_GiB) == 1200_MiB);
}

TEST_CASE("of several moves in doubt the highest target counts, though the last one has failed") {
  InDoubt doubt;
  doubt.observed.moved("a", 900_MiB, kUnknown);
  CHECK(doubt.committed(900_MiB) == 2_GiB);
  doubt.learns(Outcome::Kind::failed);
  CHECK(doubt.committed(900_MiB) == 2_GiB);
}

TEST_CASE("a balloon that passes a target in doubt on its way to another one settles nothing") {
  Observed observed(World().domain("a"));
  observed.moved("a", 4_GiB).moved("a", 2_GiB, kUnknown);
  observed.then(World().at(2s).domain("a", actual(2_GiB)));
  CHECK(observed.history().find(id("a"))->balloon.in_doubt());
  CHECK(observed.history().find(id("a"))->balloon.committed(observed.snapshot().domains[0]) ==
        4_GiB);
}

TEST_CASE("a target in doubt less than a page away does not count as reached") {
  Observed observed(World().domain("a"));
  observed.moved("a", 1_GiB + 2_KiB, kUnknown);
  observed.then(World().at(2s).domain("a"));
  CHECK(observed.history().find(id("a"))->balloon.committed(observed.snapshot().domains[0]) ==
        1_GiB + 2_KiB);
}

TEST_CASE("after a shrink in doubt no report from before it is trusted") {
  Observed observed(World().domain("a", unused(800_MiB)));
  observed.moved("a", 700_MiB, kUnknown);
  CHECK(rules_of(observed.decide("a", 600_MiB)) == std::vector{Rule::fresh_stats});
}
