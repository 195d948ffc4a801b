#pragma once
// The columns of values: for each field of a record, one list of numbers with its differences from
// what was predicted of it. The fields come from engine/core/fields.h, so that a new one gets its
// column by itself.

#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <tuple>
#include <type_traits>
#include <unordered_map>
#include <utility>
#include <vector>

#include "engine/core/fields.h"

namespace memcoord::observers::columns {

/// One field's differences, in the order of its records.
struct Column {
  std::string name;  ///< its path: "domains.guest.unused_kib"
  std::vector<std::uint64_t> values;
  std::size_t at = 0;      ///< the place of the next value to read
  bool all_zero = true;    ///< it has no values, because all of them are zero
  bool ran_out = false;    ///< there were too few values: the block is damaged
  bool of_figures = true;  ///< TickParts::figures needs it

  void push(std::uint64_t value) { values.push_back(value); }
  std::uint64_t next() {
    if (all_zero) return 0;
    if (at < values.size()) return values[at++];
    ran_out = true;
    return 0;
  }
};

/// The texts of a block: each different one is stored once.
struct Texts {
  std::vector<std::string> list;
  std::unordered_map<std::string, std::uint64_t> places;
};

/// What reading a block of damaged or hostile content may use.
struct Budget {
  static constexpr std::uint64_t kMostItems = 400'000;                  ///< in the lists of a tick
  static constexpr std::uint64_t kMostText = std::uint64_t{64} << 20U;  ///< bytes
  static constexpr std::uint64_t kMostNewItems = 2'500'000;             ///< in a block
  std::uint64_t items = 0;                                              ///< of this tick
  std::uint64_t new_items = 0;  ///< of this block: by which lists grew
  std::uint64_t text = 0;       ///< of this tick
  std::uint64_t new_text = 0;   ///< of this block: texts that differ from what was predicted
  bool damaged = false;
  /// Whether so many more items are fine.
  bool take_items(std::uint64_t count) {
    items = count > kMostItems ? kMostItems + 1 : items + count;
    damaged = damaged || items > kMostItems;
    return !damaged;
  }
  /// Whether a list may grow by so many. Lists of records stay until the block's end.
  bool take_new_items(std::uint64_t count) {
    new_items += count;
    damaged = damaged || new_items > kMostNewItems;
    return !damaged;
  }
};

/// The columns and texts of a block, while it is written or read.
struct Block {
  std::vector<std::unique_ptr<Column>> columns;
  Texts texts;
  Budget budget;

  Column* add(std::string name) {
    columns.push_back(std::make_unique<Column>());
    columns.back()->name = std::move(name);
    return columns.back().get();
  }
};

// --- numbers ---

/// Small differences in both directions become small numbers.
constexpr std::uint64_t zigzag(std::uint64_t difference) {
  return difference << 1U ^ (0 - (difference >> 63U));
}
constexpr std::uint64_t unzigzag(std::uint64_t number) {
  return number >> 1U ^ (0 - (number & 1U));
}

/// No time passes it, so that sums of times do not overflow: 1e10 s.
inline constexpr std::int64_t kMaxMicroseconds = 10'000'000'000'000'000;
/// 0001-01-01 and the end of 9999, in milliseconds: iso_text() writes these years.
inline constexpr std::int64_t kFirstMillisecond = -62'135'596'800'000;
inline constexpr std::int64_t kLastMillisecond = 253'402'300'799'999;

template <class T>
constexpr bool kIsNumber =
    std::is_arithmetic_v<T> || std::is_same_v<T, MemorySize> || std::is_same_v<T, Duration> ||
    std::is_same_v<T, MonotonicTime> || std::is_same_v<T, WallTime>;

template <class T>
std::uint64_t bits_of(const T& value) {
  if constexpr (std::is_same_v<T, MemorySize>) {
    return value.kib();
  } else if constexpr (std::is_same_v<T, Duration>) {
    return static_cast<std::uint64_t>(value.count());
  } else if constexpr (std::is_same_v<T, MonotonicTime> || std::is_same_v<T, WallTime>) {
    return static_cast<std::uint64_t>(value.time_since_epoch().count());
  } else if constexpr (std::is_same_v<T, double>) {
    return std::bit_cast<std::uint64_t>(value);
  } else {
    return static_cast<std::uint64_t>(static_cast<std::int64_t>(value));
  }
}

/// Sets the value; false for a number that no such value has.
template <class T>
bool set_from_bits(T& value, std::uint64_t bits) {
  const auto number = static_cast<std::int64_t>(bits);
  if constexpr (std::is_same_v<T, MemorySize>) {
    value = MemorySize::from_kib(bits);
  } else if constexpr (std::is_same_v<T, std::uint64_t>) {
    value = bits;
  } else if constexpr (std::is_same_v<T, Duration> || std::is_same_v<T, MonotonicTime>) {
    if (number > kMaxMicroseconds || number < -kMaxMicroseconds) return false;
    value = T(Duration(number));
  } else if constexpr (std::is_same_v<T, WallTime>) {
    if (number < kFirstMillisecond || number > kLastMillisecond) return false;
    value = WallTime(std::chrono::milliseconds(number));
  } else if constexpr (std::is_same_v<T, double>) {
    value = std::bit_cast<double>(bits);
    return std::isfinite(value);
  } else if constexpr (std::is_same_v<T, bool>) {
    if (bits > 1) return false;
    value = bits == 1;
  } else {
    static_assert(std::is_same_v<T, int>, "say how its values become numbers");
    if (!std::in_range<int>(number)) return false;
    value = static_cast<int>(number);
  }
  return true;
}

// --- nodes: the columns of one type at one place. write() adds a value's difference from the
// prediction; read() begins with the prediction in `value` and makes it the value. ---

template <class T>
struct Node;

template <class T>
requires kIsNumber<T>
struct Node<T> {
  Node(Block& block, const std::string& name) : column(block.add(name)) {}
  void write(Block&, const T& value, const T& predicted) {
    if constexpr (std::is_same_v<T, double>) {
      column->push(bits_of(value) ^ bits_of(predicted));
    } else {
      column->push(zigzag(bits_of(value) - bits_of(predicted)));
    }
  }
  void read(Block& block, T& value) {
    const std::uint64_t number = column->next();
    if (number == 0) return;
    const std::uint64_t before = bits_of(value);
    const std::uint64_t bits =
        std::is_same_v<T, double> ? before ^ number : before + unzigzag(number);
    if (!set_from_bits(value, bits)) block.budget.damaged = true;
  }
  Column* column;
};

template <>
struct Node<std::string> {
  Node(Block& block, const std::string& name) : column(block.add(name)) {}
  void write(Block& block, const std::string& value, const std::string& predicted) {
    if (value == predicted) return column->push(0);
    auto& [list, places] = block.texts;
    const auto [found, is_new] = places.try_emplace(value, list.size());
    if (is_new) list.push_back(value);
    column->push(found->second + 1);
  }
  void read(Block& block, std::string& value) {
    Budget& budget = block.budget;
    const std::uint64_t number = column->next();
    if (number > block.texts.list.size()) {
      budget.damaged = true;
      return;
    }
    if (number > 0) {
      const std::string& text = block.texts.list[number - 1];
      budget.new_text += text.size();
      if (budget.new_text <= Budget::kMostText) value = text;
    }
    budget.text += value.size();
    if (budget.text > Budget::kMostText || budget.new_text > Budget::kMostText) {
      budget.damaged = true;
    }
  }
  Column* column;
};

/// By name: a new value between others leaves older files readable.
template <class T>
requires std::is_enum_v<T>
struct Node<T> {
  Node(Block& block, const std::string& name) : text(block, name) {}
  void write(Block& block, const T& value, const T& predicted) {
    if (value == predicted) return text.column->push(0);
    text.write(block, std::string(to_text(value)), std::string(to_text(predicted)));
  }
  void read(Block& block, T& value) {
    const std::string before(to_text(value));
    std::string name = before;
    text.read(block, name);
    if (name == before) return;
    const std::optional<T> known = from_text<T>(name);
    if (known) {
      value = *known;
    } else {
      block.budget.damaged = true;
    }
  }
  Node<std::string> text;
};

template <>
struct Node<Uuid> {
  Node(Block& block, const std::string& name)
      : high(block, name + ".high"), low(block, name + ".low") {}
  void write(Block& block, const Uuid& value, const Uuid& predicted) {
    high.write(block, value.high, predicted.high);
    low.write(block, value.low, predicted.low);
  }
  void read(Block& block, Uuid& value) {
    high.read(block, value.high);
    low.read(block, value.low);
  }
  Node<std::uint64_t> high;
  Node<std::uint64_t> low;
};

template <class T>
struct Node<std::optional<T>> {
  Node(Block& block, const std::string& name) : presence(block, name + "?"), content(block, name) {}
  void write(Block& block, const std::optional<T>& value, const std::optional<T>& predicted) {
    presence.write(block, value.has_value(), predicted.has_value());
    if (value) content.write(block, *value, predicted ? *predicted : T{});
  }
  void read(Block& block, std::optional<T>& value) {
    bool present = value.has_value();
    presence.read(block, present);
    if (!present) {
      value.reset();
      return;
    }
    if (!value) value.emplace();
    content.read(block, *value);
  }
  Node<bool> presence;
  Node<T> content;
};

/// A list whose items are predicted by their places.
template <class T>
struct Node<std::vector<T>> {
  Node(Block& block, const std::string& name) : count(block, name + "#"), item(block, name) {}
  void write(Block& block, const std::vector<T>& value, const std::vector<T>& predicted) {
    count.write(block, value.size(), predicted.size());
    for (std::size_t i = 0; i < value.size(); ++i) {
      item.write(block, value[i], i < predicted.size() ? predicted[i] : T{});
    }
  }
  void read(Block& block, std::vector<T>& value) {
    std::uint64_t size = value.size();
    count.read(block, size);
    if (!block.budget.take_items(size)) return;
    if (size > value.size() && !block.budget.take_new_items(size - value.size())) return;
    value.resize(size);
    for (T& one : value) item.read(block, one);
  }
  Node<std::uint64_t> count;
  Node<T> item;
};

template <>
struct Node<std::map<std::string, std::string>> {
  using Map = std::map<std::string, std::string>;
  Node(Block& block, const std::string& name)
      : count(block, name + "#"), key(block, name + ".name"), text(block, name + ".value") {}
  /// The number of its entries and one, or 0 for the predicted ones.
  void write(Block& block, const Map& value, const Map& predicted) {
    count.write(block, value == predicted ? 0 : value.size() + 1, 0);
    if (value == predicted) return;
    for (const auto& [name, content] : value) {
      key.write(block, name, {});
      text.write(block, content, {});
    }
  }
  void read(Block& block, Map& value) {
    std::uint64_t size = 0;
    count.read(block, size);
    if (size == 0 || !block.budget.take_items(size)) return;
    if (!block.budget.take_new_items(size)) return;
    value.clear();
    for (std::uint64_t i = 1; i < size; ++i) {
      std::string name;
      std::string content;
      key.read(block, name);
      text.read(block, content);
      value.insert_or_assign(std::move(name), std::move(content));
    }
  }
  Node<std::uint64_t> count;
  Node<std::string> key;
  Node<std::string> text;
};

template <class Entries>
struct NodesOf;
template <class... Entries>
struct NodesOf<std::tuple<Entries...>> {
  using Type = std::tuple<Node<typename Entries::Type>...>;
};

template <class Record>
requires fields::kIsListed<Record>
struct Node<Record> {
  using Nodes = typename NodesOf<std::remove_cvref_t<decltype(fields::kList<Record>)>>::Type;
  Node(Block& block, const std::string& name) : nodes(make(block, name)) {}

  void write(Block& block, const Record& value, const Record& predicted) {
    each([&](auto& node, auto member) { node.write(block, value.*member, predicted.*member); });
  }
  void read(Block& block, Record& value) {
    each([&](auto& node, auto member) { node.read(block, value.*member); });
  }
  /// Calls `visit` with each field's node and member.
  template <class Visit>
  void each(Visit visit) {
    visit_each(visit, std::make_index_sequence<std::tuple_size_v<Nodes>>{});
  }
  Nodes nodes;

 private:
  static Nodes make(Block& block, const std::string& name) {
    return std::apply(
        [&](const auto&... entries) {
          // Braces, so that the columns are made in the order of the fields.
          return Nodes{Node<typename std::remove_cvref_t<decltype(entries)>::Type>(
              block, (name.empty() ? "" : name + ".") + std::string(entries.name))...};
        },
        fields::kList<Record>);
  }
  template <class Visit, std::size_t... kPlaces>
  void visit_each(Visit& visit, std::index_sequence<kPlaces...>) {
    (visit(std::get<kPlaces>(nodes), std::get<kPlaces>(fields::kList<Record>).member), ...);
  }
};

}  // namespace memcoord::observers::columns
