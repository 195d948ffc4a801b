// Random ticks, each field with any value that it can have. The property: any list of ticks is the
// same after packing, and its figures alone are the same too.

#include <doctest/doctest.h>
#include <rapidcheck.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <type_traits>
#include <vector>

#include "engine/core/fields.h"
#include "engine/observers/packed_block.h"
#include "engine/observers/tick_columns.h"
#include "engine/observers/tick_json.h"

using namespace memcoord;
using namespace memcoord::observers;

namespace {

/// Fills values at random. Names and UUIDs repeat, as those of domains do.
class AnyValues {
 public:
  explicit AnyValues(std::uint64_t seed) : random_(seed) {}

  Tick tick(const Tick& last) {
    Tick tick = last;
    // Most figures stay; some ticks are new in all fields.
    if (one_in(4)) tick = Tick{};
    fill(tick);
    fill(tick.snapshot);
    for (Domain& domain : tick.snapshot.domains) {
      DomainIdentity identity = domain.identity ? *domain.identity : DomainIdentity{};
      if (!domain.identity || one_in(3)) fill(identity);
      if (identity.name.empty()) fill(identity.name);
      domain.identity = std::make_shared<const DomainIdentity>(identity);
    }
    // A tick has each domain once.
    std::set<std::string> known;
    std::erase_if(tick.snapshot.domains,
                  [&](const Domain& domain) { return !known.insert(domain.uuid().text()).second; });
    tick.limits.stale_after_periods = static_cast<int>(below(101));
    return tick;
  }

 private:
  std::uint64_t below(std::uint64_t n) { return random_() % n; }
  bool one_in(std::uint64_t n) { return below(n) == 0; }
  std::uint64_t number() { return random_() >> below(64); }

  template <class Record>
  requires fields::kIsListed<Record>
  void fill(Record& record) {
    fields::each<Record>([&](const auto& entry) {
      if (!one_in(3)) fill(record.*entry.member);
    });
  }
  template <class T>
  void fill(std::optional<T>& value) {
    if (one_in(3)) return value.reset();
    if (!value) value.emplace();
    fill(*value);
  }
  template <class T>
  void fill(std::vector<T>& list) {
    list.resize(below(5));
    for (T& item : list) fill(item);
    if constexpr (std::is_same_v<T, int>) std::sort(list.begin(), list.end());
  }
  void fill(std::map<std::string, std::string>& map) {
    map.clear();
    for (std::uint64_t i = below(3); i > 0; --i) map[std::to_string(below(4))] = "x";
  }
  void fill(std::string& text) { text = std::string(below(4), 'a') + std::to_string(below(3)); }
  void fill(Uuid& uuid) { uuid = {below(3), below(3)}; }
  void fill(MemorySize& size) { size = MemorySize::from_kib(number()); }
  void fill(std::uint64_t& value) { value = number(); }
  void fill(int& value) { value = static_cast<int>(static_cast<std::int32_t>(number())); }
  void fill(bool& value) { value = one_in(2); }
  void fill(double& value) { value = static_cast<double>(number()) / 1024; }
  // Microseconds that a double of seconds holds exactly enough.
  void fill(Duration& time) { time = Duration(static_cast<std::int64_t>(number() >> 20U)); }
  void fill(MonotonicTime& time) {
    Duration duration{};
    fill(duration);
    time = MonotonicTime(duration);
  }
  void fill(WallTime& time) {
    time = WallTime(std::chrono::milliseconds(static_cast<std::int64_t>(number() >> 20U)));
  }
  template <class Enum>
  requires std::is_enum_v<Enum>
  void fill(Enum& value) {
    value = static_cast<Enum>(below(static_cast<std::uint64_t>(kCountOf<Enum>)));
  }

  std::mt19937_64 random_;
};

std::vector<Tick> unpacked(const std::string& bytes, TickParts parts) {
  const auto sizes = BlockSizes::read(bytes);
  TickColumns columns;
  const auto count = unpack(std::string_view(bytes).substr(BlockSizes::kBytes), *sizes,
                            columns.block(), parts == TickParts::figures);
  RC_ASSERT(count.has_value());
  std::vector<Tick> ticks(*count);
  for (Tick& tick : ticks) RC_ASSERT(columns.read(tick, parts));
  return ticks;
}

void check_packing(std::uint64_t seed, std::size_t count) {
  AnyValues any(seed);
  std::vector<Tick> ticks;
  TickColumns columns;
  for (std::size_t i = 0; i < count; ++i) {
    ticks.push_back(any.tick(ticks.empty() ? Tick{} : ticks.back()));
    columns.write(ticks.back());
  }
  const std::string bytes = packed(columns.block(), count);
  const std::vector<Tick> all = unpacked(bytes, TickParts::all);
  const std::vector<Tick> figures = unpacked(bytes, TickParts::figures);
  RC_ASSERT(all.size() == count);
  for (std::size_t i = 0; i < count; ++i) {
    RC_ASSERT(to_json_line(all[i]) == to_json_line(ticks[i]));
    Tick rest = ticks[i];
    rest.snapshot = figures[i].snapshot;
    RC_ASSERT(to_json_line(rest) == to_json_line(ticks[i]));
  }
}

}  // namespace

TEST_CASE("any list of ticks is the same after packing, and so are its figures alone") {
  CHECK(rc::check([] {
    const auto seed = *rc::gen::arbitrary<std::uint64_t>();
    const auto count = *rc::gen::inRange<std::size_t>(0, 12);
    check_packing(seed, count);
  }));
}
