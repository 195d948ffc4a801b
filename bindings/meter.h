#pragma once
// What a script may use, and what it has used.

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

struct lua_State;

namespace memcoord::bindings {

/// Time and instructions in one call, memory at any moment.
struct SandboxLimits {
  std::chrono::microseconds time = std::chrono::milliseconds(100);
  std::uint64_t instructions = 20'000'000;
  std::size_t memory_bytes = std::size_t{64} << 20U;
};

/// The longest text that a script may make: what one instruction does with a text takes time that
/// no instruction count sees.
inline constexpr std::size_t kLongestText = std::size_t{1} << 20U;
/// The largest block for one table (262144 slots of a list, 131072 named fields) or the stack: Lua
/// copies, rehashes and walks through each without a pause.
inline constexpr std::size_t kLargestBlock = std::size_t{4} << 20U;

/// Counts one Lua state's use. A limit that is passed trips it, and it stays tripped until the call
/// ends, whatever the script catches: every further instruction ends in the same error, which so
/// has a file and a line.
///
/// The script's thread notices the end of its time by a signal (ScriptAlarm), so that no more than
/// one instruction passes until then; the instruction hook and charge() look at the clock as well.
class Meter {
 public:
  using Time = std::chrono::steady_clock::time_point;
  enum class Trip : int { none, time, instructions, memory, text, block, interrupted };

  explicit Meter(SandboxLimits limits) : limits_(limits) {}
  /// The state whose instructions are counted between start() and stop().
  void watch(lua_State* lua) { lua_ = lua; }
  void set_limits(SandboxLimits limits) { limits_ = limits; }
  /// A new call begins: time and instructions count from here. Where the thread is in a call of
  /// another meter's, that one's time is not overrun either.
  void start(std::optional<Time> no_later_than);
  /// The call is over. Takes a last look at the clock.
  void stop();

  /// Takes note of work done outside Lua's own instructions; false once a limit is passed.
  bool charge(std::uint64_t instructions);
  /// Looks at the clock; false once a limit is passed.
  bool look();
  void trip(Trip limit);
  /// The same from a signal handler in the script's thread; time that is not over yet is ignored.
  void cut_short(Trip limit);
  /// Collects the garbage that may_grow() asked for, in steps, under the call's limits; trips where
  /// that makes no room.
  void make_room();

  [[nodiscard]] Trip tripped() const { return tripped_; }
  [[nodiscard]] bool wants_room() const { return wants_room_; }
  [[nodiscard]] Time deadline() const { return deadline_; }
  /// "ran past its time limit of 100 ms".
  [[nodiscard]] std::string message() const;
  [[nodiscard]] const SandboxLimits& limits() const { return limits_; }
  [[nodiscard]] std::size_t used_bytes() const { return used_bytes_; }

  /// lua_Alloc; `meter` is the Meter. Past the memory limit up to half of it is lent until the next
  /// instruction, which collects garbage or ends the call: an allocator that refuses makes Lua
  /// collect all garbage at once, without a look at the clock.
  static void* allocate(void* meter, void* block, std::size_t old_size, std::size_t new_size);

 private:
  bool may_grow(std::size_t had, std::size_t wanted, bool is_text);

  SandboxLimits limits_;
  lua_State* lua_ = nullptr;
  std::size_t used_bytes_ = 0;
  std::uint64_t instructions_ = 0;
  std::uint64_t next_look_ = 0;
  Time deadline_{};
  Meter* outer_ = nullptr;  ///< of the call that this one is within
  bool wants_room_ = false;
  // Also written by the signal handler, in the same thread.
  std::atomic<Trip> tripped_ = Trip::none;
  std::atomic<bool> running_ = false;
};

}  // namespace memcoord::bindings
