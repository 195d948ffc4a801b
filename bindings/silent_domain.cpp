#include "bindings/silent_domain.h"

#include <lua.h>

#include <array>
#include <string_view>

#include "bindings/domain_object.h"
#include "bindings/policy_context.h"
#include "bindings/read_only.h"

namespace memcoord::bindings {
namespace {

const char kSilentMetatable = 1;  // keys of the registry
const char kSilentListMetatable = 2;

enum class SilentField { name, uuid, why, rule, state, actual, maximum };
constexpr std::array<std::string_view, 7> kSilentNames{"name",  "uuid",   "why",    "rule",
                                                       "state", "actual", "maximum"};

void push_field(lua_State* lua, SilentField field, const Subject& subject) {
  const auto& skipped = subject.view.skipped;
  switch (field) {
    case SilentField::name:
      return push_text(lua, subject.domain.name());
    case SilentField::uuid:
      return push_text(lua, subject.domain.uuid().text());
    case SilentField::why:
      return push_text(lua, skipped ? skipped->why : "");
    case SilentField::rule:
      return push_text(lua, skipped && skipped->rule ? to_text(*skipped->rule) : "");
    case SilentField::state:
      return push_text(lua, to_text(subject.domain.state));
    case SilentField::actual:
      return push_figure(lua, {static_cast<double>(subject.domain.actual.kib()), true});
    case SilentField::maximum:
      return push_figure(lua, {static_cast<double>(subject.domain.maximum.kib()), true});
  }
}

/// Upvalue 1: the names, from text to the field's number.
int index_silent(lua_State* lua) {
  lua_pushvalue(lua, 2);
  if (lua_rawget(lua, lua_upvalueindex(1)) != LUA_TNUMBER) {
    raise_unknown_name(lua, lua_upvalueindex(1), "a domain in ctx.silent",
                       lua_type(lua, 2) == LUA_TSTRING ? lua_tostring(lua, 2) : "?");
  }
  const auto field = static_cast<SilentField>(lua_tointeger(lua, -1));
  push_field(lua, field, subject_of(lua, *static_cast<const Handle*>(lua_touserdata(lua, 1))));
  return 1;
}

int refuse_silent_write(lua_State* lua) {
  raise(lua, "ctx.silent and what is in it cannot be changed");
}

int index_silent_list(lua_State* lua) {
  if (lua_type(lua, 2) == LUA_TSTRING) {
    raise(lua, "ctx.silent is a list; '" + printable(lua_tostring(lua, 2), 40) +
                   "' is not in it (ctx.silent[1].name, #ctx.silent, ipairs)");
  }
  lua_pushnil(lua);
  return 1;
}

}  // namespace

std::vector<std::string> silent_domain_field_names() {
  return {kSilentNames.begin(), kSilentNames.end()};
}

void open_silent_domains(lua_State* lua) {
  lua_newtable(lua);
  lua_newtable(lua);
  lua_Integer number = 0;
  for (const std::string_view name : kSilentNames) {
    push_text(lua, name);
    lua_pushinteger(lua, number++);
    lua_rawset(lua, -3);
  }
  lua_pushcclosure(lua, index_silent, 1);
  lua_setfield(lua, -2, "__index");
  lua_pushcfunction(lua, refuse_silent_write);
  lua_setfield(lua, -2, "__newindex");
  for (const char* name : {"__metatable", "__name"}) {
    lua_pushliteral(lua, "silent domain");
    lua_setfield(lua, -2, name);
  }
  lua_rawsetp(lua, LUA_REGISTRYINDEX, &kSilentMetatable);

  lua_newtable(lua);
  lua_pushcfunction(lua, index_silent_list);
  lua_setfield(lua, -2, "__index");
  lua_pushcfunction(lua, refuse_silent_write);
  lua_setfield(lua, -2, "__newindex");
  lua_pushliteral(lua, "protected");
  lua_setfield(lua, -2, "__metatable");
  lua_rawsetp(lua, LUA_REGISTRYINDEX, &kSilentListMetatable);
}

void push_silent_domains(lua_State* lua) {
  const PolicyContext& context = PolicyContext::of(lua);
  const Situation& situation = context.situation(lua);
  charge(lua, situation.domains.size());
  lua_newtable(lua);
  lua_rawgetp(lua, LUA_REGISTRYINDEX, &kSilentMetatable);
  lua_Integer count = 0;
  for (std::size_t i = 0; i < situation.domains.size(); ++i) {
    if (!situation.domains[i].skipped) continue;
    auto* handle = static_cast<Handle*>(lua_newuserdatauv(lua, sizeof(Handle), 0));
    *handle = {i, context.serial()};
    lua_pushvalue(lua, -2);
    lua_setmetatable(lua, -2);
    lua_rawseti(lua, -3, ++count);
  }
  lua_pop(lua, 1);
  lua_rawgetp(lua, LUA_REGISTRYINDEX, &kSilentListMetatable);
  lua_setmetatable(lua, -2);
}

}  // namespace memcoord::bindings
