#pragma once
// A size of memory as a type of its own, so that no count of bytes is ever taken for one of KiB.

#include <compare>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>

#include "engine/core/error.h"

namespace memcoord {

/// What people are told sizes in: the unit that fits, or always the same one.
enum class Units { automatic, kib, mib, gib };
inline constexpr int kUnitsCount = 4;
/// "auto", "KiB", "MiB", "GiB".
std::string_view to_text(Units units);

/// A size of memory: never negative, a whole number of KiB (libvirt's unit).
/// Arithmetic saturates: nothing wraps round, a difference that would be negative is zero.
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

  /// Reads "150MiB", "1.5 GiB", "150000KiB", "512M", "4096" (a bare number is KiB), "500MB". Units:
  /// KiB MiB GiB TiB (K M G T for short), powers of 1024; kB MB GB TB, powers of 1000, rounded down
  /// to whole KiB; case ignored. Errors: invalid_input, naming the text; also where the size is
  /// negative, in powers of 1024 not a whole number of KiB, or past 2^63 KiB.
  static Result<MemorySize> parse(std::string_view text);
  /// Whether a text is a number with a unit of memory, as far as its writer is concerned: also
  /// "1,5GiB", "150 Mi", "-5MB", which parse() refuses.
  static bool is_meant_by(std::string_view text);

  [[nodiscard]] constexpr std::uint64_t kib() const { return kib_; }
  [[nodiscard]] constexpr double mib() const { return static_cast<double>(kib_) / 1024.0; }
  [[nodiscard]] constexpr bool is_zero() const { return kib_ == 0; }

  /// For people: "512 MiB", "1.95 GiB", "800 KiB", in at least so many significant digits, whole
  /// KiB at most; zeros after the point are left out.
  [[nodiscard]] std::string text(Units units = Units::automatic, int digits = 3) const;
  /// For files: exact and read back by parse(), in the largest unit that divides it: "512MiB".
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
  /// The share of a size, rounded down; `share` under 0 or not a number counts as 0.
  [[nodiscard]] MemorySize scaled(double share) const;

 private:
  constexpr explicit MemorySize(std::uint64_t kib) : kib_(kib) {}
  std::uint64_t kib_ = 0;
};

/// b - a in KiB with its sign, for showing a change; saturates at the ends of int64.
std::int64_t signed_change_kib(MemorySize a, MemorySize b);
/// "+128 MiB", "-64 MiB", "0".
std::string change_text(MemorySize a, MemorySize b, Units units = Units::automatic);
/// In how many digits two different sizes are told for the texts to differ: 3 or more.
int digits_to_tell_apart(MemorySize a, MemorySize b, Units units = Units::automatic);
/// "2 GiB -> 1.95 GiB": different sizes are told in as many digits as it takes to tell them apart.
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
