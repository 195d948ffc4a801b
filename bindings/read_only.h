#pragma once
// Tables that scripts can look into and not change.

struct lua_State;

namespace memcoord::bindings {

/// The metatables' field that says what a read-only thing is called.
inline constexpr const char* kReadOnlyMark = "__read_only";

/// Replaces the table on top of the stack by a view of it that cannot be written to; a missing name
/// in it is an error that says "<what> has no '<name>'" and the nearest right name.
void make_read_only(lua_State* lua, const char* what);
/// Raises "<what> has no '<name>'" with the nearest of the text keys of the table at an index, or
/// what there is instead. Never returns.
[[noreturn]] void raise_unknown_name(lua_State* lua, int table, const char* what, const char* name);
/// Refuses read-only things where raw contents count: they would seem empty.
void check_own_table(lua_State* lua, int table);

}  // namespace memcoord::bindings
