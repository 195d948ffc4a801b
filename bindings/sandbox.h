#pragma once
// A Lua state that no script can get out of, hang or fill up. docs/decisions/0004-sandbox.md says
// which attack each part answers.

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "engine/core/error.h"

struct lua_State;

namespace memcoord::bindings {

/// What a script may use: time and instructions in one call, memory at any moment.
struct SandboxLimits {
  std::chrono::microseconds time = std::chrono::milliseconds(100);
  std::uint64_t instructions = 20'000'000;
  std::size_t memory_bytes = std::size_t{64} << 20U;
};

/// What a script has used, and the limit that it has run into. One belongs to each Sandbox.
class Meter {
 public:
  enum class Trip { none, time, instructions, memory };

  explicit Meter(SandboxLimits limits) : limits_(limits) {}
  void set_limits(SandboxLimits limits) { limits_ = limits; }
  /// A new call begins: time and instructions count from here.
  void start();
  void stop() { running_ = false; }

  /// Takes note of work done outside Lua's own instructions; false once a limit is passed.
  bool charge(std::uint64_t instructions);
  /// Once tripped, a call stays tripped, whatever the script catches.
  void trip(Trip limit);
  [[nodiscard]] Trip tripped() const { return tripped_; }
  /// "its time limit of 100 ms".
  [[nodiscard]] std::string limit_text() const;
  [[nodiscard]] const SandboxLimits& limits() const { return limits_; }
  [[nodiscard]] std::size_t used_bytes() const { return used_bytes_; }

  /// lua_Alloc; `meter` is the Meter.
  static void* allocate(void* meter, void* block, std::size_t old_size, std::size_t new_size);

 private:
  [[nodiscard]] bool past_deadline() const;

  SandboxLimits limits_;
  std::size_t used_bytes_ = 0;
  std::uint64_t instructions_ = 0;
  std::chrono::steady_clock::time_point deadline_{};
  Trip tripped_ = Trip::none;
  bool running_ = false;
};

/// Owns a lua_State with the safe library in it. Not thread-safe; one thread at a time.
class Sandbox {
 public:
  explicit Sandbox(SandboxLimits limits);
  ~Sandbox();
  Sandbox(const Sandbox&) = delete;
  Sandbox& operator=(const Sandbox&) = delete;

  [[nodiscard]] lua_State* state() const { return state_.get(); }
  [[nodiscard]] Meter& meter() const { return *meter_; }
  static Meter& meter_of(lua_State* lua);

  /// Runs `body` in protected mode under fresh limits. Whatever it raises becomes an Error:
  /// policy_failed, or limit_exceeded where a limit was passed; object "file:line", the traceback
  /// in the detail. The stack is as before afterwards.
  Status run(const std::function<void(lua_State*)>& body);
  /// Loads a text chunk whose globals are the safe ones, and leaves it on the stack. To be called
  /// within run(); raises on a syntax error. Bytecode is refused.
  static void load_chunk(lua_State* lua, const std::string& source, const std::string& chunk_name);
  /// Makes `name` a global of the scripts, from the value on top of the stack, which it pops.
  static void set_global(lua_State* lua, const char* name);

 private:
  struct Close {
    void operator()(lua_State* lua) const noexcept;
  };
  std::unique_ptr<Meter> meter_;
  std::unique_ptr<lua_State, Close> state_;
};

/// Raises a Lua error with the place of the Lua code that called; never returns.
[[noreturn]] void raise(lua_State* lua, const std::string& message);

/// For looking at and for logs: control characters and broken UTF-8 made visible, at most `most`
/// bytes (cut with "...").
std::string printable(std::string_view text, std::size_t most = 200);

/// Reads a whole script. Errors: not_found, permission_denied, invalid_input (a folder, an empty
/// file, bytecode, more than 1 MiB); `kind` names what is looked for ("policy").
Result<std::string> read_script(const std::string& path, const std::string& kind);

}  // namespace memcoord::bindings
