#include "bindings/policy_context.h"

#include <lauxlib.h>
#include <lua.h>

#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <utility>

#include "bindings/domain_object.h"
#include "bindings/safe_library.h"

namespace memcoord::bindings {
namespace {

// Keys of the registry.
const char kContext = 1;
const char kCtx = 2;
const char kFields = 3;  // what stands behind ctx

constexpr std::size_t kMostLogLines = 20;

const Situation& situation_of(lua_State* lua) {
  return PolicyContext::of(lua).situation(lua);
}

void push_size(lua_State* lua, MemorySize size) {
  push_figure(lua, {static_cast<double>(size.kib()), true});
}

void set_size(lua_State* lua, const char* name, MemorySize size) {
  push_size(lua, size);
  lua_setfield(lua, -2, name);
}

void set_text(lua_State* lua, const char* name, std::string_view text) {
  lua_pushlstring(lua, text.data(), text.size());
  lua_setfield(lua, -2, name);
}

// --- ctx.host: a table made when it is first looked at in a tick ---

void push_cells(lua_State* lua, const Host& host) {
  lua_newtable(lua);
  lua_Integer i = 0;
  for (const NumaCell& cell : host.cells) {
    lua_newtable(lua);
    lua_pushinteger(lua, cell.id);
    lua_setfield(lua, -2, "id");
    set_size(lua, "total", cell.total);
    set_size(lua, "free", cell.free);
    lua_rawseti(lua, -2, ++i);
  }
}

/// What the guests hold of the host, by the newest figure that is known of each.
MemorySize held_by_guests(const Situation& situation) {
  MemorySize held;
  for (std::size_t i = 0; i < situation.snapshot.domains.size(); ++i) {
    const DomainHistory* history = situation.standings[i].history;
    const auto& rss = situation.snapshot.domains[i].rss;
    held += rss ? *rss : history ? history->last_rss().value_or(MemorySize()) : MemorySize();
  }
  return held;
}

/// The host's own, or what is left of the guests' budget where that is less.
MemorySize headroom_within_budget(const Situation& situation) {
  const MemorySize headroom = host_headroom(situation.snapshot.host, situation.limits.headroom);
  const auto& budget = situation.limits.host_memory;
  return budget ? std::min(headroom, *budget - held_by_guests(situation)) : headroom;
}

void push_host(lua_State* lua) {
  const Situation& situation = situation_of(lua);
  const Host& host = situation.snapshot.host;
  lua_newtable(lua);
  set_size(lua, "total", host.total);
  set_size(lua, "free", host.free);
  set_size(lua, "available", host.available.value_or(host.free));
  set_size(lua, "headroom", headroom_within_budget(situation));
  set_size(lua, "buffers", host.buffers);
  set_size(lua, "cached", host.cached);
  set_size(lua, "swap_free", host.swap_free.value_or(MemorySize()));
  set_size(lua, "floor", situation.limits.host_floor);
  set_size(lua, "grantable", situation.grantable);
  set_size(lua, "owed", situation.owed);
  set_size(lua, "budget", std::min(situation.limits.host_memory.value_or(host.total), host.total));
  set_size(lua, "page_size", host.page_size);
  push_cells(lua, host);
  lua_setfield(lua, -2, "cells");
  make_read_only(lua, "ctx.host");
}

// --- ctx.silent ---

void push_silent(lua_State* lua) {
  const Situation& situation = situation_of(lua);
  lua_newtable(lua);
  lua_Integer i = 0;
  for (std::size_t k = 0; k < situation.standings.size(); ++k) {
    const auto& held = situation.standings[k].held;
    if (!held) continue;
    const Domain& domain = situation.snapshot.domains[k];
    lua_newtable(lua);
    set_text(lua, "name", domain.name());
    set_text(lua, "uuid", domain.uuid().text());
    set_text(lua, "why", held->why);
    set_text(lua, "rule", held->rule ? to_text(*held->rule) : "");
    set_text(lua, "state", to_text(domain.state));
    set_size(lua, "actual", domain.actual);
    set_size(lua, "maximum", domain.maximum);
    lua_rawseti(lua, -2, ++i);
  }
}

// --- ctx.domains ---

double figure_at(const Situation& situation, std::size_t position, DomainField field) {
  const auto figure =
      figure_of(field, situation.snapshot.domains[position], situation.standings[position]);
  return figure ? figure->number : 0;
}

DomainField check_figure(lua_State* lua, int index) {
  const DomainField field = check_field(lua, index);
  if (field == DomainField::name || field == DomainField::uuid || field == DomainField::labels) {
    raise(lua, "'" + std::string(to_text(field)) + "' is no number");
  }
  return field;
}

/// The domain with the smallest or largest figure; of equals the first by name.
int extreme(lua_State* lua, bool largest) {
  const DomainField field = check_figure(lua, 2);
  const PolicyContext& context = PolicyContext::of(lua);
  const Situation& situation = context.situation(lua);
  Sandbox::meter_of(lua).charge(context.active().size());
  std::optional<std::size_t> best;
  double best_figure = 0;
  for (const std::size_t position : context.active()) {
    const double figure = figure_at(situation, position, field);
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

int least(lua_State* lua) {
  return extreme(lua, false);
}
int most(lua_State* lua) {
  return extreme(lua, true);
}

int sum(lua_State* lua) {
  const DomainField field = check_figure(lua, 2);
  const PolicyContext& context = PolicyContext::of(lua);
  const Situation& situation = context.situation(lua);
  Sandbox::meter_of(lua).charge(context.active().size());
  double total = 0;
  bool whole = true;
  for (const std::size_t position : context.active()) {
    const auto figure =
        figure_of(field, situation.snapshot.domains[position], situation.standings[position]);
    total += figure->number;
    whole = figure->whole;
  }
  push_figure(lua, {total, whole});
  return 1;
}

int where(lua_State* lua) {
  luaL_checktype(lua, 2, LUA_TFUNCTION);
  lua_settop(lua, 2);
  lua_newtable(lua);
  lua_Integer found = 0;
  for (const std::size_t position : PolicyContext::of(lua).active()) {
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

int index_domains(lua_State* lua) {
  const PolicyContext& context = PolicyContext::of(lua);
  (void)context.situation(lua);
  int is_position = 0;
  const lua_Integer i = lua_tointegerx(lua, 2, &is_position);
  if (is_position != 0 && lua_type(lua, 2) == LUA_TNUMBER) {
    if (i >= 1 && static_cast<std::size_t>(i) <= context.active().size()) {
      push_domain(lua, context.active()[static_cast<std::size_t>(i - 1)]);
    } else {
      lua_pushnil(lua);
    }
    return 1;
  }
  lua_pushvalue(lua, 2);
  if (lua_rawget(lua, lua_upvalueindex(1)) == LUA_TNIL) {
    raise_unknown_name(lua, lua_upvalueindex(1), "ctx.domains",
                       lua_type(lua, 2) == LUA_TSTRING ? lua_tostring(lua, 2) : "?");
  }
  return 1;
}

int count_domains(lua_State* lua) {
  lua_pushinteger(lua, static_cast<lua_Integer>(PolicyContext::of(lua).active().size()));
  return 1;
}

int next_domain(lua_State* lua) {
  const auto& active = PolicyContext::of(lua).active();
  const lua_Integer i = luaL_optinteger(lua, 2, 0) + 1;
  if (i < 1 || static_cast<std::size_t>(i) > active.size()) {
    lua_pushnil(lua);
    return 1;
  }
  lua_pushinteger(lua, i);
  push_domain(lua, active[static_cast<std::size_t>(i - 1)]);
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

void push_domains(lua_State* lua) {
  lua_newtable(lua);
  lua_newtable(lua);
  lua_newtable(lua);
  constexpr std::array<std::pair<const char*, lua_CFunction>, 4> kMethods{
      {{"least", least}, {"most", most}, {"sum", sum}, {"where", where}}};
  for (const auto& [name, call] : kMethods) {
    lua_pushcfunction(lua, call);
    lua_setfield(lua, -2, name);
  }
  lua_pushcclosure(lua, index_domains, 1);
  lua_setfield(lua, -2, "__index");
  constexpr std::array<std::pair<const char*, lua_CFunction>, 3> kMeta{
      {{"__len", count_domains}, {"__pairs", each_domain}, {"__newindex", refuse_domains_write}}};
  for (const auto& [name, call] : kMeta) {
    lua_pushcfunction(lua, call);
    lua_setfield(lua, -2, name);
  }
  lua_pushliteral(lua, "protected");
  lua_setfield(lua, -2, "__metatable");
  lua_setmetatable(lua, -2);
}

// --- ctx.log ---

int log_at(lua_State* lua, Note::Severity severity) {
  // ctx.log.info(text) and ctx.log:info(text) both read well.
  const int at = lua_type(lua, 1) == LUA_TTABLE && lua_gettop(lua) > 1 ? 2 : 1;
  std::size_t length = 0;
  if (lua_type(lua, at) != LUA_TSTRING && lua_type(lua, at) != LUA_TNUMBER) {
    raise(lua, std::string("a text was expected, not a ") + luaL_typename(lua, at));
  }
  const char* text = lua_tolstring(lua, at, &length);
  PolicyContext::of(lua).log(severity, printable({text, length}));
  return 0;
}

int log_info(lua_State* lua) {
  return log_at(lua, Note::Severity::info);
}
int log_warn(lua_State* lua) {
  return log_at(lua, Note::Severity::warning);
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

/// Upvalue 1: the table behind ctx. host and silent are made on demand and kept for the tick.
int index_ctx(lua_State* lua) {
  lua_pushvalue(lua, 2);
  if (lua_rawget(lua, lua_upvalueindex(1)) == LUA_TBOOLEAN) {
    const std::string_view name = lua_tostring(lua, 2);
    if (name == "host") {
      push_host(lua);
    } else {
      push_silent(lua);
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
  raise(lua, "ctx cannot be changed; keep what is to last in ctx.state");
}

}  // namespace

void PolicyContext::open(lua_State* lua) {
  make_read_only(lua, "ctx.params");
  const int params = lua_gettop(lua);
  open_domain_objects(lua);
  lua_newtable(lua);  // what stands behind ctx
  lua_pushvalue(lua, params);
  lua_setfield(lua, -2, "params");
  lua_newtable(lua);
  lua_setfield(lua, -2, "state");
  push_domains(lua);
  lua_setfield(lua, -2, "domains");
  push_log(lua);
  lua_setfield(lua, -2, "log");
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

void PolicyContext::attach(lua_State* lua) {
  lua_pushlightuserdata(lua, this);
  lua_rawsetp(lua, LUA_REGISTRYINDEX, &kContext);
}

PolicyContext& PolicyContext::of(lua_State* lua) {
  lua_rawgetp(lua, LUA_REGISTRYINDEX, &kContext);
  auto* context = static_cast<PolicyContext*>(lua_touserdata(lua, -1));
  lua_pop(lua, 1);
  if (!context) raise(lua, "there is no tick under way");
  return *context;
}

const Situation& PolicyContext::situation(lua_State* lua) const {
  if (!situation_) raise(lua, "there is no tick under way");
  return *situation_;
}

void PolicyContext::begin(const Situation& situation) {
  situation_ = &situation;
  ++serial_;
  answer_ = {};
  proposed_.clear();
  active_.clear();
  for (std::size_t i = 0; i < situation.standings.size(); ++i) {
    if (!situation.standings[i].held) active_.push_back(i);
  }
}

void PolicyContext::push(lua_State* lua) {
  const Situation& situation = situation_of(lua);
  begin_domain_objects(lua);
  lua_rawgetp(lua, LUA_REGISTRYINDEX, &kFields);
  for (const char* on_demand : {"host", "silent"}) {
    lua_pushboolean(lua, 0);
    lua_setfield(lua, -2, on_demand);
  }
  lua_pushinteger(lua, static_cast<lua_Integer>(situation.tick));
  lua_setfield(lua, -2, "tick");
  lua_pushnumber(lua, std::chrono::duration<double>(situation.since_last).count());
  lua_setfield(lua, -2, "seconds");
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
  if (!proposed_.insert(position).second) {
    raise(lua, domain.name() + " is set twice in one tick");
  }
  answer_.proposals.push_back({domain.uuid(), target, std::move(why)});
}

void PolicyContext::log(Note::Severity severity, std::string text) {
  if (answer_.log.size() > kMostLogLines) return;
  if (answer_.log.size() == kMostLogLines) text = "(more log lines in this tick are left out)";
  answer_.log.push_back({severity, std::move(text)});
}

}  // namespace memcoord::bindings
