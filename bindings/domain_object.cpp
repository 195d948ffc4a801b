#include "bindings/domain_object.h"

#include <lauxlib.h>
#include <lua.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <string>
#include <string_view>

#include "bindings/policy_context.h"
#include "bindings/sandbox.h"
#include "bindings/script_tables.h"

namespace memcoord::bindings {
namespace {

const char kDomainMetatable = 1;  // keys of the registry
const char kObjects = 2;

// --- history ---

struct Past {
  const DomainSamples& samples;
  Field column;
  bool whole;
};

Past check_past(lua_State* lua) {
  const Subject d = check_domain(lua, 1);
  const DomainField& field = check_field(lua, 2);
  if (!field.past) {
    std::string kept;
    for (const DomainField& one : domain_fields()) {
      if (one.past) kept.append(kept.empty() ? "" : ", ").append(one.name);
    }
    raise(lua, "the history does not keep '" + std::string(field.name) + "'; it keeps " + kept);
  }
  const Field column = field.past(d);
  return {d.view.samples, column, column <= Field::rss || column == Field::larger};
}

Duration check_window(lua_State* lua, int index) {
  const lua_Number seconds = luaL_checknumber(lua, index);
  if (!(seconds >= 0)) raise(lua, "expected a window in seconds, 0 or more");
  return std::chrono::duration_cast<Duration>(
      std::chrono::duration<double>(std::min(seconds, 1e9)));
}

/// Pushes a statistic of the history; 0 if the window has no samples. First charges `walks` walks
/// over the samples.
template <class Statistic>
int push_past(lua_State* lua, const Past& past, std::uint64_t walks, Statistic statistic) {
  charge(lua, walks * past.samples.count());
  const std::optional<double> value = statistic(past.samples);
  const double number = value.value_or(0);
  push_figure(lua, {past.whole ? std::round(number) : number, past.whole});
  return 1;
}

int average(lua_State* lua) {
  const Past past = check_past(lua);
  const Duration window = check_window(lua, 3);
  return push_past(lua, past, 1,
                   [&](const DomainSamples& s) { return s.average(past.column, window); });
}

int maximum(lua_State* lua) {
  const Past past = check_past(lua);
  const Duration window = check_window(lua, 3);
  return push_past(lua, past, 1,
                   [&](const DomainSamples& s) { return s.maximum(past.column, window); });
}

int minimum(lua_State* lua) {
  const Past past = check_past(lua);
  const Duration window = check_window(lua, 3);
  return push_past(lua, past, 1,
                   [&](const DomainSamples& s) { return s.minimum(past.column, window); });
}

int quantile(lua_State* lua) {
  const Past past = check_past(lua);
  const lua_Number q = luaL_checknumber(lua, 3);
  if (!(q >= 0 && q <= 1)) raise(lua, "a quantile is a number from 0 to 1");
  const Duration window = check_window(lua, 4);
  return push_past(lua, past, 4,
                   [&](const DomainSamples& s) { return s.quantile(past.column, q, window); });
}

int slope(lua_State* lua) {
  Past past = check_past(lua);
  past.whole = false;
  const Duration window = check_window(lua, 3);
  return push_past(lua, past, 1,
                   [&](const DomainSamples& s) { return s.slope(past.column, window); });
}

// --- proposing ---

std::string shown(lua_State* lua, int index) {
  std::size_t length = 0;
  if (lua_type(lua, index) == LUA_TSTRING) {
    const char* text = lua_tolstring(lua, index, &length);
    return "'" + printable({text, length}, 40) + "'";
  }
  if (lua_type(lua, index) == LUA_TNUMBER) {
    std::array<char, 40> text{};
    std::snprintf(text.data(), text.size(), "%.14g", lua_tonumber(lua, index));
    return text.data();
  }
  return std::string("a ") + luaL_typename(lua, index);
}

MemorySize check_size(lua_State* lua, int index) {
  int whole = 0;
  // A string of digits is not a size: "512" has no unit.
  const lua_Integer kib =
      lua_type(lua, index) == LUA_TNUMBER ? lua_tointegerx(lua, index, &whole) : 0;
  if (whole == 0) {
    raise(lua, "a size is a whole number of KiB, not " + shown(lua, index) +
                   (lua_type(lua, index) == LUA_TNUMBER ? "; use // or math.floor" : ""));
  }
  if (kib < 0) raise(lua, "a size cannot be negative: " + shown(lua, index));
  return MemorySize::from_kib(static_cast<std::uint64_t>(kib));
}

std::string check_why(lua_State* lua, int index) {
  if (lua_isnoneornil(lua, index)) return {};
  std::size_t length = 0;
  if (lua_type(lua, index) != LUA_TSTRING) {
    raise(lua, "the reason is a string, not " + shown(lua, index));
  }
  const char* text = lua_tolstring(lua, index, &length);
  return printable({text, length}, kScriptText);
}

int set(lua_State* lua) {
  const Subject d = check_domain(lua, 1);
  const MemorySize target = check_size(lua, 2);
  PolicyContext::of(lua).propose(lua, d.position, target, check_why(lua, 3));
  return 0;
}

int grow(lua_State* lua) {
  const Subject d = check_domain(lua, 1);
  const MemorySize by = check_size(lua, 2);
  // A grow in flight goes on: a smaller target would cut it off.
  const MemorySize promised = std::max(d.domain.actual, d.view.balloon.heads_for(d.domain));
  PolicyContext::of(lua).propose(lua, d.position, promised + by, check_why(lua, 3));
  return 0;
}

int shrink(lua_State* lua) {
  const Subject d = check_domain(lua, 1);
  const MemorySize by = check_size(lua, 2);
  if (by >= d.domain.actual)
    raise(lua, "a shrink of " + d.domain.name() + " takes all of its memory");
  PolicyContext::of(lua).propose(lua, d.position, d.domain.actual - by, check_why(lua, 3));
  return 0;
}

int hold(lua_State* lua) {
  const Subject d = check_domain(lua, 1);
  PolicyContext::of(lua).propose(lua, d.position, d.domain.actual, check_why(lua, 2));
  return 0;
}

int refresh(lua_State* lua) {
  const Subject d = check_domain(lua, 1);
  PolicyContext::of(lua).ask_report(lua, d.position);
  return 0;
}

struct Method {
  const char* name;
  lua_CFunction call;
};
constexpr std::array<Method, 10> kDomainMethods{{{"avg", average},
                                                 {"max", maximum},
                                                 {"min", minimum},
                                                 {"quantile", quantile},
                                                 {"slope", slope},
                                                 {"set", set},
                                                 {"grow", grow},
                                                 {"shrink", shrink},
                                                 {"hold", hold},
                                                 {"refresh", refresh}}};

int refuse_assignment(lua_State* lua) {
  const std::string name = lua_type(lua, 2) == LUA_TSTRING ? lua_tostring(lua, 2) : "?";
  raise(lua, "a domain's '" + printable(name, 40) +
                 "' cannot be assigned; propose a size with d:set(kib, why)");
}

int domain_to_text(lua_State* lua) {
  push_text(lua,
            subject_of(lua, *static_cast<const Handle*>(lua_touserdata(lua, 1))).domain.name());
  return 1;
}

}  // namespace

std::vector<std::string> domain_method_names() {
  std::vector<std::string> names;
  names.reserve(kDomainMethods.size());
  for (const Method& method : kDomainMethods) names.emplace_back(method.name);
  return names;
}

Subject subject_of(lua_State* lua, const Handle& handle) {
  const PolicyContext& context = PolicyContext::of(lua);
  const Situation& situation = context.situation(lua);
  if (handle.serial != context.serial()) {
    raise(lua, "this domain object is from an earlier tick; take it from ctx.domains each tick");
  }
  const DomainView& view = situation.domains[handle.position];
  return {situation, handle.position, view.domain, view};
}

/// Upvalue 1 of the running function is the metatable, by push_domain_function().
Subject check_domain(lua_State* lua, int index) {
  const auto* handle = static_cast<const Handle*>(lua_touserdata(lua, index));
  bool ours = handle != nullptr && lua_getmetatable(lua, index) != 0;
  if (ours) {
    ours = lua_rawequal(lua, -1, lua_upvalueindex(1)) != 0;
    lua_pop(lua, 1);
  }
  if (!ours) raise(lua, "expected a domain (write d:method(...), with a colon)");
  return subject_of(lua, *handle);
}

void push_domain_function(lua_State* lua, lua_CFunction function) {
  lua_rawgetp(lua, LUA_REGISTRYINDEX, &kDomainMetatable);
  lua_pushcclosure(lua, function, 1);
}

const DomainField& check_field(lua_State* lua, int index) {
  if (lua_type(lua, index) != LUA_TSTRING) {
    raise(lua, "expected a field's name, such as \"headroom\"");
  }
  const std::string_view name = lua_tostring(lua, index);
  const auto listed = domain_fields();
  for (const DomainField& field : listed) {
    if (field.name == name) return field;
  }
  charge(lua, std::uint64_t{4} * listed.size());
  lua_newtable(lua);
  add_field_names(lua, listed);
  raise_unknown_name(lua, lua_gettop(lua), "a domain", lua_tostring(lua, index));
}

void add_field_names(lua_State* lua, std::span<const DomainField> listed) {
  for (const DomainField& field : listed) {
    push_text(lua, field.name);
    lua_pushlightuserdata(lua, const_cast<DomainField*>(&field));  // NOLINT: Lua has no const
    lua_rawset(lua, -3);
  }
}

int index_domain(lua_State* lua) {
  lua_pushvalue(lua, 2);
  const int type = lua_rawget(lua, lua_upvalueindex(1));
  if (type == LUA_TFUNCTION) return 1;
  if (type != LUA_TLIGHTUSERDATA) {
    raise_unknown_name(lua, lua_upvalueindex(1), lua_tostring(lua, lua_upvalueindex(2)),
                       lua_type(lua, 2) == LUA_TSTRING ? lua_tostring(lua, 2) : "?");
  }
  // Lua calls this as a metamethod, so index 1 is one of our objects.
  const Subject d = subject_of(lua, *static_cast<const Handle*>(lua_touserdata(lua, 1)));
  push_field(lua, *static_cast<const DomainField*>(lua_touserdata(lua, -1)), d);
  return 1;
}

void open_domain_objects(lua_State* lua) {
  lua_newtable(lua);  // the metatable
  lua_pushvalue(lua, -1);
  lua_rawsetp(lua, LUA_REGISTRYINDEX, &kDomainMetatable);
  lua_newtable(lua);  // the names
  add_field_names(lua, domain_fields());
  for (const Method& method : kDomainMethods) {
    push_domain_function(lua, method.call);
    lua_setfield(lua, -2, method.name);
  }
  lua_pushliteral(lua, "a domain");
  lua_pushcclosure(lua, index_domain, 2);
  lua_setfield(lua, -2, "__index");
  lua_pushcfunction(lua, refuse_assignment);
  lua_setfield(lua, -2, "__newindex");
  lua_pushcfunction(lua, domain_to_text);
  lua_setfield(lua, -2, "__tostring");
  for (const char* name : {"__metatable", "__name"}) {
    lua_pushliteral(lua, "domain");
    lua_setfield(lua, -2, name);
  }
  lua_pop(lua, 1);
  begin_domain_objects(lua);
}

void begin_domain_objects(lua_State* lua) {
  lua_newtable(lua);
  lua_rawsetp(lua, LUA_REGISTRYINDEX, &kObjects);
}

void push_handle(lua_State* lua, std::size_t position, int metatable) {
  metatable = lua_absindex(lua, metatable);
  auto* handle = static_cast<Handle*>(lua_newuserdatauv(lua, sizeof(Handle), 0));
  *handle = {position, PolicyContext::of(lua).serial()};
  lua_pushvalue(lua, metatable);
  lua_setmetatable(lua, -2);
}

void push_domain(lua_State* lua, std::size_t position) {
  lua_rawgetp(lua, LUA_REGISTRYINDEX, &kObjects);
  const auto slot = static_cast<lua_Integer>(position) + 1;
  if (lua_rawgeti(lua, -1, slot) == LUA_TNIL) {
    lua_rawgetp(lua, LUA_REGISTRYINDEX, &kDomainMetatable);
    push_handle(lua, position, -1);
    lua_replace(lua, -3);
    lua_pop(lua, 1);
    lua_pushvalue(lua, -1);
    lua_rawseti(lua, -3, slot);
  }
  lua_remove(lua, -2);
}

}  // namespace memcoord::bindings
