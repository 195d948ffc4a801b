#include "engine/observers/tick_json.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <vector>

#include "engine/core/fields.h"
#include "engine/observers/json.h"
#include "tests/text.h"
#include "tests/unit/generated_text.h"
#include "tests/unit/observers/ticks.h"
#include "tests/world/world.h"

using namespace memcoord;
using namespace memcoord::test;
using namespace memcoord::observers;

namespace memcoord::test {

/// Initializes any member. An optional takes its value from it: it has a constructor for that.
struct AnyMember {
  template <class T>
  requires(!fields::kIsOptional<T>) operator T() const;
};

}  // namespace memcoord::test

namespace {

/// The JSON with another value at a place such as "domains/0/guest/period_s".
Json with(const Json& json, std::string_view place, const Json& value) {
  if (place.empty()) return value;
  const std::string name(place.substr(0, place.find('/')));
  const std::string_view rest = place.substr(std::min(place.size(), name.size() + 1));
  Json changed = json.is_array() ? Json::array() : Json::object();
  if (!json.is_array()) {
    for (const std::string& key : json.names()) changed.set(key, json.at(key));
    changed.set(name, with(json.at(name), rest, value));
    return changed;
  }
  for (const Json& item : json.items()) {
    const bool here = changed.size() == std::stoul(name);
    changed.push_back(here ? with(item, rest, value) : item);
  }
  return changed;
}

template <class Record, class... Members>
constexpr std::size_t member_count() {
  if constexpr (requires { Record{Members{}..., AnyMember{}}; }) {
    return member_count<Record, Members..., AnyMember>();
  } else {
    return sizeof...(Members);
  }
}

template <class Record>
constexpr std::size_t listed_count() {
  return std::tuple_size_v<std::remove_cvref_t<decltype(fields::kList<Record>)>>;
}

template <class T>
struct ItemOf {
  using Type = T;
};
template <class T>
struct ItemOf<std::vector<T>> {
  using Type = T;
};
template <class T>
struct ItemOf<std::optional<T>> {
  using Type = T;
};

/// The journal's tables in docs/command-line.md: one for each object, in the order of the lists.
class JournalTables {
 public:
  template <class Record>
  void add(const std::string& path, std::string_view text) {
    if (!path.empty()) text_ += "\n| `" + path + "` | " + std::string(text) + " |\n| --- | --- |\n";
    add_rows<Record>();
    add_parts<Record>(path.empty() ? "" : path + ".");
  }
  [[nodiscard]] const std::string& text() const { return text_; }

 private:
  template <class T>
  static constexpr bool kIsArray = std::is_same_v<T, std::vector<typename ItemOf<T>::Type>>;

  /// Calls `visit` with the entries of the lists whose fields stand in one object.
  template <class Record, class Visit>
  static void each_in_object(Visit visit) {
    if constexpr (std::is_same_v<Record, Domain>) fields::each<DomainIdentity>(visit);
    if constexpr (std::is_same_v<Record, Tick>) fields::each<Snapshot>(visit);
    fields::each<Record>(visit);
  }

  template <class Record>
  void add_rows() {
    each_in_object<Record>([&](const auto& entry) {
      using Member = typename std::decay_t<decltype(entry)>::Type;
      const bool optional = !entry.always || fields::kIsOptional<Member>;
      text_ += "| `" + std::string(entry.name) + (kIsArray<Member> ? "[]" : "") + "` | " +
               (optional ? "optional: " : "") + std::string(entry.text) + " |\n";
      if (fields::kHasDomainName<Record> && entry.name == "uuid") {
        text_ += "| `name` | optional: " + std::string(fields::kDomainNameText) + " |\n";
      }
    });
  }

  /// The tables of the objects within it; a second table for the same record would say the same.
  template <class Record>
  void add_parts(const std::string& path) {
    each_in_object<Record>([&](const auto& entry) {
      using Member = typename std::decay_t<decltype(entry)>::Type;
      using Part = typename ItemOf<Member>::Type;
      if constexpr (fields::kIsListed<Part>) {
        if (!seen_.insert(key<Part>()).second) return;
        add<Part>(path + std::string(entry.name) + (kIsArray<Member> ? "[]" : ""), entry.text);
      }
    });
  }

  /// Another address for each record.
  template <class Record>
  static const void* key() {
    static char key = 0;
    return &key;
  }

  std::string text_;
  std::set<const void*> seen_;
};

}  // namespace

TEST_CASE("every member of the values in a tick is in the list of its fields") {
  const auto is_complete = []<class... Records>() {
    return ((member_count<Records>() == listed_count<Records>()) && ...);
  };
  CHECK(is_complete.operator()<Host, NumaCell, Snapshot, DomainIdentity, DomainSettings,
                               GuestStatistics, MemoryBacking, NodeBinding>());
  CHECK(is_complete.operator()<Proposal, Decision, RuleHit, SkippedDomain, DroppedFigure, Outcome,
                               Error, Note, Timings>());
  // Apart from a domain's identity, a tick's snapshot, what a replay derives again (the host's
  // account, who does not report), what the loop alone needs, and the units of texts.
  CHECK(member_count<Domain>() == listed_count<Domain>() + 1);
  CHECK(member_count<Tick>() == listed_count<Tick>() + 5);
  CHECK(member_count<Limits>() == listed_count<Limits>() + 1);
}

TEST_CASE("every value of an enumeration in a tick reads back from its name") {
  const auto reads_back = []<class... Enums>() {
    const auto all_of = []<class Enum>(Enum) {
      for (int i = 0; i < kCountOf<Enum>; ++i) {
        if (from_text<Enum>(to_text(static_cast<Enum>(i))) != static_cast<Enum>(i)) return false;
      }
      return !from_text<Enum>("no such name").has_value();
    };
    return (all_of(Enums{}) && ...);
  };
  CHECK(reads_back.operator()<Rule, Headroom, DomainState, MemoryBacking::Kind, Outcome::Kind,
                              ErrorCode, Note::Severity>());
}

TEST_CASE("docs/command-line.md describes every field of a tick") {
  JournalTables tables;
  tables.add<Tick>("", "");
  std::string text = source_text("docs/command-line.md");
  const std::string title =
      "<!-- The tables of a tick begin here -->\n\n| field | what it is |\n| --- | --- |\n";
  const std::string after = "\n<!-- The tables of a tick end here -->\n";
  const std::size_t start = text.find(title);
  const std::size_t end = text.find(after);
  REQUIRE(start != std::string::npos);
  REQUIRE(end != std::string::npos);
  text.replace(start, end - start, title + tables.text());
  check_source_text("docs/command-line.md", text);
}

TEST_CASE("records about a domain have its name, and a journal without names reads the same") {
  Tick tick = busy_tick();
  tick.late_outcomes = {tick.outcomes[1], tick.outcomes[1]};
  tick.late_outcomes[1].domain = id("gone");
  const std::string line = to_json_line(tick);
  Json json = Json::parse(line).value();
  const auto name_in = [&](const char* list, std::size_t place) {
    return json.at(list).at(place).at("name").string();
  };
  CHECK(name_in("decisions", 0) == "db");
  CHECK(name_in("proposals", 1) == "web");
  CHECK(name_in("outcomes", 1) == "web");
  CHECK(name_in("skipped", 0) == "old");
  CHECK(name_in("dropped", 0) == "web");
  CHECK(name_in("late_outcomes", 0) == "web");
  CHECK(json.at("late_outcomes").at(1).names() ==
        std::vector<std::string>{"at_s", "error", "from_kib", "kind", "to_kib", "uuid"});

  for (const char* list : {"decisions", "proposals", "outcomes", "skipped"}) {
    Json without = Json::array();
    for (const Json& item : json.at(list).items()) {
      Json copy = Json::object();
      for (const std::string& name : item.names()) {
        if (name != "name") copy.set(name, item.at(name));
      }
      without.push_back(std::move(copy));
    }
    json.set(list, std::move(without));
  }
  const auto read = tick_from_json_line(json.line(), "j:1");
  REQUIRE(read.has_value());
  CHECK(to_json_line(*read) == line);
}

TEST_CASE("a tick survives being written and read, to the last field") {
  Tick tick = busy_tick();
  tick.sample_error = Error{ErrorCode::unavailable, "qemu:///system", "down", "wait", "detail"};
  tick.policy_error = Error{ErrorCode::policy_failed, "a.lua:3", "broke", {}, {}};
  tick.dry_run = true;
  tick.outcomes[1].kind = Outcome::Kind::unknown;
  tick.late_outcomes = {tick.outcomes[0]};
  tick.limits.host_memory = 4_GiB;
  tick.limits.headroom = Headroom::usable;
  tick.limits.overcommit = 1.25;
  tick.snapshot.host.merged = 300_MiB;
  DomainIdentity elsewhere = *tick.snapshot.domains[0].identity;
  elsewhere.backing = {MemoryBacking::Kind::hidden, true, true, 1_GiB, 2_GiB};
  elsewhere.hard_limit = 3_GiB;
  elsewhere.bound_to = {{{0, 1}}, {{1}, 2_GiB}};
  tick.snapshot.domains[0].identity = std::make_shared<const DomainIdentity>(elsewhere);
  const std::string line = to_json_line(tick);
  CHECK(line.find('\n') == std::string::npos);
  const auto read = tick_from_json_line(line, "j:1");
  REQUIRE(read.has_value());
  CHECK(to_json_line(*read) == line);
  CHECK(read->number == 7);
  CHECK(read->limits == tick.limits);
  CHECK(read->decisions == tick.decisions);
  CHECK(read->outcomes == tick.outcomes);
  CHECK(read->late_outcomes == tick.late_outcomes);
  CHECK(read->proposals == tick.proposals);
  CHECK(read->skipped == tick.skipped);
  CHECK(read->notes == tick.notes);
  CHECK(read->dropped == tick.dropped);
  CHECK(read->timings == tick.timings);
  CHECK(read->sample_error == tick.sample_error);
  CHECK(read->snapshot.host == tick.snapshot.host);
  CHECK(read->snapshot.taken_at == tick.snapshot.taken_at);
  CHECK(read->snapshot.wall_time == tick.snapshot.wall_time);
  REQUIRE(read->snapshot.domains.size() == 3);
  for (std::size_t i = 0; i < 3; ++i) {
    const Domain& a = tick.snapshot.domains[i];
    const Domain& b = read->snapshot.domains[i];
    CHECK(*a.identity == *b.identity);
    CHECK(a.guest == b.guest);
    CHECK(a.state == b.state);
    CHECK(a.actual == b.actual);
    CHECK(a.rss == b.rss);
    CHECK(a.started_at == b.started_at);
    CHECK(a.restored_at == b.restored_at);
    CHECK(a.reported_after == b.reported_after);
    CHECK(a.id == b.id);
  }
}

TEST_CASE("a journal records the metric that counts as headroom") {
  for (const Headroom kind : {Headroom::larger, Headroom::unused, Headroom::usable}) {
    Tick tick = busy_tick();
    tick.limits.headroom = kind;
    const std::string line = to_json_line(tick);
    CHECK(line.find("\"headroom\":\"" + std::string(to_text(kind)) + "\"") != std::string::npos);
    const auto read = tick_from_json_line(line, "j:1");
    REQUIRE(read.has_value());
    CHECK(read->limits.headroom == kind);
  }
}

TEST_CASE("every year from 1 to 9999 is written and read back") {
  Tick tick = busy_tick();
  for (const int year : {1, 1970, 2024, 4048, 9999}) {
    tick.snapshot.wall_time = std::chrono::sys_days{std::chrono::year{year} / 2 / 3};
    const auto read = tick_from_json_line(to_json_line(tick), "j:1");
    REQUIRE(read.has_value());
    CHECK(read->snapshot.wall_time == tick.snapshot.wall_time);
  }
}

TEST_CASE("a time that is in no calendar is refused by name") {
  Json json = Json::parse(to_json_line(busy_tick())).value();
  for (const char* time : {"9999-99-01T00:00:00.000Z", "-999-00-01T00:00:00.000Z",
                           "2024-02-30T00:00:00.000Z", "2024-02-03T25:00:00.000Z",
                           "2024-02-03T00:00:00.-10Z", "2024-02-03T00:00:00.000Z and more", ""}) {
    CAPTURE(time);
    json.set("time", time);
    const auto read = tick_from_json_line(json.line(), "j:4");
    REQUIRE_FALSE(read.has_value());
    CHECK(read.error().text().find("'time' is no time") != std::string::npos);
  }
}

TEST_CASE("times that no run reaches are refused, so that sums of them do not overflow") {
  const Json tick = Json::parse(to_json_line(busy_tick())).value();
  const auto refused = [&](std::string_view place, const Json& value) {
    return !tick_from_json_line(with(tick, place, value).line(), "j:4").has_value();
  };
  CHECK_FALSE(refused("monotonic_s", 1e9));
  for (const double seconds : {1e11, -1e11, 1e300}) {
    CAPTURE(seconds);
    CHECK(refused("monotonic_s", seconds));
    CHECK(refused("limits/grace_s", seconds));
    CHECK(refused("domains/0/guest/period_s", seconds));
    CHECK(refused("domains/0/started_at_s", seconds));
  }
  for (const std::int64_t periods :
       {std::int64_t{-1}, std::int64_t{101}, std::int64_t{4294967299}}) {
    CAPTURE(periods);
    CHECK(refused("limits/stale_after_periods", periods));
  }
}

TEST_CASE("texts that are no UTF-8 are written with replaced bytes") {
  Tick tick = busy_tick();
  tick.notes = {{Note::Severity::info, "a\xff\x01z"}};
  CHECK(tick_from_json_line(to_json_line(tick), "j:1").has_value());
}

TEST_CASE("a line that is no tick is refused with its place and what is wrong") {
  const auto why = [](const std::string& line) { return tick_from_json_line(line, "j:9").error(); };
  CHECK(why("{").object == "j:9");
  CHECK(why("{").message.find("damaged: ") == 0);
  std::string without_time = to_json_line(busy_tick());
  const std::size_t time = without_time.find("\"monotonic_s\":") + 14;
  without_time.replace(time, without_time.find(',', time) - time, "null");
  CHECK(why(without_time).message == "damaged: 'monotonic_s' has a value of the type null");
  CHECK(why("{}").message == "not a line of a memcoord journal");
  CHECK(why("[]").code == ErrorCode::invalid_input);
  Json json = Json::parse(to_json_line(busy_tick())).value();
  json.set("version", 2);
  CHECK(why(json.line()).message == "journal version 2 is not known");
  json.set("version", 1);
  const Json host = json.at("host");
  Json other = Json::object();
  for (const std::string& name : host.names()) {
    if (name != "free_kib") other.set(name, host.at(name));
  }
  json.set("host", other);
  CHECK(why(json.line()).message.find("free_kib") != std::string::npos);
  other.set("free_kib", -5);
  json.set("host", other);
  CHECK(why(json.line()).message.find("free_kib") != std::string::npos);
}

TEST_CASE("domains without a name, and two with one UUID, are no tick's") {
  const auto why = [](const char* name, const char* other) {
    Tick tick = busy_tick();
    tick.snapshot = World().host(8_GiB).domain(name).domain(other);
    tick.skipped.clear();
    return tick_from_json_line(to_json_line(tick), "j:9").error().message;
  };
  CHECK(why("db", "db") == "damaged: 'domains' has 'db' and 'db' with one UUID");
  const std::string nameless = why("db", "");
  CHECK(nameless.starts_with("damaged: 'name' of domain "));
  CHECK(nameless.ends_with(" is empty"));
}

TEST_CASE(
    "a line that would take a hundred times its size in memory is refused before it is parsed") {
  const auto refused = [](const std::string& line) {
    return contains(tick_from_json_line(line, "j:1").error().message, "nests too deep");
  };
  CHECK(refused("{\"a\":" + std::string(1'000'000, '[')));
  std::string wide = "{\"a\":[";
  for (int i = 0; i < 2'000'000; ++i) wide += "1,";
  CHECK(refused(wide + "1]}"));
  // Within texts, brackets are no more than letters.
  CHECK_FALSE(refused("{\"a\":\"" + std::string(1000, '[') + "\\\"[[\"}"));
}
