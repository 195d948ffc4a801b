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

TEST_CASE("a paused domain is left out until it is resumed, the pause ends or it is replaced") {
  const World world = World().domain("a").domain("b");
  DomainFilter filter({}, {});
  filter.pause(id("a"), {"paused by root", std::nullopt});
  Snapshot snapshot = world;
  filter.apply(snapshot);
  CHECK(reason(snapshot, "a") == "paused by root");
  CHECK(reason(snapshot, "b").empty());

  filter.pause(id("a"), {"paused for a minute", snapshot.taken_at + std::chrono::minutes(1)});
  snapshot = world;
  filter.apply(snapshot);
  CHECK(reason(snapshot, "a") == "paused for a minute");
  snapshot = World(world).at(std::chrono::minutes(1));
  filter.apply(snapshot);
  CHECK(reason(snapshot, "a").empty());
  CHECK(filter.remembered() == 0);

  filter.pause(id("b"), {"paused", std::nullopt});
  filter.resume(id("b"));
  snapshot = world;
  filter.apply(snapshot);
  CHECK(reason(snapshot, "b").empty());
}

TEST_CASE("resuming every domain ends the pauses of single domains, too") {
  DomainFilter filter({}, {});
  filter.pause(std::nullopt, {"all paused", std::nullopt});
  filter.pause(id("a"), {"paused", std::nullopt});
  Snapshot snapshot = World().domain("a").domain("b");
  filter.apply(snapshot);
  CHECK(reason(snapshot, "a") == "paused");
  CHECK(reason(snapshot, "b") == "all paused");
  filter.resume(std::nullopt);
  Snapshot after = World().domain("a").domain("b");
  filter.apply(after);
  CHECK(reason(after, "a").empty());
  CHECK(reason(after, "b").empty());
}
