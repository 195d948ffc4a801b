#pragma once
// What a policy sees of a tick: `ctx` and all that hangs on it. docs/policy-api.md is its
// reference.

#include <cstdint>
#include <vector>

#include "bindings/sandbox.h"
#include "engine/core/policy.h"

struct lua_State;

namespace memcoord::bindings {

/// One tick on its way through Lua. Lives while the policy runs; Lua objects hold no pointer into
/// it, only slots and the tick's number, which are checked on each use.
class PolicyContext {
 public:
  /// Makes ctx in a new state, with its parameters from the table on top of the stack, which it
  /// pops. To be called within Sandbox::run().
  static void open(lua_State* lua);

  /// The tick that the objects of this state speak of from now on.
  void begin(const Situation& situation);
  void end() { situation_ = nullptr; }
  /// Pushes ctx.
  static void push(lua_State* lua);
  /// Pushes ctx.state, which stays from tick to tick; set_state() replaces it by the top.
  static void push_state(lua_State* lua);
  static void set_state(lua_State* lua);
  /// The context that a state's sandbox was given.
  static PolicyContext& of(lua_State* lua);

  PolicyAnswer take_answer() { return std::move(answer_); }

  // For the objects:
  [[nodiscard]] const Situation& situation(lua_State* lua) const;
  [[nodiscard]] std::uint64_t serial() const { return serial_; }
  /// The domains that a policy may move, as positions in the snapshot.
  [[nodiscard]] const std::vector<std::size_t>& active() const { return active_; }
  void propose(lua_State* lua, std::size_t position, MemorySize target, std::string why);
  void log(Note::Severity severity, std::string text);

 private:
  const Situation* situation_ = nullptr;
  std::uint64_t serial_ = 0;
  std::vector<std::size_t> active_;
  std::vector<bool> proposed_;  ///< by position
  PolicyAnswer answer_;
};

}  // namespace memcoord::bindings
