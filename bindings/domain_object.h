#pragma once
// A domain as a Lua object: its figures, its past, and the calls that propose.

#include <cstddef>
#include <cstdint>

#include "bindings/domain_fields.h"

struct lua_State;

namespace memcoord::bindings {

/// Makes the metatable; once a state.
void open_domain_objects(lua_State* lua);
/// Forgets the objects of the tick before.
void begin_domain_objects(lua_State* lua);
/// Pushes the object for the domain at a position in the snapshot; the same one all tick long.
void push_domain(lua_State* lua, std::size_t position);
/// A field's name at a stack index, or an error with the nearest right one.
DomainField check_field(lua_State* lua, int index);
void push_figure(lua_State* lua, Figure figure);

}  // namespace memcoord::bindings
