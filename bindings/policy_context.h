#pragma once
// A policy's view of a tick: `ctx` and its parts. docs/policy-api.md is the reference.

#include <cstdint>
#include <vector>

#include "bindings/sandbox.h"
#include "engine/core/policy.h"

struct lua_State;

namespace memcoord::bindings {

/// The current tick, for the objects of a Lua state. The objects hold positions and the tick's
/// serial number instead of pointers; each use checks them.
class PolicyContext {
 public:
  /// Makes ctx in a new state. Pops the table on top of the stack, which becomes ctx.params. Call
  /// it within Sandbox::run().
  static void open(lua_State* lua);

  /// Begins a tick: the objects of this state read this situation from now on.
  void begin(const Situation& situation);
  void end() { situation_ = nullptr; }
  /// Pushes ctx.
  static void push(lua_State* lua);
  /// Pushes ctx.state, which stays from tick to tick; set_state() pops its replacement.
  static void push_state(lua_State* lua);
  static void set_state(lua_State* lua);
  /// The context of a state's sandbox; raises between ticks.
  static PolicyContext& of(lua_State* lua);

  PolicyAnswer take_answer() { return std::move(answer_); }

  // Called by the objects:
  [[nodiscard]] const Situation& situation(lua_State* lua) const;
  [[nodiscard]] std::uint64_t serial() const { return serial_; }
  /// The domains that a policy may move, as positions in the snapshot.
  [[nodiscard]] const std::vector<std::size_t>& active() const { return active_; }
  void propose(lua_State* lua, std::size_t position, MemorySize target, std::string why);
  void log(Note::Severity severity, std::string text);
  /// Asks for the next tick after this time; the least of several calls counts.
  void ask_again(Duration after);
  /// Asks for a report of the domain before the next tick.
  void ask_report(lua_State* lua, std::size_t position);
  /// Whether a step that comes once in `every` is due in this tick: in the first tick that asks,
  /// and from then on in steps of that length. A tick may come a tenth of it early. Each length has
  /// its own steps.
  bool is_due(lua_State* lua, Duration every);

 private:
  const Situation* situation_ = nullptr;
  std::uint64_t serial_ = 0;
  std::vector<std::size_t> active_;
  std::vector<bool> proposed_;  ///< by position
  std::vector<bool> asked_;     ///< for a report, by position
  PolicyAnswer answer_;

  /// The steps of one length.
  struct Steps {
    Duration every{};
    MonotonicTime last{};      ///< when the last step was due
    std::uint64_t serial = 0;  ///< the tick of the last question
    bool due = true;           ///< its answer
  };
  std::vector<Steps> steps_;
};

}  // namespace memcoord::bindings
