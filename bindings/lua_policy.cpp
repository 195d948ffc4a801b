#include "bindings/lua_policy.h"

#include <lauxlib.h>
#include <lua.h>

#include <algorithm>
#include <utility>

#include "engine/core/names.h"

namespace memcoord::bindings {
namespace {

const char kTick = 1;  // key of the registry: the policy's tick function

constexpr int kApi = 1;

/// Loading may take longer than a tick: for tables of constants, and on a machine under load.
SandboxLimits for_loading(SandboxLimits limits) {
  limits.time = std::max<std::chrono::microseconds>(limits.time, std::chrono::seconds(1));
  return limits;
}

/// Moves the tick function of the returned table (on top) to the registry: the rest of the table is
/// plain data.
void keep_tick(lua_State* lua) {
  lua_pushliteral(lua, "tick");
  if (lua_rawget(lua, -2) == LUA_TFUNCTION) {
    lua_rawsetp(lua, LUA_REGISTRYINDEX, &kTick);
    lua_pushliteral(lua, "tick");
    lua_pushboolean(lua, 1);
    lua_rawset(lua, -3);
  } else {
    lua_pop(lua, 1);
  }
}

Error with_path(Error error, const std::string& path) {
  if (error.object.empty()) error.object = path;
  return error;
}

}  // namespace

LuaPolicy::LuaPolicy(std::string source, SandboxLimits limits)
    : source_(std::move(source)), limits_(limits) {}

Result<std::unique_ptr<LuaPolicy>> LuaPolicy::load(const std::filesystem::path& path,
                                                   const Settings& settings, SandboxLimits limits,
                                                   NumberAsSize number) {
  auto source = read_script(path.string(), "policy");
  if (!source) return fail(source.error());
  return load_text(std::move(*source), path.string(), settings, limits, number);
}

Result<std::unique_ptr<LuaPolicy>> LuaPolicy::load_text(std::string source, const std::string& path,
                                                        const Settings& settings,
                                                        SandboxLimits limits, NumberAsSize number) {
  if (!source.empty() && source.front() == '\x1b') {
    return fail(ErrorCode::invalid_input, path, "precompiled Lua is not accepted",
                "give the source text");
  }
  std::unique_ptr<LuaPolicy> policy(new LuaPolicy(std::move(source), limits));  // NOLINT: private
  policy->info_.path = path;
  policy->info_.name = std::filesystem::path(path).stem().string();
  policy->settings_ = settings;
  policy->number_ = number;
  if (auto opened = policy->open(); !opened) return fail(opened.error());
  return policy;
}

Status LuaPolicy::open() {
  std::unique_ptr<Sandbox> before =
      std::exchange(sandbox_, std::make_unique<Sandbox>(for_loading(limits_)));
  if (auto evaluated = evaluate(); !evaluated) {
    sandbox_ = std::move(before);
    return evaluated;
  }
  sandbox_->meter().set_limits(limits_);
  return {};
}

/// Called within a tick: loading and deciding share the tick's time.
Status LuaPolicy::start_anew(Meter::Time deadline) {
  sandbox_.reset();  // first: two states at once would take twice the memory
  sandbox_ = std::make_unique<Sandbox>(limits_);
  if (auto evaluated = evaluate(deadline); !evaluated) return evaluated;
  dropped_ = false;
  return {};
}

Status LuaPolicy::evaluate(std::optional<Meter::Time> deadline) {
  Value returned;
  const auto load = [&](lua_State* lua) {
    Sandbox::load_chunk(lua, source_, info_.path);
    lua_call(lua, 0, 1);
    if (lua_type(lua, -1) == LUA_TTABLE) {
      keep_tick(lua);
      returned = read_value(lua, -1, NotPlain::raise);
    } else if (!lua_isnil(lua, -1)) {
      returned = {std::string(luaL_typename(lua, -1))};
    }
  };
  const Status ran = sandbox_->run(load, deadline);
  if (!ran) return fail(with_path(ran.error(), info_.path));
  if (auto read = read_returned(returned); !read) return read;
  const Value* declared = returned.field("params");
  auto parameters =
      read_parameters(declared ? *declared : Value(), {info_.path, source_}, settings_, number_);
  if (!parameters) return fail(parameters.error());
  info_.parameters = parameters->infos;
  parameters_ = std::move(*parameters);
  const auto open_context = [&](lua_State* lua) {
    push_value(lua, parameters_.values);
    sandbox_->set_context(&context_);
    PolicyContext::open(lua);
  };
  const Status opened = sandbox_->run(open_context, deadline);
  if (!opened) return fail(with_path(opened.error(), info_.path));
  return {};
}

Status LuaPolicy::read_returned(const Value& returned) {
  const auto wrong = [&](std::string message, std::string hint) {
    return fail(ErrorCode::invalid_input, info_.path, std::move(message), std::move(hint));
  };
  const auto* table = returned.as<Value::Table>();
  if (!table) {
    const auto* type = returned.as<std::string>();
    return wrong(
        std::string("returns ") + (type ? "a " + *type : "nothing") + " where a table is expected",
        "a policy ends with `return { api = 1, summary = ..., tick = ... }`");
  }
  static const std::vector<std::string> kKnown{"api", "params", "summary", "tick"};
  for (const auto& [key, value] : table->fields) {
    if (std::find(kKnown.begin(), kKnown.end(), key) != kKnown.end()) continue;
    const auto near = suggest_name(key, kKnown);
    return wrong(
        "unknown key '" + printable(key, 40) + "'",
        near ? "did you mean '" + *near + "'?" : "a policy has api, summary, params and tick");
  }
  const Value* api = returned.field("api");
  if (!api) return wrong("does not name its policy API", "add `api = 1`");
  const auto* version = api->as<std::int64_t>();
  if (!version || *version != kApi) {
    const std::string given = version ? std::to_string(*version) : std::string(api->kind());
    return wrong("is written for policy API " + given, "this memcoord knows version 1");
  }
  const Value* tick = returned.field("tick");
  if (!tick || !tick->as<bool>() || !*tick->as<bool>()) {
    return wrong("has no tick function", "add `tick = function(ctx) ... end`");
  }
  const Value* summary = returned.field("summary");
  if (!summary || !summary->as<std::string>() || summary->as<std::string>()->empty()) {
    return wrong("has no summary", "add `summary = \"what it does, in one line\"`");
  }
  info_.summary = printable(*summary->as<std::string>(), kScriptText);
  return {};
}

Result<PolicyAnswer> LuaPolicy::decide(const Situation& situation) {
  const Meter::Time deadline = std::chrono::steady_clock::now() + limits_.time;
  if (dropped_) {
    if (Status anew = start_anew(deadline); !anew) return fail(anew.error());
  }
  context_.begin(situation);
  const auto tick = [](lua_State* lua) {
    lua_rawgetp(lua, LUA_REGISTRYINDEX, &kTick);
    PolicyContext::push(lua);
    lua_call(lua, 1, 0);
  };
  const Status ran = sandbox_->run(tick, deadline);
  context_.end();
  PolicyAnswer answer = context_.take_answer();
  if (ran) return answer;
  Error error = with_path(ran.error(), info_.path);
  if (sandbox_->meter().tripped() == Meter::Trip::memory) recover(error, deadline);
  return fail(std::move(error));
}

Result<Value> LuaPolicy::plain_state() {
  Value state{Value::Table()};
  if (dropped_) return state;
  const Status read = sandbox_->run([&](lua_State* lua) {
    PolicyContext::push_state(lua);
    state = read_value(lua, -1, NotPlain::leave_out, "ctx.state");
  });
  if (!read) return fail(read.error());
  return state;
}

Status LuaPolicy::adopt_state(LuaPolicy& old) {
  auto state = old.plain_state();
  if (!state) return fail(state.error());
  return sandbox_->run([&](lua_State* lua) {
    push_value(lua, *state);
    PolicyContext::set_state(lua);
  });
}

Result<std::string> LuaPolicy::state_text() {
  const auto state = plain_state();
  if (!state) return fail(state.error());
  return lua_text(*state);
}

Status LuaPolicy::adopt_state_text(const std::string& text) {
  return sandbox_->run([&](lua_State* lua) {
    Sandbox::load_chunk(lua, text, "state");
    lua_call(lua, 0, 1);
    if (lua_type(lua, -1) != LUA_TTABLE) raise(lua, "the state is not a table");
    PolicyContext::set_state(lua);
  });
}

/// After a policy has exceeded the memory limit: collects garbage. If the policy itself keeps too
/// much, or if the collection takes longer than a tick and a little more, the policy starts anew.
void LuaPolicy::recover(Error& error, Meter::Time deadline) {
  constexpr std::chrono::milliseconds kLittleMore{20};
  const bool collected =
      sandbox_->collect_until(std::max(deadline, std::chrono::steady_clock::now() + kLittleMore));
  if (collected && sandbox_->meter().used_bytes() < limits_.memory_bytes / 2) return;
  dropped_ = true;
  error.hint = "its data between ticks grew too large and was dropped";
}

}  // namespace memcoord::bindings
