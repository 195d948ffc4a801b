// The sandbox, attacked: each of these, as a policy, costs its own tick and nothing else.

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "bindings/lua_policy.h"
#include "tests/world/world.h"

using namespace memcoord;
using namespace memcoord::bindings;
using namespace memcoord::test;

namespace {

SandboxLimits tight() {
  SandboxLimits limits;
  // Far off: what ends these is counted, so that a slow machine changes nothing.
  limits.time = std::chrono::seconds(20);
  limits.instructions = 3'000'000;
  limits.memory_bytes = std::size_t{16} << 20U;
  return limits;
}

std::unique_ptr<LuaPolicy> policy_that(const std::string& body, const std::string& before = "") {
  const std::string source = before +
                             "\nreturn { api = 1, summary = \"attacks\", tick = function(ctx)\n" +
                             body + "\nend }\n";
  auto policy = LuaPolicy::load_text(source, "attack.lua", {}, tight());
  if (!policy) FAIL(policy.error().text());
  return std::move(*policy);
}

const Seen& world() {
  static const Seen seen(World()
                             .host(8_GiB, free(4_GiB))
                             .domain("a", actual(512_MiB), unused(50_MiB))
                             .domain("b", actual(2_GiB), unused(1800_MiB)));
  return seen;
}

Error error_of(LuaPolicy& policy) {
  const auto answer = policy.decide(world().situation());
  if (answer) FAIL("the tick passed");
  return answer.error();
}

/// Attacks in the first tick; the second one has to be served.
std::string once(const std::string& attack) {
  return "if ctx.tick == 1 and not ctx.state.done then ctx.state.done = true\n" + attack +
         "\nend\nctx.domains[1]:hold('alive')";
}

void check_limit(const std::string& attack, const std::string& limit) {
  CAPTURE(attack);
  const auto policy = policy_that(once(attack));
  const Error error = error_of(*policy);
  CHECK(error.code == ErrorCode::limit_exceeded);
  CHECK(error.object.find("attack.lua") == 0);
  CHECK_MESSAGE(error.message.find(limit) != std::string::npos, error.message);
  const auto next = policy->decide(world().situation());
  REQUIRE(next.has_value());
  CHECK(next->proposals.size() == 1);
}

void check_refused(const std::string& attack, const std::string& message) {
  CAPTURE(attack);
  const auto policy = policy_that(once(attack));
  const Error error = error_of(*policy);
  CHECK(error.code == ErrorCode::policy_failed);
  CHECK(error.object.find("attack.lua:") == 0);
  CHECK_MESSAGE(error.message.find(message) != std::string::npos, error.message);
  CHECK(policy->decide(world().situation()).has_value());
}

}  // namespace

TEST_CASE("an endless loop ends at its limit, also around pcall, in a handler, in __close") {
  check_limit("while true do end", "ran past its limit of 3000000 instructions");
  check_limit("while true do pcall(function() while true do end end) end", "ran past its limit");
  check_limit("while true do pcall(error, 'x') end", "ran past its limit");
  check_limit("xpcall(function() while true do end end, function() while true do end end)",
              "ran past");
  check_limit("local x <close> = setmetatable({}, { __close = function() while true do end end })",
              "ran past");
}

TEST_CASE("a policy that takes too long ends at its time limit, whatever else it may use") {
  SandboxLimits limits = tight();
  limits.time = std::chrono::milliseconds(20);
  limits.instructions = std::uint64_t{1} << 60U;
  const std::string endless =
      "return { api = 1, summary = 's', tick = function(ctx) while true do end end }";
  const auto policy = LuaPolicy::load_text(endless, "attack.lua", {}, limits);
  REQUIRE(policy.has_value());
  const Error error = error_of(**policy);
  CHECK(error.code == ErrorCode::limit_exceeded);
  CHECK(error.message == "ran past its time limit of 20 ms");
}

TEST_CASE("an error object whose __tostring never ends is not asked for its text") {
  const auto policy =
      policy_that("error(setmetatable({}, { __tostring = function() while true do end end }))");
  CHECK(error_of(*policy).code == ErrorCode::policy_failed);
}

TEST_CASE("recursion without end is an error") {
  check_limit("local function f() return 1 + f() end f()", "memory limit");
  check_limit("local function f() pcall(f) return f() end f()", "ran past");
}

TEST_CASE("memory is bounded, whatever asks for it") {
  check_limit("local t = {} for i = 1, math.huge do t[i] = {} end", "memory limit of 16 MiB");
  check_limit("local s = 'x' while true do s = s .. s end", "limit of 1 MiB for one text");
  check_limit("local t = {} for i = 1, 1e9 do t[i] = ('x'):rep(1000) .. i end", "ran past");
  check_limit("pcall(function() local s = 'x' while true do s = s .. s end end)",
              "limit of 1 MiB for one text");
  check_refused("return ('x'):rep(10 * 1024 * MiB)", "more than 1 MiB");
}

TEST_CASE("library functions that run without counting are bounded or not there") {
  CHECK(policy_that("ctx.domains[1]:hold((''):rep(10^18 // 1))")->decide(world().situation()));
  check_refused("table.move({}, 1, 10^12 // 1, 2)", "too many slots");
  check_refused("table.unpack({}, 1, 10^9 // 1)", "too many values");
  const std::string lying =
      "local t = setmetatable({}, { __len = function() return 10^15 // 1 end }) ";
  CHECK(
      policy_that(lying + "table.concat(t) table.insert(t, 1, 1) table.remove(t, 1) table.sort(t)")
          ->decide(world().situation()));
  CHECK(policy_that("local t = {} for i = 1, 1000 do t[i] = i % 7 end "
                    "table.sort(t, function(a, b) return true end)")
            ->decide(world().situation()));
  for (const char* name : {"find", "match", "gmatch", "gsub", "dump", "pack"}) {
    check_refused(std::string("string.") + name + "('a', 'a')", std::string("has no '") + name);
  }
  check_refused("('a'):find('a')", "use glob(pattern, text)");
}

TEST_CASE("nothing of the system is reachable") {
  for (const char* name : {"io", "os", "debug", "require", "load", "loadstring", "dofile",
                           "coroutine", "collectgarbage", "print", "rawset", "_G", "package"}) {
    check_refused(std::string("local x = ") + name, std::string("has no '") + name + "'");
  }
  check_refused("math.random()", "has no 'random'");
  check_refused("setmetatable({}, { __gc = function() end })", "__gc is not available");
  const auto bytecode = LuaPolicy::load_text(std::string("\x1bLua\x54\0\x19\x93", 8), "b.lua");
  REQUIRE_FALSE(bytecode.has_value());
  CHECK(bytecode.error().message == "precompiled Lua is not accepted");
}

TEST_CASE("one tick cannot change what a later one sees") {
  check_refused("string.rep = nil", "cannot be changed");
  check_refused("math.floor = function() end", "cannot be changed");
  check_refused("x = 1", "assigning the global 'x'");
  check_refused("ctx.domains = {}", "ctx cannot be changed");
  check_refused("ctx.params.x = 1", "cannot be changed");
  check_refused("ctx.host.free = 0", "cannot be changed");
  check_refused("ctx.domains[1].actual = 5", "cannot be assigned");
  check_refused("setmetatable(ctx, {})", "protected");
  check_refused("getmetatable('').__index = nil", "index");
}

TEST_CASE("what a policy keeps is bounded too, and dropped when it is too much") {
  const auto policy = policy_that(
      "ctx.state.all = ctx.state.all or {} "
      "for i = 1, 100 do ctx.state.all[#ctx.state.all + 1] = ('x'):rep(5000) .. #ctx.state.all "
      "end");
  bool failed = false;
  for (int i = 0; i < 60 && !failed; ++i) {
    const auto answer = policy->decide(world().situation());
    if (answer) continue;
    failed = true;
    CHECK(answer.error().code == ErrorCode::limit_exceeded);
    CHECK(answer.error().hint.find("dropped") != std::string::npos);
  }
  CHECK(failed);
  CHECK(policy->decide(world().situation()).has_value());
}

TEST_CASE("texts from a policy are cut and made harmless") {
  const auto policy = policy_that(
      "ctx.domains[1]:hold(('x'):rep(1000000)) "
      "ctx.log.info('a\\27[2Jb\\0c\\xff') "
      "for i = 1, 1000 do ctx.log.warn('again') end");
  const auto answer = policy->decide(world().situation());
  REQUIRE(answer.has_value());
  CHECK(answer->proposals[0].why.size() <= 203);
  CHECK(answer->log[0].text == "a?[2Jb?c?");
  CHECK(answer->log.size() <= 21);
}

TEST_CASE("a target that is no size is an error with its place") {
  for (const char* bad : {"0/0", "math.huge", "1.5", "'512'", "nil", "true", "{}"}) {
    check_refused(std::string("ctx.domains[1]:set(") + bad + ", 'x')", "a size is a whole number");
  }
  check_refused("ctx.domains[1]:set(-5)", "cannot be negative");
  check_refused("ctx.domains[1]:hold() ctx.domains[1]:hold()", "set twice in one tick");
  check_refused("ctx.domains[1]:shrink(100 * GiB)", "by all that it has");
  const auto whole = policy_that("ctx.domains[1]:set(1024.0 * 600)");
  CHECK(whole->decide(world().situation())->proposals[0].target == 600_MiB);
}

TEST_CASE("a domain that is kept from an earlier tick is told apart") {
  const auto policy =
      policy_that("if ctx.state.d then ctx.state.d:hold() end ctx.state.d = ctx.domains[1]");
  CHECK(policy->decide(world().situation()).has_value());
  CHECK(error_of(*policy).message.find("earlier tick") != std::string::npos);
}
