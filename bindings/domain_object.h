#pragma once
// Domains as Lua objects: one domain with its figures, its past and the calls that propose;
// ctx.domains and the lists that are chosen from it; ctx.skipped.

#include <lua.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "bindings/policy_fields.h"

namespace memcoord::bindings {

/// What an object holds in Lua. It has no pointer, so that an object of an earlier tick is told
/// apart. The position stands first: pairs() orders objects by it.
struct Handle {
  std::uint64_t position;  ///< in the snapshot
  std::uint64_t serial;    ///< of the tick
};

/// The methods of a domain, by name: avg, set, ...
std::vector<std::string> domain_method_names();
/// The methods of ctx.domains and of lists that are chosen from it.
std::vector<std::string> domain_list_method_names();

/// Make the metatables; once a state, open_domain_objects() first.
void open_domain_objects(lua_State* lua);
void open_skipped_domains(lua_State* lua);
/// Forgets the objects of the tick before.
void begin_domain_objects(lua_State* lua);

/// Pushes the object for the domain at a position in the snapshot; the same one all tick long.
void push_domain(lua_State* lua, std::size_t position);
/// Pushes a new object for that domain, with the metatable at a stack index.
void push_handle(lua_State* lua, std::size_t position, int metatable);
/// Pushes ctx.domains: read-only, always that of the tick under way. Once a state, after
/// open_domain_objects().
void push_domains(lua_State* lua);
/// Pushes ctx.skipped of the tick under way.
void push_skipped_domains(lua_State* lua);
/// Pushes a function that may call check_domain().
void push_domain_function(lua_State* lua, lua_CFunction function);

/// The domain at a stack index; raises where there is none, or one of an earlier tick.
Subject check_domain(lua_State* lua, int index);
/// The domain that a handle stands for; raises where it is of an earlier tick.
Subject subject_of(lua_State* lua, const Handle& handle);
/// A field's name at a stack index; raises with the nearest right name where there is none.
const DomainField& check_field(lua_State* lua, int index);

/// Adds to the table on top, for each field, its name with a pointer to it.
void add_field_names(lua_State* lua, std::span<const DomainField> listed);
/// The __index of an object: the field's value. Upvalue 1: a table of names as add_field_names()
/// makes it, perhaps with methods; upvalue 2: what messages call the object.
int index_domain(lua_State* lua);

}  // namespace memcoord::bindings
