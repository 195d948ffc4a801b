#include "engine/core/uuid.h"

#include <array>
#include <cstdio>

namespace memcoord {
namespace {

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

}  // namespace

Result<Uuid> Uuid::parse(std::string_view text) {
  Uuid uuid;
  int digits = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool dash_due = i == 8 || i == 13 || i == 18 || i == 23;
    const int digit = hex_digit(text[i]);
    if (dash_due ? text[i] != '-' : digit < 0 || digits == 32) {
      digits = -1;
      break;
    }
    if (dash_due) continue;
    std::uint64_t& half = digits < 16 ? uuid.high : uuid.low;
    half = half << 4U | static_cast<std::uint64_t>(digit);
    ++digits;
  }
  if (digits != 32) {
    return fail(ErrorCode::invalid_input, "'" + std::string(text.substr(0, 40)) + "'", "not a UUID",
                "a UUID reads 8-4-4-4-12 hexadecimal digits");
  }
  return uuid;
}

std::string Uuid::text() const {
  std::array<char, 40> buffer{};
  std::snprintf(buffer.data(), buffer.size(), "%08llx-%04llx-%04llx-%04llx-%012llx",
                static_cast<unsigned long long>(high >> 32U),
                static_cast<unsigned long long>(high >> 16U & 0xffffU),
                static_cast<unsigned long long>(high & 0xffffU),
                static_cast<unsigned long long>(low >> 48U),
                static_cast<unsigned long long>(low & 0xffffffffffffU));
  return buffer.data();
}

}  // namespace memcoord
