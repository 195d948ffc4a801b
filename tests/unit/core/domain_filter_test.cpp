#include "engine/core/domain_filter.h"

#include <doctest/doctest.h>

#include "tests/world/world.h"

using namespace memcoord;
using namespace memcoord::test;

namespace {

const std::string& reason(const Snapshot& snapshot, const std::string& name) {
  return snapshot.find(id(name))->identity->unsuitable;
}

}  // namespace

TEST_CASE("a filter without patterns leaves no domain out") {
  Snapshot snapshot = World().domain("a");
  DomainFilter filter({}, {});
  filter.apply(snapshot);
  CHECK(reason(snapshot, "a").empty());
}

TEST_CASE("a domain that is unsuitable anyway keeps its own reason") {
  Snapshot snapshot = World().domain("a", unsuitable("it has no balloon device")).domain("b");
  DomainFilter filter({}, {"*"});
  filter.apply(snapshot);
  CHECK(reason(snapshot, "a") == "it has no balloon device");
  CHECK(reason(snapshot, "b") == "excluded by --exclude");
}

TEST_CASE("the identity of a domain that is left out is rewritten once, and forgotten with it") {
  const Snapshot first = World().domain("a").domain("b");
  DomainFilter filter({"none"}, {});
  Snapshot snapshot = first;
  filter.apply(snapshot);
  Snapshot again = first;
  filter.apply(again);
  CHECK(again.domains[0].identity == snapshot.domains[0].identity);
  CHECK(filter.remembered() == 2);
  Snapshot smaller = World().domain("b");
  filter.apply(smaller);
  CHECK(filter.remembered() == 1);
  CHECK(reason(smaller, "b") == "not among those of --include");
}
