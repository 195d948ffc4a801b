#include "engine/core/memory_size.h"

#include <array>
#include <cctype>
#include <charconv>
#include <optional>

namespace memcoord {
namespace {

constexpr std::uint64_t kMostKib = std::uint64_t{1} << 63U;

/// What a unit multiplies by, in KiB; none where it is no unit.
std::optional<std::uint64_t> unit_in_kib(std::string_view unit) {
  std::string lower;
  for (const char c : unit) {
    lower += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  }
  if (lower.empty() || lower == "k" || lower == "kib") return 1;
  if (lower == "m" || lower == "mib") return std::uint64_t{1} << 10U;
  if (lower == "g" || lower == "gib") return std::uint64_t{1} << 20U;
  if (lower == "t" || lower == "tib") return std::uint64_t{1} << 30U;
  return std::nullopt;
}

tl::unexpected<Error> not_a_size(std::string_view text, std::string why) {
  return fail(ErrorCode::invalid_input, "'" + std::string(text.substr(0, 40)) + "'", std::move(why),
              "write a size as 512MiB, 1.5GiB or 150000KiB");
}

}  // namespace

Result<MemorySize> MemorySize::parse(std::string_view text) {
  std::string_view number = text;
  while (!number.empty() && number.front() == ' ') number.remove_prefix(1);
  while (!number.empty() && number.back() == ' ') number.remove_suffix(1);
  std::size_t digits = 0;
  bool point = false;
  for (; digits < number.size(); ++digits) {
    const char c = number[digits];
    if (c == '.' && !point) {
      point = true;
    } else if (c < '0' || c > '9') {
      break;
    }
  }
  std::string_view unit = number.substr(digits);
  number = number.substr(0, digits);
  while (!unit.empty() && unit.front() == ' ') unit.remove_prefix(1);
  if (number.empty() && unit.starts_with('-')) return not_a_size(text, "a size cannot be negative");
  const auto factor = unit_in_kib(unit);
  if (number.empty() || number == "." || !factor) return not_a_size(text, "not a size of memory");

  const std::size_t dot = number.find('.');
  std::uint64_t whole = 0;
  for (const char c : number.substr(0, dot)) {
    if (whole > kMostKib / 10) return not_a_size(text, "larger than any memory");
    whole = whole * 10 + static_cast<std::uint64_t>(c - '0');
  }
  if (whole > kMostKib / *factor) return not_a_size(text, "larger than any memory");
  std::uint64_t kib = whole * *factor;
  if (dot != std::string_view::npos) {
    // Long division of the fraction by ten, digit by digit, stays exact for units of up to 2^30.
    std::uint64_t numerator = 0;
    std::uint64_t denominator = 1;
    std::string_view fraction = number.substr(dot + 1);
    while (!fraction.empty() && fraction.back() == '0') fraction.remove_suffix(1);
    if (fraction.size() > 9) return not_a_size(text, "not a whole number of KiB");
    for (const char c : fraction) {
      numerator = numerator * 10 + static_cast<std::uint64_t>(c - '0');
      denominator *= 10;
    }
    if (numerator * *factor % denominator != 0) {
      return not_a_size(text, "not a whole number of KiB");
    }
    kib += numerator * *factor / denominator;
  }
  if (kib > kMostKib) return not_a_size(text, "larger than any memory");
  return from_kib(kib);
}

std::string MemorySize::text() const {
  static constexpr std::array<const char*, 4> kUnits{"KiB", "MiB", "GiB", "TiB"};
  double value = static_cast<double>(kib_);
  std::size_t unit = 0;
  // 1023.95 would be shown as "1024".
  while (unit + 1 < kUnits.size() && value >= 1023.95) {
    value /= 1024;
    ++unit;
  }
  std::array<char, 48> buffer{};
  const auto written = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value,
                                     std::chars_format::fixed, 1);
  std::string text(buffer.data(), written.ptr);
  if (text.ends_with(".0")) text.resize(text.size() - 2);
  return text.append(" ").append(kUnits[unit]);
}

std::string MemorySize::exact() const {
  static constexpr std::array<const char*, 4> kUnits{"KiB", "MiB", "GiB", "TiB"};
  std::uint64_t value = kib_;
  std::size_t unit = 0;
  while (value != 0 && value % 1024 == 0 && unit + 1 < kUnits.size()) {
    value /= 1024;
    ++unit;
  }
  return std::to_string(value) + kUnits[unit];
}

MemorySize MemorySize::scaled(double share) const {
  if (!(share > 0)) return {};
  const double product = static_cast<double>(kib_) * share;
  if (product >= 18446744073709549568.0) return largest();
  return from_kib(static_cast<std::uint64_t>(product));
}

std::int64_t signed_change_kib(MemorySize a, MemorySize b) {
  constexpr std::uint64_t kMost = std::numeric_limits<std::int64_t>::max();
  const std::uint64_t size = a < b ? (b - a).kib() : (a - b).kib();
  const auto change = static_cast<std::int64_t>(size > kMost ? kMost : size);
  return a < b ? change : -change;
}

std::string change_text(MemorySize a, MemorySize b) {
  if (a == b) return "0";
  return a < b ? "+" + (b - a).text() : "-" + (a - b).text();
}

}  // namespace memcoord
