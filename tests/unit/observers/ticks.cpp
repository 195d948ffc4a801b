#include "tests/unit/observers/ticks.h"

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
  tick.dropped = {{id("web"), "unused", 4096, "is more than the guest's total of 3 MiB"}};
  tick.notes = {{Note::Severity::warning, "something to know"}};
  tick.timings = {std::chrono::milliseconds(2), std::chrono::microseconds(30),
                  std::chrono::microseconds(4), std::chrono::milliseconds(1)};
  return tick;
}

}  // namespace memcoord::test
