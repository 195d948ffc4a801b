#include "engine/observers/event_selection.h"

#include <doctest/doctest.h>

#include <algorithm>

using namespace memcoord;
using namespace memcoord::observers;
using namespace std::chrono_literals;

namespace {

Event event_at(int second, Event::Kind kind, const std::string& domain = "web",
               MemorySize change = {}) {
  Event event;
  event.time = WallTime(std::chrono::seconds(second));
  event.kind = kind;
  event.domain = domain;
  event.change = change;
  return event;
}

}  // namespace

TEST_CASE("of many moves the largest stay, and no number of them displaces a kill") {
  EventSelection selection({10, 10, 10, 10, 5});
  selection.add(event_at(0, Event::Kind::likely_killed));
  for (int i = 1; i <= 1000; ++i) {
    const auto size = MemorySize::from_mib(static_cast<std::uint64_t>(i * 37 % 1001));
    selection.add(event_at(i, Event::Kind::moved, "web", size));
  }
  const EventSelection::Result result = selection.finish();
  REQUIRE(result.events.size() == 6);
  CHECK(result.events[0].kind == Event::Kind::likely_killed);
  for (std::size_t i = 1; i < 6; ++i) CHECK(result.events[i].change >= 996_MiB);
  CHECK(std::is_sorted(result.events.begin(), result.events.end(),
                       [](const Event& a, const Event& b) { return a.time < b.time; }));
  CHECK(result.left_out == EventSelection::LeftOut{0, 0, 0, 0, 995});
}

TEST_CASE("of many shortages the longest stay, with their beginnings and ends") {
  EventSelection selection({10, 4, 10, 10, 10});
  for (int i = 0; i < 100; ++i) {
    selection.add(event_at(10 * i, Event::Kind::short_of_memory, "web"));
    selection.add(event_at(10 * i + 5, Event::Kind::enough_memory, "web"));
    selection.add({});  // of another group
  }
  selection.add(event_at(2000, Event::Kind::short_of_memory, "db"));
  Event end = event_at(3000, Event::Kind::enough_memory, "db");
  end.lasted = 1000s;
  selection.add(end);
  selection.add(event_at(4000, Event::Kind::short_of_memory, "mail"));
  auto events = selection.finish().events;
  std::erase_if(events, [](const Event& event) { return event.kind == Event::Kind::note; });
  REQUIRE(events.size() == 4);
  CHECK(events[1].domain == "db");
  CHECK(events[2].domain == "db");
  CHECK(events[3].domain == "mail");
}

TEST_CASE("what was left out is said by kind") {
  CHECK(left_out_text({}).empty());
  CHECK(left_out_text({0, 0, 0, 0, 1}) == "1 smaller move is left out");
  CHECK(left_out_text({0, 12, 0, 0, 1234567}) ==
        "12 events of shorter shortages and 1,234,567 smaller moves are left out");
}
