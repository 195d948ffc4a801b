#pragma once
// The identity of a domain: names change and are reused, UUIDs are not.

#include <compare>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "engine/core/error.h"

namespace memcoord {

/// A domain's UUID, as libvirt has it.
struct Uuid {
  std::uint64_t high = 0;
  std::uint64_t low = 0;

  /// Reads the form with dashes; errors: invalid_input.
  static Result<Uuid> parse(std::string_view text);
  [[nodiscard]] std::string text() const;
  auto operator<=>(const Uuid&) const = default;
};

}  // namespace memcoord

template <>
struct std::hash<memcoord::Uuid> {
  std::size_t operator()(const memcoord::Uuid& uuid) const noexcept {
    // UUIDs are spread evenly already, save those that people write by hand.
    std::uint64_t mixed = uuid.high ^ (uuid.low * 0x9e3779b97f4a7c15U);
    return static_cast<std::size_t>(mixed ^ (mixed >> 32U));
  }
};
