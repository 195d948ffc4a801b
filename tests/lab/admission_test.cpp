// Room before a start: guests that start at once on a host that others fill.

#include <doctest/doctest.h>

#include <algorithm>

#include "tests/lab/start_storm.h"
#include "tests/text.h"

using namespace memcoord;
using namespace memcoord::lab;

TEST_CASE("ten guests that start at once on a tight host never take it under its floor") {
  TightHost host;
  const StormResult storm = host.start(10, true);
  MESSAGE("most " << storm.most.text() << " of " << TightHost::kBudget.text() << ", "
                  << storm.samples << " samples, " << storm.seconds << " s");
  CHECK(storm.refused == 0);
  CHECK(storm.breaches == 0);
  CHECK(storm.samples > 40);
  CHECK(host.end() == 0);

  // Room was made for them, and the reserves ended as their drivers answered.
  bool reclaimed = false;
  int answered_ones = 0;
  for (const Tick& tick : host.run().ticks()) {
    for (const Decision& decision : tick.decisions) {
      reclaimed =
          reclaimed || std::any_of(decision.rules.begin(), decision.rules.end(),
                                   [](const RuleHit& hit) { return hit.rule == Rule::reserve; });
    }
    for (const Note& note : tick.notes) {
      answered_ones += contains(note.text, "ends: its balloon driver answers") ? 1 : 0;
    }
  }
  CHECK(reclaimed);
  CHECK(answered_ones == 10);
}
