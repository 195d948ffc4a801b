// policy("file.lua") and the methods of its result: p:tick { ... } and p:run { ... }.

#include <lauxlib.h>
#include <lua.h>

#include <array>
#include <charconv>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "bindings/lua_policy.h"
#include "bindings/sandbox.h"
#include "bindings/script_tables.h"
#include "bindings/testing/policy_harness.h"
#include "bindings/testing/test_context.h"
#include "bindings/testing/test_tables.h"
#include "bindings/value.h"

namespace memcoord::bindings::testing {
namespace {

const char kPolicyMetatable = 1;  // key of the registry

constexpr std::size_t kMaxTicks = 100'000;
constexpr std::size_t kMaxDomains = 10'000;
// The charge for a tick, in instructions of the test.
constexpr std::uint64_t kWorkPerTick = 200;
constexpr std::uint64_t kWorkPerDomain = 50;

[[noreturn]] void raise_plain(lua_State* lua, const std::string& message) {
  lua_pushlstring(lua, message.data(), message.size());
  lua_error(lua);
  std::abort();  // lua_error does not return
}

/// A value as --set takes it; none if --set cannot take it.
std::optional<std::string> setting_text(const Value& value) {
  if (const auto* flag = value.as<bool>()) return *flag ? "true" : "false";
  if (const auto* integer = value.as<std::int64_t>()) return std::to_string(*integer);
  if (const auto* text = value.as<std::string>()) return *text;
  if (const auto* number = value.as<double>()) {
    std::array<char, 40> digits{};
    const auto [end, problem] =
        std::to_chars(digits.data(), digits.data() + digits.size(), *number);
    if (problem == std::errc()) return std::string(digits.data(), end);
  }
  return std::nullopt;
}

LuaPolicy::Settings check_settings(lua_State* lua, int index) {
  LuaPolicy::Settings settings;
  if (lua_isnoneornil(lua, index)) return settings;
  const Value given = read_value(lua, index, NotPlain::raise);
  const auto* table = given.as<Value::Table>();
  if (!table || !table->items.empty()) {
    raise(lua,
          "parameters are a table by name: policy(\"halving.lua\", { starved_below = 100*MiB })");
  }
  for (const auto& [name, value] : table->fields) {
    const auto text = setting_text(value);
    if (!text) raise(lua, "parameter " + name + " is " + std::string(value.kind()));
    settings[name] = *text;
  }
  return settings;
}

/// The instructions and memory of a real tick, but more time, so that tests pass on a busy machine.
SandboxLimits policy_limits() {
  SandboxLimits limits;
  limits.time = std::chrono::seconds(10);
  return limits;
}

std::unique_ptr<LuaPolicy> load(lua_State* lua, const TestContext::PolicyUnderTest& policy) {
  auto loaded = LuaPolicy::load(policy.path, policy.settings, policy_limits(), NumberAsSize::kib);
  if (!loaded) raise(lua, loaded.error().text());
  return std::move(*loaded);
}

int declare_policy(lua_State* lua) {
  if (lua_type(lua, 1) != LUA_TSTRING) raise(lua, "policy() takes a file's name");
  TestContext& context = TestContext::of(lua);
  TestContext::PolicyUnderTest policy{context.file().parent_path() / lua_tostring(lua, 1),
                                      check_settings(lua, 2)};
  load(lua, policy);  // so that a policy that does not load fails here
  auto* slot = static_cast<std::size_t*>(lua_newuserdatauv(lua, sizeof(std::size_t), 0));
  *slot = context.policies.size();
  context.policies.push_back(std::move(policy));
  lua_rawgetp(lua, LUA_REGISTRYINDEX, &kPolicyMetatable);
  lua_setmetatable(lua, -2);
  return 1;
}

const TestContext::PolicyUnderTest& check_policy(lua_State* lua, const char* method) {
  const auto* slot = static_cast<const std::size_t*>(lua_touserdata(lua, 1));
  bool ours = slot != nullptr && lua_getmetatable(lua, 1) != 0;
  if (ours) {
    lua_rawgetp(lua, LUA_REGISTRYINDEX, &kPolicyMetatable);
    ours = lua_rawequal(lua, -1, -2) != 0;
    lua_pop(lua, 2);
  }
  if (!ours) raise(lua, std::string("write p:") + method + " { ... }, with a colon");
  return TestContext::of(lua).policies.at(*slot);
}

/// Plays worlds one after another to a freshly loaded policy.
class Play {
 public:
  Play(lua_State* lua, const TestContext::PolicyUnderTest& policy)
      : lua_(lua), context_(TestContext::of(lua)), policy_(policy) {
    origin_.file = context_.file().string();
    origin_.source = context_.source();
    origin_.line = calling_line(lua);
  }

  /// Pushes the tick's table.
  void next(const Value& world) {
    charge_lookups(world);
    if (!harness_) {
      MockWorld first = default_world();
      check(lay_over(first, world, origin_));
      auto limits = limits_in(world, origin_);
      if (!limits) raise_plain(lua_, limits.error().text());
      harness_.emplace(load(lua_, policy_), *limits, std::move(first));
    } else {
      if (world.field("limits") || world.field("time")) {
        raise(lua_, "limits and time belong in the first tick of a run");
      }
      check(lay_over(harness_->world(), world, origin_));
    }
    charge(lua_, kWorkPerTick + kWorkPerDomain * harness_->world().domains.size());
    const Tick tick = harness_->play();
    context_.last_tick = tick_lines(tick);
    push_tick(lua_, {tick, harness_->answer(), harness_->world()});
  }

 private:
  /// The world finds each domain by its name.
  void charge_lookups(const Value& world) {
    const Value* domains = world.field("domains");
    const auto* list = domains ? domains->as<Value::Table>() : nullptr;
    const std::size_t named = list ? list->items.size() : 0;
    const std::size_t present = harness_ ? harness_->world().domains.size() : 0;
    if (named > kMaxDomains) raise(lua_, "a world of more than 10000 domains");
    charge(lua_, named * (present + named) / 8);
  }
  void check(const Status& status) {
    if (!status) raise_plain(lua_, status.error().text());
  }

  lua_State* lua_;
  TestContext& context_;
  const TestContext::PolicyUnderTest& policy_;
  TableOrigin origin_;
  std::optional<PolicyHarness> harness_;
};

int play_tick(lua_State* lua) {
  const auto& policy = check_policy(lua, "tick");
  const Value world = read_value(lua, 2, NotPlain::raise);
  if (!world.as<Value::Table>()) raise(lua, "tick takes a world: p:tick { domains = { ... } }");
  Play(lua, policy).next(world);
  return 1;
}

int play_run(lua_State* lua) {
  const auto& policy = check_policy(lua, "run");
  const Value worlds = read_value(lua, 2, NotPlain::raise);
  const auto* table = worlds.as<Value::Table>();
  if (!table || table->items.empty() || !table->fields.empty()) {
    raise(lua, "run takes a list of worlds, one a tick: p:run { { domains = { ... } }, { ... } }");
  }
  if (table->items.size() > kMaxTicks) raise(lua, "a run of more than 100000 ticks");
  Play play(lua, policy);
  lua_newtable(lua);
  for (std::size_t i = 0; i < table->items.size(); ++i) {
    play.next(table->items[i]);
    lua_rawseti(lua, -2, static_cast<lua_Integer>(i) + 1);
  }
  return 1;
}

}  // namespace

void open_policies(lua_State* lua) {
  lua_newtable(lua);
  lua_newtable(lua);
  lua_pushcfunction(lua, play_tick);
  lua_setfield(lua, -2, "tick");
  lua_pushcfunction(lua, play_run);
  lua_setfield(lua, -2, "run");
  make_read_only(lua, "a policy under test");
  lua_setfield(lua, -2, "__index");
  lua_pushliteral(lua, "protected");
  lua_setfield(lua, -2, "__metatable");
  lua_rawsetp(lua, LUA_REGISTRYINDEX, &kPolicyMetatable);
  lua_pushcfunction(lua, declare_policy);
  Sandbox::set_global(lua, "policy");
}

}  // namespace memcoord::bindings::testing
