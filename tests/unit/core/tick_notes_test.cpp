#include "engine/core/tick_notes.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <vector>

#include "tests/world/world.h"

using namespace memcoord;
using namespace memcoord::test;
using namespace std::chrono_literals;

namespace {

constexpr auto kNoneGone = [](const Uuid&) { return false; };

std::string note(std::size_t n) {
  return "note " + std::to_string(n);
}

}  // namespace

TEST_CASE("a note is news once while it stays true, and again after it was long untrue") {
  SaidNotes said;
  said.begin_turn(kNoneGone);
  CHECK(said.is_news("low"));
  CHECK_FALSE(said.is_news("low"));
  for (std::uint64_t i = 0; i < SaidNotes::kForgetAfter; ++i) said.begin_turn(kNoneGone);
  CHECK_FALSE(said.is_news("low"));
  for (std::uint64_t i = 0; i <= SaidNotes::kForgetAfter; ++i) said.begin_turn(kNoneGone);
  CHECK(said.size() == 0);
  CHECK(said.is_news("low"));
}

TEST_CASE("early turns count as one with the turn before") {
  SaidNotes said;
  said.begin_turn(kNoneGone);
  CHECK(said.is_news("low"));
  for (std::uint64_t i = 0; i < 10 * SaidNotes::kForgetAfter; ++i) said.begin_turn(kNoneGone, true);
  CHECK_FALSE(said.is_news("low"));
}

TEST_CASE(
    "a host that lacks memory beyond rescue is said after three seconds, early ticks or not") {
  const Snapshot world =
      World().host(4_GiB, free(50_MiB)).domain("a", actual(3_GiB), unused(20_MiB));
  TickNotes notes;
  Observed observed(world);
  for (int i = 0; i <= 12; ++i) {
    const MonotonicTime now = world.taken_at + i * 200ms;
    notes.begin_tick(observed.history(), now);
    Tick tick;
    notes.add_hints(tick, evaluate(observed.snapshot(), observed.history(),
                                   [](const Situation&) { return std::vector<Proposal>(); },
                                   Limits(), {2, 200ms}));
    CAPTURE(i);
    CHECK(tick.notes.size() == (i == 10 ? 1 : 0));
  }
}

TEST_CASE("notes about a domain are forgotten with the domain") {
  SaidNotes said;
  said.begin_turn(kNoneGone);
  CHECK(said.is_news("a: skipped", Uuid{0, 1}));
  CHECK(said.is_news("b: skipped", Uuid{0, 2}));
  said.begin_turn([](const Uuid& uuid) { return uuid == Uuid{0, 1}; });
  CHECK(said.is_news("a: skipped", Uuid{0, 1}));
  CHECK_FALSE(said.is_news("b: skipped", Uuid{0, 2}));
}

TEST_CASE("each turn checks every note once, however many are true") {
  SaidNotes said;
  constexpr std::size_t kNotes = SaidNotes::kRemembered + 2'000;
  std::size_t checked = 0;
  for (int turn = 0; turn < 3; ++turn) {
    checked = 0;
    said.begin_turn([&](const Uuid&) {
      ++checked;
      return false;
    });
    std::size_t news = 0;
    for (std::size_t i = 0; i < kNotes; ++i) news += said.is_news(note(i), Uuid{0, i}) ? 1U : 0U;
    CHECK(news == (turn == 0 ? kNotes : 0));
  }
  CHECK(checked == kNotes);
}

TEST_CASE("memory stays bounded if all notes are new in each turn") {
  SaidNotes said;
  constexpr std::size_t kATurn = 500;
  std::size_t most = 0;
  for (std::size_t turn = 0; turn < 200; ++turn) {
    said.begin_turn(kNoneGone);
    for (std::size_t i = 0; i < kATurn; ++i) (void)said.is_news(note(turn * kATurn + i));
    most = std::max(most, said.size());
  }
  CHECK(most <= SaidNotes::kRemembered + 2 * kATurn);
}
