#pragma once
// A Lua state that no script can get out of, hang or fill up. docs/decisions/0004-sandbox.md says
// which attack each part answers.

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "bindings/meter.h"
#include "engine/core/error.h"
#include "engine/core/printable.h"

struct lua_State;

namespace memcoord::bindings {

/// Texts of scripts are shown up to so many bytes.
inline constexpr std::size_t kScriptText = 200;

class PolicyContext;

/// Owns a lua_State with the safe library in it. Not thread-safe; one thread at a time.
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

  /// What the functions of a tick find their tick by; not owned, null where there is none.
  void set_context(PolicyContext* context) { context_ = context; }
  [[nodiscard]] PolicyContext* context() const { return context_; }

  /// Runs `body` in protected mode under fresh limits. Whatever it raises becomes an Error:
  /// policy_failed, or limit_exceeded where a limit was passed; object "file:line", the traceback
  /// in the detail. The stack is as before afterwards. `no_later_than` shortens the time limit.
  Status run(const std::function<void(lua_State*)>& body,
             std::optional<Meter::Time> no_later_than = std::nullopt);
  /// Collects all garbage, between calls; false where that takes longer than until `deadline`.
  bool collect_until(Meter::Time deadline);
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
  PolicyContext* context_ = nullptr;
};

/// Raises a Lua error with the place of the innermost Lua code that runs; never returns.
[[noreturn]] void raise(lua_State* lua, const std::string& message);

/// Counts work that Lua's own instruction count does not see; raises once a limit is passed. To be
/// called before the work is done.
void charge(lua_State* lua, std::uint64_t instructions);

/// For loops whose work has been charged: looks at the limits now and then, and raises.
class Pace {
 public:
  explicit Pace(lua_State* lua) : lua_(lua) {}
  void step(std::uint64_t work = 1) {
    done_ += work;
    if (done_ >= kPiece) look();
  }

 private:
  static constexpr std::uint64_t kPiece = 500;
  void look();
  lua_State* lua_;
  std::uint64_t done_ = 0;
};

/// What a look at so many bytes counts as.
constexpr std::uint64_t work_of_bytes(std::size_t bytes) {
  return bytes / 64;
}

/// Reads a whole script. Errors: not_found, permission_denied, invalid_input (a folder, an empty
/// file, bytecode, more than 256 KiB); `kind` names what is looked for ("policy").
Result<std::string> read_script(const std::string& path, const std::string& kind);

}  // namespace memcoord::bindings
