#pragma once
// The identity of a domain. Names change and are reused; UUIDs are not.

#include <compare>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "engine/core/error.h"

namespace memcoord {

/// A domain's UUID, as libvirt assigns it.
struct Uuid {
  std::uint64_t high = 0;
  std::uint64_t low = 0;

  /// Reads the form with dashes, in upper or lower case. Errors: invalid_input.
  static Result<Uuid> parse(std::string_view text);
  /// The form with dashes, in lower case.
  [[nodiscard]] std::string text() const;
  auto operator<=>(const Uuid&) const = default;

 private:
  static constexpr bool is_dash_at(std::size_t position) {
    return position == 8 || position == 13 || position == 18 || position == 23;
  }
};

inline Result<Uuid> Uuid::parse(std::string_view text) {
  constexpr std::string_view kDigits = "0123456789abcdef0123456789ABCDEF";
  Uuid uuid;
  bool valid = text.size() == 36;
  int digits = 0;
  for (std::size_t i = 0; valid && i < text.size(); ++i) {
    if (is_dash_at(i)) {
      valid = text[i] == '-';
      continue;
    }
    const std::size_t digit = kDigits.find(text[i]);
    valid = digit != std::string_view::npos;
    std::uint64_t& half = digits++ < 16 ? uuid.high : uuid.low;
    half = half << 4U | digit % 16;
  }
  if (valid) return uuid;
  return fail(ErrorCode::invalid_input, "'" + std::string(text.substr(0, 40)) + "'", "not a UUID",
              "a UUID reads 8-4-4-4-12 hexadecimal digits");
}

inline std::string Uuid::text() const {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text(36, '-');
  int digits = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (is_dash_at(i)) continue;
    const std::uint64_t half = digits < 16 ? high : low;
    text[i] = kDigits[half >> (60 - 4 * (digits % 16)) & 0xfU];
    ++digits;
  }
  return text;
}

}  // namespace memcoord

template <>
struct std::hash<memcoord::Uuid> {
  std::size_t operator()(const memcoord::Uuid& uuid) const noexcept {
    // Random UUIDs need no mixing, but UUIDs that people assign by hand do.
    const std::uint64_t mixed = uuid.high ^ (uuid.low * 0x9e3779b97f4a7c15U);
    return static_cast<std::size_t>(mixed ^ (mixed >> 32U));
  }
};
