#pragma once
// A Lua state whose scripts cannot reach the system, run without end or exhaust memory, and the
// meter that limits them. docs/decisions/0004-sandbox.md lists the attack that each part prevents.

#include <pthread.h>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "engine/core/error.h"
#include "engine/core/printable.h"

struct lua_State;

namespace memcoord::bindings {

/// A script's limits.
struct SandboxLimits {
  std::chrono::microseconds time = std::chrono::milliseconds(100);  ///< in one call
  std::uint64_t instructions = 20'000'000;                          ///< in one call
  std::size_t memory_bytes = std::size_t{64} << 20U;                ///< at any moment
};

/// The longest string that a script may make: one instruction can walk over a whole string, which
/// the instruction count does not reflect.
inline constexpr std::size_t kLongestText = std::size_t{1} << 20U;
/// The largest block for one table (262144 slots of a list, 131072 named fields) or the stack: Lua
/// copies, rehashes and walks through each without a pause.
inline constexpr std::size_t kLargestBlock = std::size_t{4} << 20U;

/// Counts what one Lua state uses. Passing a limit trips the meter until the call ends, whatever
/// the script catches: every further instruction raises the same error, so that it has a file and a
/// line.
///
/// A signal tells the script's thread that its time is over, at most one instruction late. The
/// instruction hook and charge() read the clock as well.
class Meter {
 public:
  using Time = std::chrono::steady_clock::time_point;
  enum class Trip : int { none, time, instructions, memory, text, block, interrupted };

  explicit Meter(SandboxLimits limits) : limits_(limits) {}
  /// The state whose instructions are counted between start() and stop().
  void watch(lua_State* lua) { lua_ = lua; }
  void set_limits(SandboxLimits limits) { limits_ = limits; }
  /// Begins a call: time and instructions count from here. A call within another meter's call ends
  /// by that one's deadline, too.
  void start(std::optional<Time> no_later_than);
  /// Ends the call, and reads the clock once more.
  void stop();

  /// Counts work outside Lua's own instructions; false once a limit is passed.
  bool charge(std::uint64_t instructions);
  /// Reads the clock; false once a limit is passed.
  bool read_clock();
  void trip(Trip limit);
  /// As trip(), from a signal handler in the script's thread. Ignores a time signal that comes
  /// before the deadline.
  void cut_short(Trip limit);
  /// Collects garbage for may_grow(), in steps, under the call's limits; trips if that does not
  /// free enough.
  void make_room();

  [[nodiscard]] Trip tripped() const { return tripped_; }
  [[nodiscard]] bool wants_room() const { return wants_room_; }
  [[nodiscard]] Time deadline() const { return deadline_; }
  /// "exceeded its time limit of 100 ms".
  [[nodiscard]] std::string message() const;
  [[nodiscard]] const SandboxLimits& limits() const { return limits_; }
  [[nodiscard]] std::size_t used_bytes() const { return used_bytes_; }

  /// lua_Alloc; `meter` is the Meter. It lends up to half of the memory limit on top of it until
  /// the next instruction, which collects garbage or ends the call. A refusal would make Lua
  /// collect all garbage at once, without reading the clock.
  static void* allocate(void* meter, void* block, std::size_t old_size, std::size_t new_size);

 private:
  bool may_grow(std::size_t had, std::size_t wanted, bool is_text);

  SandboxLimits limits_;
  lua_State* lua_ = nullptr;
  std::size_t used_bytes_ = 0;
  std::uint64_t instructions_ = 0;
  std::uint64_t next_clock_read_ = 0;
  Time deadline_{};
  Meter* outer_ = nullptr;  ///< the meter of the call around this one
  bool wants_room_ = false;
  // The signal handler writes these, too, in the same thread.
  std::atomic<Trip> tripped_ = Trip::none;
  std::atomic<bool> running_ = false;
};

/// The maximum number of bytes that memcoord shows of a script's text.
inline constexpr std::size_t kScriptText = 200;

class PolicyContext;

/// Owns a lua_State with the safe library. One thread at a time.
class Sandbox {
 public:
  explicit Sandbox(SandboxLimits limits);
  ~Sandbox();
  Sandbox(const Sandbox&) = delete;
  Sandbox& operator=(const Sandbox&) = delete;

  [[nodiscard]] lua_State* state() const { return state_.get(); }
  [[nodiscard]] Meter& meter() const { return *meter_; }
  static Sandbox& of(lua_State* lua);
  static Meter& meter_of(lua_State* lua) { return of(lua).meter(); }

  /// The current tick, for the functions that a script calls; not owned, null between ticks.
  void set_context(PolicyContext* context) { context_ = context; }
  [[nodiscard]] PolicyContext* context() const { return context_; }

  /// Runs `body` in protected mode under fresh limits; `no_later_than` shortens the time limit.
  /// Errors: policy_failed, or limit_exceeded if a limit is passed; object "file:line", the
  /// traceback in the detail. Restores the stack.
  Status run(const std::function<void(lua_State*)>& body,
             std::optional<Meter::Time> no_later_than = std::nullopt);
  /// Collects all garbage, between calls; returns false if that ends after `deadline`.
  bool collect_until(Meter::Time deadline);
  /// Loads a text chunk with the safe globals, and leaves it on the stack. Call it within run();
  /// raises on a syntax error and on bytecode.
  static void load_chunk(lua_State* lua, const std::string& source, const std::string& chunk_name);
  /// Pops the value on top of the stack and makes it a global of the scripts.
  static void set_global(lua_State* lua, const char* name);

 private:
  struct Close {
    void operator()(lua_State* lua) const noexcept;
  };
  std::unique_ptr<Meter> meter_;
  std::unique_ptr<lua_State, Close> state_;
  PolicyContext* context_ = nullptr;
};

/// Raises a Lua error with file and line of the innermost Lua code; never returns.
[[noreturn]] void raise(lua_State* lua, const std::string& message);

/// Counts work that Lua's own instruction count does not include; raises once a limit is passed.
/// Call it before the work.
void charge(lua_State* lua, std::uint64_t instructions);

/// For loops whose work has been charged: reads the clock now and then, and raises once a limit is
/// passed.
class Pace {
 public:
  explicit Pace(lua_State* lua) : lua_(lua) {}
  void step(std::uint64_t work = 1) {
    done_ += work;
    if (done_ >= kPiece) read_clock();
  }

 private:
  static constexpr std::uint64_t kPiece = 500;
  void read_clock();
  lua_State* lua_;
  std::uint64_t done_ = 0;
};

/// The charge for reading this many bytes.
constexpr std::uint64_t work_of_bytes(std::size_t bytes) {
  return bytes / 64;
}

/// Reads a whole script; messages call it `kind` ("policy"). Errors: not_found, permission_denied,
/// invalid_input (a folder, an empty file, bytecode, more than 256 KiB).
Result<std::string> read_script(const std::string& path, const std::string& kind);

namespace script_alarm {

/// Ends the script that runs in another thread of this process, if any, by
/// Meter::Trip::interrupted. The thread must exist.
void interrupt(pthread_t thread);
/// Call it in a thread that runs no script for a while. Its timer, which stays set after a script
/// (it costs a system call), would wake the thread once.
void rest();

}  // namespace script_alarm
}  // namespace memcoord::bindings
