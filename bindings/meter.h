#pragma once
// What a script may use, and what it has used.

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>

struct lua_State;

namespace memcoord::bindings {

/// Time and instructions in one call, memory at any moment.
struct SandboxLimits {
  std::chrono::microseconds time = std::chrono::milliseconds(100);
  std::uint64_t instructions = 20'000'000;
  std::size_t memory_bytes = std::size_t{64} << 20U;
};

/// The longest text that a script may make: what C functions do with one text takes time that no
/// instruction count sees.
inline constexpr std::size_t kLongestText = std::size_t{1} << 20U;

/// Counts one Lua state's use. A limit that is passed trips it, and it stays tripped until the call
/// ends, whatever the script catches: every further instruction ends in the same error, which so
/// has a file and a line.
class Meter {
 public:
  enum class Trip { none, time, instructions, memory, text };

  explicit Meter(SandboxLimits limits) : limits_(limits) {}
  /// The state whose instructions are counted between start() and stop().
  void watch(lua_State* lua) { lua_ = lua; }
  void set_limits(SandboxLimits limits) { limits_ = limits; }
  /// A new call begins: time and instructions count from here.
  void start();
  void stop();

  /// Takes note of work done outside Lua's own instructions; false once a limit is passed.
  bool charge(std::uint64_t instructions);
  void trip(Trip limit);
  [[nodiscard]] Trip tripped() const { return tripped_; }
  /// "its time limit of 100 ms".
  [[nodiscard]] std::string limit_text() const;
  [[nodiscard]] const SandboxLimits& limits() const { return limits_; }
  [[nodiscard]] std::size_t used_bytes() const { return used_bytes_; }

  /// lua_Alloc; `meter` is the Meter. Memory is refused until Lua has collected its garbage; if the
  /// limit is passed even then, up to half of it is lent until the next instruction, which ends the
  /// call.
  static void* allocate(void* meter, void* block, std::size_t old_size, std::size_t new_size);

 private:
  [[nodiscard]] bool past_deadline() const;
  bool may_grow(std::size_t had, std::size_t wanted, bool is_text);

  SandboxLimits limits_;
  lua_State* lua_ = nullptr;
  std::size_t used_bytes_ = 0;
  std::size_t refused_bytes_ = 0;
  std::uint64_t instructions_ = 0;
  std::uint64_t next_look_ = 0;
  std::chrono::steady_clock::time_point deadline_{};
  Trip tripped_ = Trip::none;
  bool running_ = false;
};

}  // namespace memcoord::bindings
