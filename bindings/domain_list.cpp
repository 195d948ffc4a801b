// ctx.domains with the lists that filter() makes from it, and ctx.skipped.

#include <lauxlib.h>
#include <lua.h>

#include <array>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "bindings/domain_object.h"
#include "bindings/policy_context.h"
#include "bindings/script_tables.h"

namespace memcoord::bindings {
namespace {

const char kDomains = 1;  // keys of the registry
const char kListMetatable = 2;
const char kSkippedMetatable = 3;
const char kSkippedListMetatable = 4;

// The charge for reading one domain's figure, in instructions.
constexpr std::uint64_t kWorkPerDomain = 2;

using Positions = std::vector<std::size_t>;

/// The positions of the domains that a method was called on: ctx.domains, or a list of domains,
/// whose positions go into `listed`.
const Positions& check_positions(lua_State* lua, Positions& listed) {
  const PolicyContext& context = PolicyContext::of(lua);
  (void)context.situation(lua);
  lua_rawgetp(lua, LUA_REGISTRYINDEX, &kDomains);
  const bool all = lua_rawequal(lua, 1, -1) != 0;
  lua_pop(lua, 1);
  if (all) {
    charge(lua, kWorkPerDomain * context.active().size());
    return context.active();
  }
  if (lua_type(lua, 1) != LUA_TTABLE) raise(lua, "write ctx.domains:method(...), with a colon");
  check_own_table(lua, 1);
  const auto count = static_cast<lua_Integer>(lua_rawlen(lua, 1));
  charge(lua, kWorkPerDomain * static_cast<std::uint64_t>(count));
  listed.reserve(static_cast<std::size_t>(count));
  Pace pace(lua);
  for (lua_Integer i = 1; i <= count; ++i) {
    pace.step();
    lua_rawgeti(lua, 1, i);
    listed.push_back(check_domain(lua, -1).position);
    lua_pop(lua, 1);
  }
  return listed;
}

Figure figure_at(const Situation& situation, std::size_t position, const DomainField& field) {
  const DomainView& view = situation.domains[position];
  return field.figure({situation, position, view.domain, view});
}

const DomainField& check_figure(lua_State* lua, int index) {
  const DomainField& field = check_field(lua, index);
  if (!field.figure) raise(lua, "'" + std::string(field.name) + "' is not a number");
  return field;
}

/// Pushes the domain with the smallest or largest figure, the first of equals; nil if there is
/// none.
int extreme(lua_State* lua, bool largest) {
  const DomainField& field = check_figure(lua, 2);
  Positions listed;
  const Situation& situation = PolicyContext::of(lua).situation(lua);
  std::optional<std::size_t> best;
  double best_figure = 0;
  for (const std::size_t position : check_positions(lua, listed)) {
    const double figure = figure_at(situation, position, field).number;
    if (best && !(largest ? figure > best_figure : figure < best_figure)) continue;
    best = position;
    best_figure = figure;
  }
  if (best) {
    push_domain(lua, *best);
  } else {
    lua_pushnil(lua);
  }
  return 1;
}

int min_by(lua_State* lua) {
  return extreme(lua, false);
}
int max_by(lua_State* lua) {
  return extreme(lua, true);
}

int sum(lua_State* lua) {
  const DomainField& field = check_figure(lua, 2);
  Positions listed;
  const Situation& situation = PolicyContext::of(lua).situation(lua);
  Figure total;
  for (const std::size_t position : check_positions(lua, listed)) {
    const Figure figure = figure_at(situation, position, field);
    total.number += figure.number;
    total.whole = figure.whole;
  }
  push_figure(lua, total);
  return 1;
}

int filter(lua_State* lua) {
  luaL_checktype(lua, 2, LUA_TFUNCTION);
  lua_settop(lua, 2);
  Positions listed;
  const Positions positions = check_positions(lua, listed);
  lua_newtable(lua);
  lua_rawgetp(lua, LUA_REGISTRYINDEX, &kListMetatable);
  lua_setmetatable(lua, -2);
  lua_Integer found = 0;
  for (const std::size_t position : positions) {
    push_domain(lua, position);
    lua_pushvalue(lua, 2);
    lua_pushvalue(lua, -2);
    lua_call(lua, 1, 1);
    const bool wanted = lua_toboolean(lua, -1) != 0;
    lua_pop(lua, 1);
    if (wanted) {
      lua_rawseti(lua, 3, ++found);
    } else {
      lua_pop(lua, 1);
    }
  }
  return 1;
}

/// Upvalue 1: the methods. A key that is not a string is a position outside the list: nil.
int index_list(lua_State* lua) {
  if (lua_type(lua, 2) != LUA_TSTRING) {
    lua_pushnil(lua);
    return 1;
  }
  lua_pushvalue(lua, 2);
  if (lua_rawget(lua, lua_upvalueindex(1)) == LUA_TNIL) {
    raise_unknown_name(lua, lua_upvalueindex(1), "a list of domains", lua_tostring(lua, 2));
  }
  return 1;
}

int index_domains(lua_State* lua) {
  if (lua_type(lua, 2) == LUA_TSTRING) return index_list(lua);
  const PolicyContext& context = PolicyContext::of(lua);
  (void)context.situation(lua);
  const lua_Integer i = lua_tointeger(lua, 2);
  if (i >= 1 && static_cast<std::size_t>(i) <= context.active().size()) {
    push_domain(lua, context.active()[static_cast<std::size_t>(i - 1)]);
  } else {
    lua_pushnil(lua);
  }
  return 1;
}

int count_domains(lua_State* lua) {
  const PolicyContext& context = PolicyContext::of(lua);
  (void)context.situation(lua);
  lua_pushinteger(lua, static_cast<lua_Integer>(context.active().size()));
  return 1;
}

int next_domain(lua_State* lua) {
  const PolicyContext& context = PolicyContext::of(lua);
  (void)context.situation(lua);
  const lua_Integer i = luaL_optinteger(lua, 2, 0) + 1;
  if (i < 1 || static_cast<std::size_t>(i) > context.active().size()) {
    lua_pushnil(lua);
    return 1;
  }
  lua_pushinteger(lua, i);
  push_domain(lua, context.active()[static_cast<std::size_t>(i - 1)]);
  return 2;
}

int each_domain(lua_State* lua) {
  lua_pushcfunction(lua, next_domain);
  lua_pushvalue(lua, 1);
  lua_pushinteger(lua, 0);
  return 3;
}

int refuse_domains_write(lua_State* lua) {
  raise(lua, "ctx.domains cannot be changed");
}

constexpr std::array<std::pair<const char*, lua_CFunction>, 4> kListMethods{
    {{"min_by", min_by}, {"max_by", max_by}, {"sum", sum}, {"filter", filter}}};

/// Pushes the table of methods that ctx.domains and lists share.
void push_methods(lua_State* lua) {
  lua_newtable(lua);
  for (const auto& [name, call] : kListMethods) {
    push_domain_function(lua, call);
    lua_setfield(lua, -2, name);
  }
}

void make_list_metatable(lua_State* lua) {
  lua_newtable(lua);
  push_methods(lua);
  lua_pushcclosure(lua, index_list, 1);
  lua_setfield(lua, -2, "__index");
  lua_pushliteral(lua, "protected");
  lua_setfield(lua, -2, "__metatable");
  lua_rawsetp(lua, LUA_REGISTRYINDEX, &kListMetatable);
}

// --- ctx.skipped ---

int refuse_skipped_write(lua_State* lua) {
  raise(lua, "ctx.skipped and its entries cannot be changed");
}

int index_skipped_list(lua_State* lua) {
  if (lua_type(lua, 2) == LUA_TSTRING) {
    raise(lua, "ctx.skipped is a list; '" + printable(lua_tostring(lua, 2), 40) +
                   "' is not in it (ctx.skipped[1].name, #ctx.skipped, ipairs)");
  }
  lua_pushnil(lua);
  return 1;
}

}  // namespace

std::vector<std::string> domain_list_method_names() {
  std::vector<std::string> names;
  names.reserve(kListMethods.size());
  for (const auto& [name, call] : kListMethods) names.emplace_back(name);
  return names;
}

void push_domains(lua_State* lua) {
  make_list_metatable(lua);
  lua_newtable(lua);
  lua_newtable(lua);
  push_methods(lua);
  lua_pushcclosure(lua, index_domains, 1);
  lua_setfield(lua, -2, "__index");
  constexpr std::array<std::pair<const char*, lua_CFunction>, 3> kMeta{
      {{"__len", count_domains}, {"__pairs", each_domain}, {"__newindex", refuse_domains_write}}};
  for (const auto& [name, call] : kMeta) {
    lua_pushcfunction(lua, call);
    lua_setfield(lua, -2, name);
  }
  for (const char* name : {"__metatable", kReadOnlyMark}) {
    lua_pushliteral(lua, "ctx.domains");
    lua_setfield(lua, -2, name);
  }
  lua_setmetatable(lua, -2);
  lua_pushvalue(lua, -1);
  lua_rawsetp(lua, LUA_REGISTRYINDEX, &kDomains);
}

void open_skipped_domains(lua_State* lua) {
  lua_newtable(lua);
  lua_newtable(lua);
  add_field_names(lua, skipped_domain_fields());
  lua_pushliteral(lua, "a domain in ctx.skipped");
  lua_pushcclosure(lua, index_domain, 2);
  lua_setfield(lua, -2, "__index");
  lua_pushcfunction(lua, refuse_skipped_write);
  lua_setfield(lua, -2, "__newindex");
  for (const char* name : {"__metatable", "__name"}) {
    lua_pushliteral(lua, "skipped domain");
    lua_setfield(lua, -2, name);
  }
  lua_rawsetp(lua, LUA_REGISTRYINDEX, &kSkippedMetatable);

  lua_newtable(lua);
  lua_pushcfunction(lua, index_skipped_list);
  lua_setfield(lua, -2, "__index");
  lua_pushcfunction(lua, refuse_skipped_write);
  lua_setfield(lua, -2, "__newindex");
  lua_pushliteral(lua, "protected");
  lua_setfield(lua, -2, "__metatable");
  lua_rawsetp(lua, LUA_REGISTRYINDEX, &kSkippedListMetatable);
}

void push_skipped_domains(lua_State* lua) {
  const Situation& situation = PolicyContext::of(lua).situation(lua);
  charge(lua, situation.domains.size());
  lua_newtable(lua);
  lua_rawgetp(lua, LUA_REGISTRYINDEX, &kSkippedMetatable);
  lua_Integer count = 0;
  for (std::size_t i = 0; i < situation.domains.size(); ++i) {
    if (!situation.domains[i].skipped) continue;
    push_handle(lua, i, -1);
    lua_rawseti(lua, -3, ++count);
  }
  lua_pop(lua, 1);
  lua_rawgetp(lua, LUA_REGISTRYINDEX, &kSkippedListMetatable);
  lua_setmetatable(lua, -2);
}

}  // namespace memcoord::bindings
