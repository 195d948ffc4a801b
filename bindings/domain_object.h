#pragma once
// A domain as a Lua object: its figures, its past, and the calls that propose.

#include <lua.h>

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "bindings/domain_fields.h"

namespace memcoord::bindings {

/// What objects hold in Lua: no pointer, so that one kept from an earlier tick is told apart. The
/// position stands first: pairs() orders objects by it.
struct Handle {
  std::uint64_t position;  ///< in the snapshot
  std::uint64_t serial;    ///< of the tick
};

/// The domain that an object stands for in this tick.
struct Subject {
  std::size_t position;
  const Domain& domain;
  const DomainView& view;
};

/// What a domain can be asked to do, by name: avg, set, ...
std::vector<std::string> domain_method_names();
/// Makes the metatable; once a state.
void open_domain_objects(lua_State* lua);
/// Forgets the objects of the tick before.
void begin_domain_objects(lua_State* lua);
/// Pushes the object for the domain at a position in the snapshot; the same one all tick long.
void push_domain(lua_State* lua, std::size_t position);
/// Pushes a function that may call check_domain().
void push_domain_function(lua_State* lua, lua_CFunction function);
/// The domain at a stack index; raises where there is none, or one of an earlier tick.
Subject check_domain(lua_State* lua, int index);
/// The domain that a handle stands for; raises where it is of an earlier tick.
Subject subject_of(lua_State* lua, const Handle& handle);
/// A field's name at a stack index, or an error with the nearest right one.
DomainField check_field(lua_State* lua, int index);
void push_figure(lua_State* lua, Figure figure);
void push_text(lua_State* lua, std::string_view text);

}  // namespace memcoord::bindings
