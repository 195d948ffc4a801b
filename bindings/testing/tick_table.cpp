#include <lauxlib.h>
#include <lua.h>

#include <optional>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "bindings/script_tables.h"
#include "bindings/testing/test_context.h"
#include "bindings/testing/test_tables.h"
#include "bindings/value.h"

namespace memcoord::bindings::testing {
namespace {

constexpr std::size_t kMaxLines = 12;

Value text(std::string_view words) {
  return {std::string(words)};
}
Value size(MemorySize size) {
  return {static_cast<std::int64_t>(size.kib())};
}

using TableFields = std::vector<std::pair<std::string, Value>>;

Value table(TableFields fields) {
  return {Value::Table{{}, std::move(fields)}};
}
Value list(std::vector<Value> items) {
  return {Value::Table{std::move(items), {}}};
}

std::string name_of(const Tick& tick, const Uuid& uuid) {
  const Domain* domain = tick.snapshot.find(uuid);
  return domain ? domain->name() : uuid.text();
}

/// Names by UUID: a search with Snapshot::find() for each domain takes too long.
class Names {
 public:
  explicit Names(const Tick& tick) {
    for (const Domain& domain : tick.snapshot.domains) {
      names_.emplace(domain.uuid(), domain.name());
    }
  }
  const std::string& operator[](const Uuid& uuid) const {
    static const std::string kUnknown;
    const auto found = names_.find(uuid);
    return found == names_.end() ? kUnknown : found->second;
  }

 private:
  std::unordered_map<Uuid, std::string> names_;
};

Value proposals_of(const Tick& tick, const Names& names) {
  TableFields fields;
  for (const Proposal& proposal : tick.proposals) {
    fields.emplace_back(names[proposal.domain],
                        table({{"target", size(proposal.target)}, {"why", text(proposal.why)}}));
  }
  return table(std::move(fields));
}

Value decisions_of(const Tick& tick, const Names& names) {
  TableFields fields;
  for (const Decision& decision : tick.decisions) {
    std::vector<Value> rules;
    for (const RuleHit& hit : decision.rules) rules.push_back(text(to_text(hit.rule)));
    fields.emplace_back(names[decision.domain], table({{"actual", size(decision.actual)},
                                                       {"proposed", size(decision.proposed)},
                                                       {"target", size(decision.target)},
                                                       {"rules", list(std::move(rules))},
                                                       {"why", text(decision.why)}}));
  }
  return table(std::move(fields));
}

Value skipped_of(const Tick& tick, const Names& names) {
  TableFields fields;
  for (const SkippedDomain& skipped : tick.skipped) {
    fields.emplace_back(names[skipped.domain],
                        table({{"rule", text(skipped.rule ? to_text(*skipped.rule) : "")},
                               {"why", text(skipped.why)}}));
  }
  return table(std::move(fields));
}

Value names_of(const std::vector<Uuid>& domains, const Names& names) {
  std::vector<Value> items;
  items.reserve(domains.size());
  for (const Uuid& domain : domains) items.push_back(text(names[domain]));
  return list(std::move(items));
}

Value after_of(const MockWorld& world) {
  TableFields fields;
  for (const MockDomain& d : world.domains) {
    fields.emplace_back(d.name, table({{"actual", size(d.actual)}, {"unused", size(d.unused)}}));
  }
  return table(std::move(fields));
}

Value host_of(const MockWorld& world) {
  return table({{"total", size(world.host.total)}, {"free", size(world.host.free)}});
}

Value strings(const std::vector<std::string>& lines) {
  std::vector<Value> items;
  items.reserve(lines.size());
  for (const std::string& line : lines) items.push_back(text(line));
  return list(std::move(items));
}

/// Upvalue 1: the names of the tick's domains. A domain of the tick may have no entry; any other
/// name is an error.
int no_entry(lua_State* lua) {
  lua_pushvalue(lua, 2);
  if (lua_rawget(lua, lua_upvalueindex(1)) != LUA_TNIL || lua_type(lua, 2) != LUA_TSTRING) {
    lua_pushnil(lua);
    return 1;
  }
  raise_unknown_name(lua, lua_upvalueindex(1), "the tick", lua_tostring(lua, 2));
}

void set_by_name(lua_State* lua, const char* key, const Value& entries, int names) {
  push_value(lua, entries);
  lua_newtable(lua);
  lua_pushvalue(lua, names);
  lua_pushcclosure(lua, no_entry, 1);
  lua_setfield(lua, -2, "__index");
  lua_setmetatable(lua, -2);
  lua_setfield(lua, -2, key);
}

void set(lua_State* lua, const char* key, const Value& value) {
  push_value(lua, value);
  lua_setfield(lua, -2, key);
}

/// Upvalues: the tick's parts by name, the policy's error (text or nil), and its number among the
/// unread errors. A misspelt part is an error rather than nil.
int missing_part(lua_State* lua) {
  const char* name = lua_type(lua, 2) == LUA_TSTRING ? lua_tostring(lua, 2) : "?";
  const std::string_view part = name;
  if (part == "error") {
    TestContext::of(lua).unread_errors.erase(lua_tointeger(lua, lua_upvalueindex(3)));
    lua_pushvalue(lua, lua_upvalueindex(2));
    return 1;
  }
  if (part == "again") {  // the policy asked for no early tick
    lua_pushnil(lua);
    return 1;
  }
  raise_unknown_name(lua, lua_upvalueindex(1), "a tick", name);
}

/// The error is not a plain entry: reading it marks it as read, and a test that does not read it
/// fails.
void set_error(lua_State* lua, const std::optional<Error>& error) {
  lua_newtable(lua);
  lua_newtable(lua);  // the names of the parts
  for (const char* optional : {"error", "again"}) {
    lua_pushboolean(lua, 1);
    lua_setfield(lua, -2, optional);
  }
  lua_pushnil(lua);
  while (lua_next(lua, -4) != 0) {
    lua_pop(lua, 1);
    lua_pushvalue(lua, -1);
    lua_pushboolean(lua, 1);
    lua_rawset(lua, -4);
  }
  auto& unread = TestContext::of(lua).unread_errors;
  const auto number = unread.empty() ? 0 : unread.rbegin()->first + 1;
  if (error) {
    unread[number] = error->text();
    push_value(lua, text(error->text()));
  } else {
    lua_pushnil(lua);
  }
  lua_pushinteger(lua, number);
  lua_pushcclosure(lua, missing_part, 3);
  lua_setfield(lua, -2, "__index");
  lua_setmetatable(lua, -2);
}

}  // namespace

void push_tick(lua_State* lua, const PlayedTick& played) {
  const Tick& tick = played.tick;
  const Names names(tick);
  lua_newtable(lua);
  const int known = lua_gettop(lua);
  for (const Domain& domain : tick.snapshot.domains) {
    lua_pushboolean(lua, 1);
    lua_setfield(lua, known, domain.name().c_str());
  }
  lua_newtable(lua);
  set(lua, "tick", {static_cast<std::int64_t>(tick.number)});
  set_by_name(lua, "proposals", proposals_of(tick, names), known);
  set_by_name(lua, "decisions", decisions_of(tick, names), known);
  set_by_name(lua, "skipped", skipped_of(tick, names), known);
  set_by_name(lua, "after", after_of(played.after), known);
  set(lua, "host", host_of(played.after));
  set(lua, "grantable", size(tick.grantable));
  if (played.answer.again) set(lua, "again", {seconds_of(*played.answer.again)});
  set(lua, "refresh", names_of(played.answer.refresh, names));
  set(lua, "log", strings(notes_of(tick, NotesOf::policy)));
  set(lua, "notes", strings(notes_of(tick, NotesOf::others)));
  set_error(lua, tick.policy_error);
  lua_remove(lua, known);
}

std::vector<std::string> notes_of(const Tick& tick, NotesOf whom) {
  const std::string prefix = tick.policy + ": ";
  std::vector<std::string> lines;
  for (const Note& note : tick.notes) {
    const bool by_policy = note.text.starts_with(prefix);
    if (by_policy != (whom == NotesOf::policy)) continue;
    lines.push_back(by_policy ? note.text.substr(prefix.size()) : note.text);
  }
  return lines;
}

std::vector<std::string> tick_lines(const Tick& tick) {
  std::vector<std::string> lines;
  if (tick.policy_error) lines.push_back("the policy failed: " + tick.policy_error->text());
  for (const Decision& decision : tick.decisions) {
    if (lines.size() == kMaxLines) {
      lines.emplace_back("...");
      break;
    }
    std::string line = name_of(tick, decision.domain) + ": " +
                       (decision.holds() ? "stays at " + decision.actual.text()
                                         : move_text(decision.actual, decision.target) + " (" +
                                               change_text(decision.actual, decision.target) + ")");
    if (!decision.why.empty()) line += ", " + decision.why;
    if (decision.proposed != decision.target) line += "; asked for " + decision.proposed.text();
    for (std::size_t i = 0; i < decision.rules.size(); ++i) {
      line += (i == 0 ? "; " : ", ") + std::string(to_text(decision.rules[i].rule));
    }
    lines.push_back(std::move(line));
  }
  if (lines.empty()) lines.emplace_back("nothing was proposed");
  return lines;
}

}  // namespace memcoord::bindings::testing
