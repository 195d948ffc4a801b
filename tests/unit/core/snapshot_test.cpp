#include "engine/core/snapshot.h"

#include <doctest/doctest.h>

#include "tests/world/world.h"

using namespace memcoord;
using namespace memcoord::test;

TEST_CASE("a domain is found from any place, at or beyond the end too") {
  const Snapshot snapshot = World().domain("a").domain("b").domain("c");
  for (std::size_t place = 0; place < 6; ++place) {
    CAPTURE(place);
    for (const Domain& domain : snapshot.domains) {
      CHECK(snapshot.find_near(place, domain.uuid()) == &domain);
    }
    CHECK(snapshot.find_near(place, id("d")) == nullptr);
  }
  CHECK(Snapshot().find_near(0, id("a")) == nullptr);
}
