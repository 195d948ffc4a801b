#include "bindings/policy_context.h"

#include <lauxlib.h>
#include <lua.h>

#include <algorithm>
#include <string>
#include <utility>

#include "bindings/domain_object.h"
#include "bindings/script_tables.h"
#include "engine/core/time.h"

namespace memcoord::bindings {
namespace {

// Keys of the registry.
const char kCtx = 1;
const char kFields = 2;  // the table behind ctx

constexpr std::size_t kMaxLogLines = 20;
constexpr std::size_t kMaxStepLengths = 20;

const Situation& situation_of(lua_State* lua) {
  return PolicyContext::of(lua).situation(lua);
}

// --- ctx.host and ctx.limits: tables that are made when a tick first reads them ---

void push_record(lua_State* lua, std::span<const SituationField> listed, const char* what) {
  const Situation& situation = situation_of(lua);
  lua_newtable(lua);
  for (const SituationField& field : listed) {
    push_text(lua, field.name);
    field.push(lua, situation);
    lua_rawset(lua, -3);
  }
  make_read_only(lua, what);
}

void push_host(lua_State* lua) {
  const Snapshot& snapshot = situation_of(lua).snapshot;
  charge(lua, snapshot.domains.size() + snapshot.host.cells.size());
  push_record(lua, host_fields(), "ctx.host");
}

// --- ctx.log ---

int log_at(lua_State* lua, Note::Severity severity) {
  // Accepts ctx.log.info(text) and ctx.log:info(text).
  const int at = lua_type(lua, 1) == LUA_TTABLE && lua_gettop(lua) > 1 ? 2 : 1;
  std::size_t length = 0;
  if (lua_type(lua, at) != LUA_TSTRING && lua_type(lua, at) != LUA_TNUMBER) {
    raise(lua, std::string("expected a string, not a ") + luaL_typename(lua, at));
  }
  const char* text = lua_tolstring(lua, at, &length);
  PolicyContext::of(lua).log(severity, printable({text, length}, kScriptText));
  return 0;
}

int log_info(lua_State* lua) {
  return log_at(lua, Note::Severity::info);
}
int log_warn(lua_State* lua) {
  return log_at(lua, Note::Severity::warning);
}

// --- ctx.again, ctx.every ---

/// The argument of ctx.NAME(seconds) or ctx:NAME(seconds). `meaning` says what the time is.
Duration check_seconds(lua_State* lua, const std::string& example, const char* meaning) {
  const int at = lua_type(lua, 1) == LUA_TTABLE ? 2 : 1;
  if (lua_type(lua, at) != LUA_TNUMBER) {
    raise(lua,
          std::string("expected seconds, not ") +
              (lua_isnoneornil(lua, at) ? "nothing" : "a " + std::string(luaL_typename(lua, at))) +
              "; write " + example);
  }
  const lua_Number seconds = lua_tonumber(lua, at);
  if (!(seconds > 0)) raise(lua, meaning);
  // A microsecond at least, so that a time over 0 stays one.
  const double counted = std::clamp(seconds, 1e-6, 1e9);
  return std::chrono::duration_cast<Duration>(std::chrono::duration<double>(counted));
}

int again(lua_State* lua) {
  PolicyContext::of(lua).ask_again(
      check_seconds(lua, "ctx.again(0.5)",
                    "the next tick comes after a time over 0; --min-interval is the least, so "
                    "ctx.again(0.1) asks for it as soon as possible"));
  return 0;
}

int every(lua_State* lua) {
  const Duration length = check_seconds(lua, "ctx.every(1)",
                                        "a step comes once in a time over 0, such as ctx.every(1)");
  lua_pushboolean(lua, PolicyContext::of(lua).is_due(lua, length) ? 1 : 0);
  return 1;
}

void push_log(lua_State* lua) {
  lua_newtable(lua);
  lua_pushcfunction(lua, log_info);
  lua_setfield(lua, -2, "info");
  lua_pushcfunction(lua, log_warn);
  lua_setfield(lua, -2, "warn");
  make_read_only(lua, "ctx.log");
}

// --- ctx ---

/// Upvalue 1: the table behind ctx. Its host, limits and skipped are made when a tick first reads
/// them.
int index_ctx(lua_State* lua) {
  lua_pushvalue(lua, 2);
  if (lua_rawget(lua, lua_upvalueindex(1)) == LUA_TBOOLEAN) {
    const std::string_view name = lua_tostring(lua, 2);
    if (name == "host") {
      push_host(lua);
    } else if (name == "limits") {
      push_record(lua, limit_fields(), "ctx.limits");
    } else {
      push_skipped_domains(lua);
    }
    lua_pushvalue(lua, 2);
    lua_pushvalue(lua, -2);
    lua_rawset(lua, lua_upvalueindex(1));
    return 1;
  }
  if (lua_isnil(lua, -1)) {
    raise_unknown_name(lua, lua_upvalueindex(1), "ctx",
                       lua_type(lua, 2) == LUA_TSTRING ? lua_tostring(lua, 2) : "?");
  }
  return 1;
}

int refuse_ctx_write(lua_State* lua) {
  raise(lua, "ctx cannot be changed; keep data for later ticks in ctx.state");
}

}  // namespace

void PolicyContext::open(lua_State* lua) {
  make_read_only(lua, "ctx.params");
  const int params = lua_gettop(lua);
  open_domain_objects(lua);
  open_skipped_domains(lua);
  lua_newtable(lua);  // the table behind ctx
  lua_pushvalue(lua, params);
  lua_setfield(lua, -2, "params");
  lua_newtable(lua);
  lua_setfield(lua, -2, "state");
  push_domains(lua);
  lua_setfield(lua, -2, "domains");
  push_log(lua);
  lua_setfield(lua, -2, "log");
  lua_pushcfunction(lua, again);
  lua_setfield(lua, -2, "again");
  lua_pushcfunction(lua, every);
  lua_setfield(lua, -2, "every");
  lua_pushvalue(lua, -1);
  lua_rawsetp(lua, LUA_REGISTRYINDEX, &kFields);

  lua_newtable(lua);  // ctx
  lua_newtable(lua);
  lua_pushvalue(lua, -3);
  lua_pushcclosure(lua, index_ctx, 1);
  lua_setfield(lua, -2, "__index");
  lua_pushcfunction(lua, refuse_ctx_write);
  lua_setfield(lua, -2, "__newindex");
  lua_pushliteral(lua, "protected");
  lua_setfield(lua, -2, "__metatable");
  lua_setmetatable(lua, -2);
  lua_rawsetp(lua, LUA_REGISTRYINDEX, &kCtx);
  lua_pop(lua, 2);
}

PolicyContext& PolicyContext::of(lua_State* lua) {
  PolicyContext* context = Sandbox::of(lua).context();
  if (!context) raise(lua, "this works only within a tick");
  return *context;
}

const Situation& PolicyContext::situation(lua_State* lua) const {
  if (!situation_) raise(lua, "this works only within a tick");
  return *situation_;
}

void PolicyContext::begin(const Situation& situation) {
  situation_ = &situation;
  ++serial_;
  answer_ = {};
  proposed_.assign(situation.domains.size(), false);
  asked_.assign(situation.domains.size(), false);
  active_.clear();
  for (std::size_t i = 0; i < situation.domains.size(); ++i) {
    if (!situation.domains[i].skipped) active_.push_back(i);
  }
}

void PolicyContext::push(lua_State* lua) {
  const Situation& situation = situation_of(lua);
  begin_domain_objects(lua);
  lua_rawgetp(lua, LUA_REGISTRYINDEX, &kFields);
  for (const char* on_demand : {"host", "limits", "skipped"}) {
    lua_pushboolean(lua, 0);
    lua_setfield(lua, -2, on_demand);
  }
  lua_pushinteger(lua, static_cast<lua_Integer>(situation.tick));
  lua_setfield(lua, -2, "tick");
  lua_pushnumber(lua, seconds_of(situation.since_last));
  lua_setfield(lua, -2, "seconds");
  const auto time = std::chrono::floor<std::chrono::seconds>(situation.snapshot.wall_time);
  lua_pushinteger(lua, static_cast<lua_Integer>(time.time_since_epoch().count()));
  lua_setfield(lua, -2, "time");
  lua_pop(lua, 1);
  lua_rawgetp(lua, LUA_REGISTRYINDEX, &kCtx);
}

void PolicyContext::push_state(lua_State* lua) {
  lua_rawgetp(lua, LUA_REGISTRYINDEX, &kFields);
  lua_getfield(lua, -1, "state");
  lua_remove(lua, -2);
}

void PolicyContext::set_state(lua_State* lua) {
  lua_rawgetp(lua, LUA_REGISTRYINDEX, &kFields);
  lua_insert(lua, -2);
  lua_setfield(lua, -2, "state");
  lua_pop(lua, 1);
}

void PolicyContext::propose(lua_State* lua, std::size_t position, MemorySize target,
                            std::string why) {
  const Domain& domain = situation(lua).snapshot.domains[position];
  if (proposed_[position]) raise(lua, domain.name() + " is set twice in one tick");
  proposed_[position] = true;
  answer_.proposals.push_back({domain.uuid(), target, std::move(why)});
}

void PolicyContext::ask_again(Duration after) {
  answer_.again = std::min(after, answer_.again.value_or(after));
}

void PolicyContext::ask_report(lua_State* lua, std::size_t position) {
  const Uuid& uuid = situation(lua).snapshot.domains[position].uuid();
  if (asked_[position]) return;
  asked_[position] = true;
  answer_.refresh.push_back(uuid);
}

bool PolicyContext::is_due(lua_State* lua, Duration every) {
  const MonotonicTime now = situation(lua).snapshot.taken_at;
  const auto known = std::find_if(steps_.begin(), steps_.end(),
                                  [&](const Steps& steps) { return steps.every == every; });
  if (known == steps_.end()) {
    if (steps_.size() == kMaxStepLengths) {
      raise(lua, "ctx.every() knows " + std::to_string(kMaxStepLengths) + " different times");
    }
    steps_.push_back({every, now, serial_});
    return true;
  }
  if (known->serial == serial_) return known->due;
  known->serial = serial_;
  const Duration passed = now - known->last;
  known->due = passed > every - every / 10;
  // A step keeps its place, so that the next one is due when it would be at ticks of this length.
  if (known->due) known->last += every * std::max<Duration::rep>(1, passed / every);
  return known->due;
}

void PolicyContext::log(Note::Severity severity, std::string text) {
  if (answer_.log.size() > kMaxLogLines) return;
  if (answer_.log.size() == kMaxLogLines) text = "(more log lines in this tick are left out)";
  answer_.log.push_back({severity, std::move(text)});
}

}  // namespace memcoord::bindings
