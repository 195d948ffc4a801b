#include "tests/unit/observers/ticks.h"

#include <doctest/doctest.h>

#include <array>
#include <string>

#include "engine/observers/journal.h"
#include "tests/world/world.h"

namespace memcoord::test {

Tick busy_tick() {
  Tick tick;
  tick.number = 7;
  tick.policy = "halving";
  tick.snapshot = World()
                      .host(8_GiB, free(2_GiB), available(3_GiB))
                      .domain("db", actual(2_GiB), unused(800_MiB), usable(900_MiB), weight(2),
                              minimum(512_MiB), started_ago(std::chrono::hours(1)))
                      .domain("old", actual(1_GiB), state(DomainState::paused), excluded())
                      .domain("web", actual(512_MiB), unused(50_MiB), swapped(3_MiB, 4_MiB));
  tick.snapshot.host.buffers = 20_MiB;
  tick.snapshot.host.cached = 1_GiB;
  tick.snapshot.host.cells = {{0, 4_GiB, 2_GiB}, {1, 4_GiB, 0_GiB, 1_GiB}};
  tick.grantable = 1848_MiB;
  tick.skipped = {{id("old"), Rule::running_only, "is paused"}};
  tick.proposals = {{id("db"), 1_GiB, "halved to feed web"}, {id("web"), 1536_MiB, "fed by db"}};
  tick.decisions = {{id("db"),
                     2_GiB,
                     1_GiB,
                     1648_MiB,
                     "halved to feed web",
                     {{Rule::gradual, 1_GiB, 1648_MiB, "takes too much"}}},
                    {id("web"), 512_MiB, 1536_MiB, 1536_MiB, "fed by db", {}}};
  tick.outcomes = {{id("db"), 2_GiB, 1648_MiB, Outcome::Kind::applied, {}},
                   {id("web"), 512_MiB, 1536_MiB, Outcome::Kind::failed,
                    Error{ErrorCode::timed_out, "web", "no answer", {}, {}}}};
  for (Outcome& outcome : tick.outcomes) {
    outcome.at = tick.snapshot.taken_at + std::chrono::microseconds(1234);
  }
  tick.snapshot.domains[0].id = 17;
  tick.snapshot.domains[1].restored_at = tick.snapshot.taken_at - std::chrono::minutes(5);
  tick.snapshot.domains[1].reported_after = tick.snapshot.taken_at - std::chrono::seconds(1);
  tick.dropped = {{id("web"), "unused", 4096, "is more than the guest's total of 3 MiB"}};
  tick.notes = {{Note::Severity::warning, "something to know"}};
  tick.timings = {std::chrono::milliseconds(2), std::chrono::microseconds(30),
                  std::chrono::microseconds(4), std::chrono::milliseconds(1)};
  return tick;
}

Tick crowded_tick(std::uint64_t number, std::size_t content, std::size_t swapping) {
  static constexpr std::array<const char*, 4> kSwapping{"db", "shop", "web", "mail"};
  World world;
  world.host(64_GiB, free(3_GiB), available(4_GiB)).at(std::chrono::seconds(number));
  for (std::size_t i = 1; i <= content; ++i) {
    const std::string digits = std::to_string(1000 + i);
    world.domain("guest-" + digits.substr(1), actual(2_GiB), maximum(4_GiB), guest_total(1960_MiB),
                 unused(80_MiB), usable(100_MiB), swapped(5_MiB, 5_MiB));
  }
  const MemorySize read = number > 1 ? 9_MiB : 5_MiB;
  for (std::size_t i = 0; i < swapping; ++i) {
    world.domain(kSwapping.at(i), actual(1_GiB), maximum(4_GiB), guest_total(983_MiB),
                 unused(20_MiB), usable(MemorySize::from_mib(40 + 15 * i)), swapped(read, 5_MiB));
  }
  Tick tick;
  tick.number = number;
  tick.policy = "adaptive";
  tick.snapshot = world;
  return tick;
}

std::vector<std::uint64_t> numbers_in(const std::filesystem::path& journal) {
  auto reader = observers::JournalReader::open(journal);
  REQUIRE(reader);
  std::vector<std::uint64_t> numbers;
  while (true) {
    const auto tick = reader->next();
    if (!tick) FAIL(tick.error().text());
    if (!*tick) return numbers;
    numbers.push_back((*tick)->number);
  }
}

}  // namespace memcoord::test
