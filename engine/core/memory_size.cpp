#include "engine/core/memory_size.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <cmath>
#include <optional>
#include <vector>

namespace memcoord {
namespace {

constexpr std::uint64_t kMaxKib = std::uint64_t{1} << 63U;

/// A unit as a fraction of KiB, in lowest terms. Sizes in decimal units (powers of 1000) need not
/// be whole KiB.
struct Unit {
  std::uint64_t kib;
  std::uint64_t parts = 1;
  bool decimal = false;
};

std::string lower_case(std::string_view text) {
  std::string lower;
  for (const char c : text) {
    lower += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  }
  return lower;
}

std::optional<Unit> unit_of(std::string_view text) {
  const std::string lower = lower_case(text);
  if (lower.empty() || lower == "k" || lower == "kib") return Unit{1};
  if (lower == "m" || lower == "mib") return Unit{std::uint64_t{1} << 10U};
  if (lower == "g" || lower == "gib") return Unit{std::uint64_t{1} << 20U};
  if (lower == "t" || lower == "tib") return Unit{std::uint64_t{1} << 30U};
  if (lower == "kb") return Unit{125, 128, true};
  if (lower == "mb") return Unit{15625, 16, true};
  if (lower == "gb") return Unit{1953125, 2, true};
  if (lower == "tb") return Unit{976562500, 1, true};
  return std::nullopt;
}

constexpr std::array<const char*, 4> kUnitNames{"KiB", "MiB", "GiB", "TiB"};

/// The number with at least this many significant digits; its integer part is never rounded.
std::string number_text(double value, int digits) {
  const int before = value < 1 ? 0 : static_cast<int>(std::floor(std::log10(value))) + 1;
  // In a value under 1, zeros right after the point are not significant.
  const int zeros =
      value > 0 && value < 1 ? -static_cast<int>(std::floor(std::log10(value))) - 1 : 0;
  const int decimals = std::max(0, digits - before) + (digits > 0 ? zeros : 0);
  std::array<char, 96> buffer{};
  const auto written = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value,
                                     std::chars_format::fixed, decimals);
  std::string number(buffer.data(), written.ptr);
  if (number.find('.') != std::string::npos) {
    number.erase(number.find_last_not_of('0') + 1);
    if (number.ends_with('.')) number.pop_back();
  }
  return number;
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  return text;
}

/// A size as it is written.
struct Written {
  std::string_view number;  ///< digits, with at most one point
  std::string_view unit;    ///< everything behind them
};

Written split(std::string_view text) {
  text = trimmed(text);
  std::size_t digits = 0;
  bool point = false;
  for (; digits < text.size(); ++digits) {
    const char c = text[digits];
    if (c == '.' && !point) {
      point = true;
    } else if (c < '0' || c > '9') {
      break;
    }
  }
  return {text.substr(0, digits), trimmed(text.substr(digits))};
}

constexpr const char* kHowToWrite =
    "write a size as 512MiB, 1.5GiB or 150000KiB, or in powers of 1000 as 500MB";

tl::unexpected<Error> refuse_size(std::string_view text, const std::string& why,
                                  std::string hint = kHowToWrite) {
  constexpr std::size_t kShown = 40;
  const char* end = text.size() > kShown ? "...' " : "' ";
  return fail(ErrorCode::invalid_input, "", "'" + std::string(text.substr(0, kShown)) + end + why,
              std::move(hint));
}

/// A number other than zero, which is the same in every unit.
bool lacks_unit(const Written& written) {
  return written.unit.empty() && written.number.find_first_of("123456789") < std::string::npos;
}

/// The sizes that the writer of a number may mean, or else what to write.
std::string hint_for_number(std::string_view number) {
  const auto is_likely = [](const Result<MemorySize>& size, MemorySize smallest) {
    return size && *size >= smallest && *size <= 1024_GiB;
  };
  std::vector<std::string> meanings;
  for (const char* unit : {"KiB", "MiB", "GiB"}) {
    const std::string text = std::string(number) + unit;
    if (is_likely(MemorySize::parse_with_unit(text), 1_MiB)) meanings.push_back(text);
  }
  // In bytes it would be a 1024th of the same number in KiB.
  const auto as_kib = MemorySize::parse_with_unit(std::string(number) + "KiB");
  if (as_kib && as_kib->kib() % 1024 == 0 && is_likely(*as_kib / 1024, 64_MiB)) {
    meanings.push_back((*as_kib / 1024).exact());
  }
  constexpr std::size_t kLongest = 20;
  if (meanings.empty() || number.size() > kLongest) return kHowToWrite;
  return "did you mean " + meanings[0] + (meanings.size() > 1 ? " or " + meanings[1] : "") + "?";
}

}  // namespace

std::string_view to_text(Units units) {
  static constexpr std::array<std::string_view, kUnitsCount> kNames{"auto", "KiB", "MiB", "GiB"};
  return kNames.at(static_cast<std::size_t>(units));
}

bool MemorySize::is_meant_by(std::string_view text) {
  const std::size_t first = text.find_first_not_of(' ');
  if (first == std::string_view::npos) return false;
  text.remove_prefix(first);
  if (text.front() == '-' || text.front() == '+') text.remove_prefix(1);
  const std::size_t unit_at = std::min(text.find_first_not_of("0123456789.,_' "), text.size());
  if (text.substr(0, unit_at).find_first_of("0123456789") == std::string_view::npos) return false;
  std::string unit = lower_case(text.substr(unit_at));
  while (unit.ends_with(' ')) unit.pop_back();
  for (const char* name : {"kilobyte", "megabyte", "gigabyte", "terabyte", "kibibyte", "mebibyte",
                           "gibibyte", "tebibyte", "byte"}) {
    if (unit == name || unit == std::string(name) + "s") return true;
  }
  if (unit == "b") return true;
  if (unit.empty() || std::string_view("kmgtpe").find(unit.front()) == std::string_view::npos) {
    return false;
  }
  const std::string rest = unit.substr(1);
  return rest.empty() || rest == "i" || rest == "b" || rest == "ib" || rest == "bs" ||
         rest == "ibs" || rest == "bytes" || rest == "byte" || rest == "ibytes" || rest == "ibyte";
}

Result<MemorySize> MemorySize::parse_with_unit(std::string_view text) {
  const Written written = split(text);
  if (lacks_unit(written)) return refuse_size(text, "has no unit", hint_for_number(written.number));
  return parse_with_unit_or_kib(text);
}

Result<MemorySize> MemorySize::parse_with_unit_or_kib(std::string_view text) {
  const Written written = split(text);
  if (written.number.empty() && written.unit.starts_with('-')) {
    return refuse_size(text, "is negative");
  }
  const auto factor = unit_of(written.unit);
  if (written.number.empty() || written.number == "." || !factor) {
    return refuse_size(text, "is not a size of memory");
  }
  const std::size_t dot = written.number.find('.');
  std::uint64_t whole = 0;
  for (const char c : written.number.substr(0, dot)) {
    if (whole > kMaxKib / 10) return refuse_size(text, "is larger than any memory");
    whole = whole * 10 + static_cast<std::uint64_t>(c - '0');
  }
  const auto [kib_a_unit, parts, decimal] = *factor;
  if (whole / parts > kMaxKib / kib_a_unit) return refuse_size(text, "is larger than any memory");
  // The rest of the number after whole KiB is (whole % parts + numerator / denominator) units.
  std::uint64_t numerator = whole % parts;
  std::uint64_t denominator = 1;
  if (dot != std::string_view::npos) {
    std::string_view fraction = written.number.substr(dot + 1);
    while (!fraction.empty() && fraction.back() == '0') fraction.remove_suffix(1);
    // With nine digits the product below stays under 2^64 in every unit.
    if (fraction.size() > 9) return refuse_size(text, "is not a whole number of KiB");
    for (const char c : fraction) {
      numerator = numerator * 10 + static_cast<std::uint64_t>(c - '0');
      denominator *= 10;
    }
  }
  if (!decimal && numerator * kib_a_unit % denominator != 0) {
    return refuse_size(text, "is not a whole number of KiB");
  }
  const std::uint64_t kib =
      whole / parts * kib_a_unit + numerator * kib_a_unit / (denominator * parts);
  if (kib > kMaxKib) return refuse_size(text, "is larger than any memory");
  return from_kib(kib);
}

std::string MemorySize::text(Units units, int digits) const {
  double value = static_cast<double>(kib_);
  std::size_t unit = 0;
  if (units == Units::automatic) {
    // From 1023.5 on, a value would round to "1024".
    for (; unit + 1 < kUnitNames.size() && value >= 1023.5; ++unit) value /= 1024;
  } else {
    for (; unit + 1 < static_cast<std::size_t>(units); ++unit) value /= 1024;
  }
  return number_text(value, unit == 0 ? 0 : digits) + " " + kUnitNames.at(unit);
}

std::string MemorySize::exact() const {
  std::uint64_t value = kib_;
  std::size_t unit = 0;
  while (value != 0 && value % 1024 == 0 && unit + 1 < kUnitNames.size()) {
    value /= 1024;
    ++unit;
  }
  return std::to_string(value) + kUnitNames.at(unit);
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

std::string change_text(MemorySize a, MemorySize b, Units units) {
  if (a == b) return "0";
  return a < b ? "+" + (b - a).text(units) : "-" + (a - b).text(units);
}

int digits_to_tell_apart(MemorySize a, MemorySize b, Units units) {
  constexpr int kMaxDigits = 20;  // enough for any two sizes
  int digits = 3;
  while (a != b && digits < kMaxDigits && a.text(units, digits) == b.text(units, digits)) {
    ++digits;
  }
  return digits;
}

std::string move_text(MemorySize from, MemorySize to, Units units) {
  const int digits = digits_to_tell_apart(from, to, units);
  return from.text(units, digits) + " -> " + to.text(units, digits);
}

}  // namespace memcoord
