#pragma once
// Sizes of memory. A type of its own keeps bytes and KiB apart.

#include <compare>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>

#include "engine/core/error.h"

namespace memcoord {

/// The unit in which people see sizes: the one that fits each size, or always the same.
enum class Units { automatic, kib, mib, gib };
inline constexpr int kUnitsCount = 4;
/// "auto", "KiB", "MiB", "GiB".
std::string_view to_text(Units units);

/// A size of memory: never negative, a whole number of KiB (libvirt's unit). Arithmetic saturates:
/// sums and products stop at largest(), a negative difference is zero.
class MemorySize {
 public:
  constexpr MemorySize() = default;
  static constexpr MemorySize from_kib(std::uint64_t kib) { return MemorySize(kib); }
  static constexpr MemorySize from_mib(std::uint64_t mib) { return MemorySize(1024) * mib; }
  static constexpr MemorySize from_gib(std::uint64_t gib) { return MemorySize(1048576) * gib; }
  /// Rounds down to whole KiB.
  static constexpr MemorySize from_bytes(std::uint64_t bytes) { return MemorySize(bytes / 1024); }
  static constexpr MemorySize largest() {
    return MemorySize(std::numeric_limits<std::uint64_t>::max());
  }

  /// Reads "150MiB", "1.5 GiB", "150000KiB", "512M", "500MB"; "0" needs no unit. Units: KiB MiB GiB
  /// TiB (K M G T for short) are powers of 1024; kB MB GB TB are powers of 1000, rounded down to
  /// whole KiB; case does not matter. For what administrators write: the command line and the
  /// configuration. Errors: invalid_input without an object: a number without a unit, with what it
  /// may mean; not a size, negative, not whole KiB (in powers of 1024), or more than 2^63 KiB.
  static Result<MemorySize> parse_with_unit(std::string_view text);
  /// The same, but a number without a unit counts KiB: "4096". For policies, scenarios and domain
  /// metadata.
  static Result<MemorySize> parse_with_unit_or_kib(std::string_view text);
  /// Whether the writer of a text meant a size: a number with a unit of memory, even if it
  /// cannot be read, such as "1,5GiB", "150 Mi" or "-5MB".
  static bool is_meant_by(std::string_view text);

  [[nodiscard]] constexpr std::uint64_t kib() const { return kib_; }
  /// Up to 2^64 bytes; then it begins again at 0.
  [[nodiscard]] constexpr std::uint64_t bytes() const { return kib_ * 1024; }
  [[nodiscard]] constexpr double mib() const { return static_cast<double>(kib_) / 1024.0; }
  [[nodiscard]] constexpr bool is_zero() const { return kib_ == 0; }

  /// For people: "512 MiB", "1.95 GiB", "800 KiB". Shows at least `digits` significant digits, but
  /// no fraction of a KiB and no trailing zeros after the point.
  [[nodiscard]] std::string text(Units units = Units::automatic, int digits = 3) const;
  /// For files: exact, in the largest unit that divides the size, as the parsers read it: "512MiB".
  [[nodiscard]] std::string exact() const;

  constexpr auto operator<=>(const MemorySize&) const = default;
  constexpr MemorySize& operator+=(MemorySize other) { return *this = *this + other; }
  constexpr MemorySize& operator-=(MemorySize other) { return *this = *this - other; }

  friend constexpr MemorySize operator+(MemorySize a, MemorySize b) {
    return a.kib_ > largest().kib_ - b.kib_ ? largest() : MemorySize(a.kib_ + b.kib_);
  }
  friend constexpr MemorySize operator-(MemorySize a, MemorySize b) {
    return a.kib_ < b.kib_ ? MemorySize() : MemorySize(a.kib_ - b.kib_);
  }
  friend constexpr MemorySize operator*(MemorySize a, std::uint64_t n) {
    return n != 0 && a.kib_ > largest().kib_ / n ? largest() : MemorySize(a.kib_ * n);
  }
  friend constexpr MemorySize operator*(std::uint64_t n, MemorySize a) { return a * n; }
  friend constexpr MemorySize operator/(MemorySize a, std::uint64_t n) {
    return MemorySize(a.kib_ / n);
  }
  /// The size times `share`, rounded down. A share under 0 or not a number counts as 0.
  [[nodiscard]] MemorySize scaled(double share) const;

 private:
  constexpr explicit MemorySize(std::uint64_t kib) : kib_(kib) {}
  std::uint64_t kib_ = 0;
};

/// b - a in KiB, to show a change; saturates at the ends of int64.
std::int64_t signed_change_kib(MemorySize a, MemorySize b);
/// "+128 MiB", "-64 MiB", "0".
std::string change_text(MemorySize a, MemorySize b, Units units = Units::automatic);
/// The digits, 3 or more, that text() needs to show two different sizes differently.
int digits_to_tell_apart(MemorySize a, MemorySize b, Units units = Units::automatic);
/// "2 GiB -> 1.95 GiB", with enough digits to tell different sizes apart.
std::string move_text(MemorySize from, MemorySize to, Units units = Units::automatic);

inline namespace literals {
constexpr MemorySize operator""_KiB(unsigned long long n) {
  return MemorySize::from_kib(n);
}
constexpr MemorySize operator""_MiB(unsigned long long n) {
  return MemorySize::from_mib(n);
}
constexpr MemorySize operator""_GiB(unsigned long long n) {
  return MemorySize::from_gib(n);
}
}  // namespace literals

}  // namespace memcoord
