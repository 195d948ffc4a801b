#pragma once
// Domains as Lua objects: a domain with its figures, its history and the calls that propose a size;
// ctx.domains and the lists that filter() makes from it; ctx.skipped.

#include <lua.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "bindings/policy_fields.h"

namespace memcoord::bindings {

/// The contents of an object in Lua. The serial number, in place of a pointer, identifies objects
/// of an earlier tick. The position comes first: pairs() orders objects by it.
struct Handle {
  std::uint64_t position;  ///< in the snapshot
  std::uint64_t serial;    ///< of the tick
};

/// The methods of a domain, by name: avg, set, ...
std::vector<std::string> domain_method_names();
/// The methods of ctx.domains and of the lists that filter() makes from it.
std::vector<std::string> domain_list_method_names();

/// These make the metatables. Call each once per state, open_domain_objects() first.
void open_domain_objects(lua_State* lua);
void open_skipped_domains(lua_State* lua);
/// Forgets the objects of the previous tick.
void begin_domain_objects(lua_State* lua);

/// Pushes the object for the domain at a position in the snapshot; the same object throughout a
/// tick.
void push_domain(lua_State* lua, std::size_t position);
/// Pushes a new object for that domain, with the metatable at a stack index.
void push_handle(lua_State* lua, std::size_t position, int metatable);
/// Pushes ctx.domains: read-only, with the domains of the current tick. Call it once per state,
/// after open_domain_objects().
void push_domains(lua_State* lua);
/// Pushes ctx.skipped of the current tick.
void push_skipped_domains(lua_State* lua);
/// Pushes a function that may call check_domain().
void push_domain_function(lua_State* lua, lua_CFunction function);

/// The domain at a stack index; raises if there is none, or if it is of an earlier tick.
Subject check_domain(lua_State* lua, int index);
/// The domain of a handle; raises if the handle is of an earlier tick.
Subject subject_of(lua_State* lua, const Handle& handle);
/// The field that a stack index names; raises an error with the nearest name if there is none.
const DomainField& check_field(lua_State* lua, int index);

/// Adds to the table on top a pointer to each field under the field's name.
void add_field_names(lua_State* lua, std::span<const DomainField> listed);
/// The __index of an object: the field's value. Upvalue 1: the table of names from
/// add_field_names(), to which methods may be added; upvalue 2: the object's name in messages.
int index_domain(lua_State* lua);

}  // namespace memcoord::bindings
