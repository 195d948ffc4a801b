#pragma once
// Tables as scripts see them: read-only views, errors that suggest the right name, and pairs() in a
// fixed order.

struct lua_State;

namespace memcoord::bindings {

/// A field of the metatables of read-only objects: the object's name in messages.
inline constexpr const char* kReadOnlyMark = "__read_only";

/// Replaces the table on top of the stack by a view of it that refuses writes. Reading a name that
/// the table lacks is an error: "<what> has no '<name>'", with the nearest name.
void make_read_only(lua_State* lua, const char* what);
/// Raises "<what> has no '<name>'" with the nearest string key of the table at an index, or with
/// the replacement of one of Lua's own names. Never returns.
[[noreturn]] void raise_unknown_name(lua_State* lua, int table, const char* what, const char* name);
/// Raises if the value at an index is not a table, or is a read-only view: a view's raw contents
/// are empty.
void check_own_table(lua_State* lua, int table);

/// pairs(t) in the order of the keys: numbers by value, then strings by their bytes, then domains
/// by name, then the rest. Lua's own order of string keys changes from run to run, and a policy's
/// decisions would change with it. The loop may change and remove fields; it does not visit added
/// ones.
int ordered_pairs(lua_State* lua);
/// next(t) and next(t, key), in an unspecified order.
int safe_next(lua_State* lua);

}  // namespace memcoord::bindings
