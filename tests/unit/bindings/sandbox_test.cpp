// Attacks on the sandbox: each of these policies costs its own tick and nothing else.

#include <doctest/doctest.h>
#include <pthread.h>

#include <csignal>
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
  // Far off: counted limits end these policies, so that a slow machine changes nothing.
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

const Observed& world() {
  static const Observed observed(World()
                                     .host(8_GiB, free(4_GiB))
                                     .domain("a", actual(512_MiB), unused(50_MiB))
                                     .domain("b", actual(2_GiB), unused(1800_MiB)));
  return observed;
}

Error error_of(LuaPolicy& policy) {
  const auto answer = policy.decide(world().situation());
  if (answer) FAIL("the tick passed");
  return answer.error();
}

/// Attacks in the first tick; the second one must succeed.
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

/// How often a statement runs after its setup until a limit ends the tick.
long rounds_until(const std::string& limit, const std::string& setup, const std::string& statement,
                  SandboxLimits limits = tight()) {
  CAPTURE(statement);
  const std::string source =
      setup + "\nreturn { api = 1, summary = 's', tick = function(ctx)\n" +
      "if ctx.state.n then return ctx.log.info(ctx.state.n) end ctx.state.n = 0\n" +
      "while true do ctx.state.n = ctx.state.n + 1 " + statement + " end end }";
  const auto policy = LuaPolicy::load_text(source, "attack.lua", {}, limits);
  if (!policy) FAIL(policy.error().text());
  const Error error = error_of(**policy);
  CHECK_MESSAGE(error.message.find(limit) != std::string::npos, error.message);
  (*policy)->decide(world().situation());  // may spend its time on the garbage of the first
  const auto next = (*policy)->decide(world().situation());
  REQUIRE(next.has_value());
  REQUIRE(next->log.size() == 1);
  return std::stol(next->log[0].text);
}

}  // namespace

TEST_CASE("an endless loop ends at its limit around pcall, in a handler and in __close") {
  check_limit("while true do end", "exceeded its limit of 3000000 instructions");
  check_limit("while true do pcall(function() while true do end end) end", "exceeded its limit");
  check_limit("while true do pcall(error, 'x') end", "exceeded its limit");
  check_limit("xpcall(function() while true do end end, function() while true do end end)",
              "exceeded");
  check_limit("local x <close> = setmetatable({}, { __close = function() while true do end end })",
              "exceeded");
}

TEST_CASE("a policy that takes too long ends at its time limit, whatever its other limits") {
  SandboxLimits limits = tight();
  limits.time = std::chrono::milliseconds(20);
  limits.instructions = std::uint64_t{1} << 60U;
  const std::string endless =
      "return { api = 1, summary = 's', tick = function(ctx) while true do end end }";
  const auto policy = LuaPolicy::load_text(endless, "attack.lua", {}, limits);
  REQUIRE(policy.has_value());
  const Error error = error_of(**policy);
  CHECK(error.code == ErrorCode::limit_exceeded);
  CHECK(error.message == "exceeded its time limit of 20 ms");
}

TEST_CASE("the time limit ends a policy at the next instruction, even if each takes long") {
  SandboxLimits limits = tight();
  limits.time = std::chrono::milliseconds(1);
  // Lua compares strings of zeros zero by zero: a million of them take milliseconds.
  const std::string zeros =
      "local a = ('\\0'):rep(2^20 // 1 - 1) .. 'a' "
      "local b = ('\\0'):rep(2^20 // 1 - 1) .. 'b'";
  CHECK(rounds_until("time limit of 1 ms", zeros, "local x = a < b", limits) <= 3);
}

TEST_CASE("a policy that ends past its limit, before the clock is read, has failed") {
  SandboxLimits limits = tight();
  limits.time = std::chrono::microseconds(0);
  const auto policy = LuaPolicy::load_text(
      "return { api = 1, summary = 's', tick = function(ctx) end }", "attack.lua", {}, limits);
  REQUIRE(policy.has_value());
  // Without the timer's signal, and with no instruction that the hook would see.
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  pthread_sigmask(SIG_BLOCK, &all, &before);
  const Error error = error_of(**policy);
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  CHECK(error.message == "exceeded its time limit of 0 ms");
}

TEST_CASE("a call within another ends by the outer deadline") {
  Sandbox outer(tight());
  SandboxLimits longer = tight();
  longer.instructions = std::uint64_t{1} << 60U;
  longer.time = std::chrono::minutes(10);
  const auto endless = LuaPolicy::load_text(
      "return { api = 1, summary = 's', tick = function(ctx) while true do end end }", "attack.lua",
      {}, longer);
  REQUIRE(endless.has_value());
  bool inner_ended = false;
  const auto ran = outer.run(
      [&](lua_State*) { inner_ended = !(*endless)->decide(world().situation()).has_value(); },
      std::chrono::steady_clock::now() + std::chrono::milliseconds(20));
  CHECK(inner_ended);
  REQUIRE_FALSE(ran.has_value());
  CHECK(ran.error().code == ErrorCode::limit_exceeded);
}

TEST_CASE("__call and __close take only functions written in Lua") {
  for (const char* event : {"__call", "__close"}) {
    for (const char* value : {"pairs", "setmetatable({}, {})", "{}", "1", "'x'"}) {
      check_refused(std::string("setmetatable({}, { ") + event + " = " + value + " })",
                    "must be a function written in Lua");
    }
  }
  const auto policy = policy_that(
      "local called = setmetatable({}, { __call = function(self, x) return x + 1 end }) "
      "local closed = 0 "
      "do local c <close> = setmetatable({}, { __close = function() closed = closed + 1 end }) end "
      "ctx.log.info(called(1) .. ' ' .. closed)");
  CHECK(policy->decide(world().situation())->log[0].text == "2 1");
}

TEST_CASE("variables that wait to be closed cost nothing once a limit is passed") {
  const std::string deep =
      "local closed = 0 "
      "local t = setmetatable({}, { __close = function() closed = closed + 1 end }) "
      "local function deep(n) local a <close> = t local b <close> = t "
      "if n > 0 then deep(n - 1) end while true do end end";
  const auto policy = policy_that(
      "if ctx.state.again then return ctx.log.info(closed) end "
      "ctx.state.again = true deep(10000)",
      deep);
  CHECK(error_of(*policy).code == ErrorCode::limit_exceeded);
  CHECK(policy->decide(world().situation())->log[0].text == "0");
}

TEST_CASE("a metatable stays as it was when it was set") {
  const auto said = [](const std::string& body) {
    const auto answer = policy_that(body)->decide(world().situation());
    if (!answer) return answer.error().message;
    return answer->log.at(0).text;
  };
  CHECK(said("local y = setmetatable({}, {}) getmetatable(y).__call = y y()")
            .find("attempt to call a table value") != std::string::npos);
  CHECK(said("local mt = {} local w = setmetatable({}, mt) mt.__mode = 'k' "
             "for i = 1, 20000 do w[{}] = true end local n = 0 for _ in pairs(w) do n = n + 1 end "
             "ctx.log.info(n)") == "20000");
  const std::string class_of = "local C = {} C.__index = C function C.name() return 'C' end ";
  CHECK(said(class_of + "local a = setmetatable({}, C) "
                        "ctx.log.info(a.name() .. tostring(getmetatable(a) == C))") == "Ctrue");
  CHECK(said("local mt = { __len = function() return 1 end } local a = setmetatable({}, mt) "
             "mt.__len = function() return 2 end local b = setmetatable({}, mt) "
             "ctx.log.info(#a .. ' ' .. #b)") == "1 2");
}

TEST_CASE("library functions are charged for the data that they touch") {
  // Each touches a million bytes, or thousands of slots: the limit allows a few hundred calls.
  const std::string setup =
      "local function long(c) local s = c while #s < 2^20 // 1 do s = s .. s end return s end "
      "local text, digits, zeros = long('x'), long('0'), long('\\0'):sub(1, 500000) "
      "local list = {} for i = 1, 40000 do list[i] = i end local few = {} "
      "for i = 1, 4000 do few[i] = 'k' .. i end local named = {} "
      "for i = 1, 4000 do named['k' .. i] = i end local huge = {} "
      "for i = 1, 20 do huge[i] = zeros .. (i * 7 % 20) end";
  for (const char* statement : {"text:upper()",
                                "text:lower()",
                                "text:reverse()",
                                "text:byte(1, 9000)",
                                "utf8.len(text)",
                                "utf8.codepoint(text, 1, 9000)",
                                "tonumber(digits)",
                                "tonumber(digits, 10)",
                                "math.tointeger(digits)",
                                "('x'):rep(2^20 // 1)",
                                "('%s'):format(digits:sub(1, 1000000))",
                                "string.format(digits)",
                                "rawequal(text, digits)",
                                "table.unpack(list)",
                                "table.pack(table.unpack(list))",
                                "select(1, table.unpack(list))",
                                "math.max(table.unpack(list))",
                                "table.concat(list)",
                                "table.concat(list, ',', 1, 20000)",
                                "table.insert(list, 1, 1) list[#list] = nil",
                                "table.remove(list, 1) list[#list + 1] = 1",
                                "table.move(list, 1, 40000, 2)",
                                "table.sort(list)",
                                "table.sort(few)",
                                "table.sort(huge)",
                                "pairs(list)",
                                "pairs(named)",
                                "glob(('*x'):rep(400), ('x'):rep(9000))",
                                "ctx.domains:filter(tostring)",
                                "ctx.domains:sum('actual')"}) {
    const bool small = std::string(statement).starts_with("ctx");
    CHECK_MESSAGE(
        rounds_until("limit of 3000000 instructions", setup, statement) < (small ? 400'000 : 600),
        statement);
  }
}

TEST_CASE("the work for a message is bounded and charged") {
  const std::string many =
      "local params = {} for i = 1, 3000 do params['name' .. i] = { default = 1, doc = 'd' } end "
      "return { api = 1, summary = 's', params = params, tick = function(ctx) "
      "return ctx.params.nane1 end }";
  const auto policy = LuaPolicy::load_text(many, "attack.lua", {}, tight());
  REQUIRE(policy.has_value());
  CHECK(error_of(**policy).message == "ctx.params has no 'nane1'");
  // A message is charged.
  CHECK(rounds_until("limit of 3000000 instructions", "",
                     "pcall(function() return string.fomat end)") < 6000);
}

TEST_CASE("one table, the stack and one string have limits of their own") {
  SandboxLimits limits = tight();
  limits.memory_bytes = std::size_t{64} << 20U;
  const auto error_in = [&](const std::string& body) {
    const auto policy = LuaPolicy::load_text(
        "return { api = 1, summary = 's', tick = function(ctx) " + body + " end }", "attack.lua",
        {}, limits);
    return error_of(**policy).message;
  };
  CHECK(error_in("local t = {} for i = 1, 300000 do t[i] = true end") ==
        "exceeded the limit of 4 MiB for one table or the stack");
  CHECK(error_in("local function f(...) return f(1, 2, 3, 4, 5, 6, 7, 8, ...) end f()") ==
        "exceeded the limit of 4 MiB for one table or the stack");
  CHECK(error_in("local s = ('x'):rep(2^20 // 1) return s .. s .. s .. s .. s .. s .. s .. s") ==
        "exceeded the limit of 1 MiB for one string");
  CHECK(error_in("local s = ('x'):rep(2^20 // 1) local t = {} for i = 1, 100 do t[i] = s end "
                 "return table.concat(t)") ==
        "table.concat would make a string of more than 1 MiB");
  CHECK(error_in("local s = ('x'):rep(2^19 // 1) return ('%s%s%s'):format(s, s, s)") ==
        "string.format would make a string of more than 1 MiB");
}

TEST_CASE("garbage is collected under the limits, and small objects count") {
  const auto garbage = policy_that("for i = 1, 200000 do local t = { i, i, i, i } end");
  CHECK(garbage->decide(world().situation()).has_value());
  // Lua alone would begin a collection when the live data has doubled, past the limit.
  const auto keeps = policy_that("for i = 1, 10000 do local t = { i, i, i, i } end",
                                 "local kept = {} for i = 1, 100000 do kept[i] = {} end");
  CHECK(keeps->decide(world().situation()).has_value());
  // 130,000 empty tables are 9 MB; the collector walks through each of them.
  check_limit("local t = {} for i = 1, 130000 do t[i] = {} end", "memory limit of 16 MiB");
}

TEST_CASE("texts of tables and functions are the same in every run") {
  const auto policy = policy_that(
      "local f = function() end "
      "ctx.log.info(tostring({}) .. ' ' .. tostring(f) .. ' ' .. tostring(pairs)) "
      "ctx.log.info(('%s %s %5.1f %d'):format({}, f, 2, 3)) "
      "ctx.log.info(tostring(setmetatable({}, { __name = 'Guest' }))) "
      "ctx.log.info(tostring(setmetatable({}, { __tostring = function() return 'mine' end }))) "
      "ctx.log.info(tostring(nil) .. ' ' .. tostring(1) .. ' ' .. tostring('x'))"
      "ctx.log.info(tostring(ctx.domains[1]) .. ' ' .. ('%s'):format(ctx.domains[1]))");
  const auto answer = policy->decide(world().situation());
  if (!answer) FAIL(answer.error().text());
  const std::vector<std::string> expected{
      "table function function", "table function   2.0 3", "Guest", "mine", "nil 1 x", "a a"};
  REQUIRE(answer->log.size() == expected.size());
  for (std::size_t i = 0; i < expected.size(); ++i) CHECK(answer->log[i].text == expected[i]);
  check_refused("return ('%p'):format({})", "'%p' is not available");
}

TEST_CASE("an error object's __tostring does not run") {
  const auto policy =
      policy_that("error(setmetatable({}, { __tostring = function() while true do end end }))");
  CHECK(error_of(*policy).code == ErrorCode::policy_failed);
}

TEST_CASE("recursion without end is an error") {
  check_limit("local function f() return 1 + f() end f()", "memory limit");
  check_limit("local function f() pcall(f) return f() end f()", "exceeded");
}

TEST_CASE("memory is bounded, whatever allocates it") {
  check_limit("local t = {} for i = 1, math.huge do t[i] = {} end", "memory limit of 16 MiB");
  check_limit("local s = 'x' while true do s = s .. s end", "limit of 1 MiB for one string");
  check_limit("local t = {} for i = 1, 1e9 do t[i] = ('x'):rep(1000) .. i end", "exceeded");
  check_limit("pcall(function() local s = 'x' while true do s = s .. s end end)",
              "limit of 1 MiB for one string");
  check_refused("return ('x'):rep(10 * 1024 * MiB)", "more than 1 MiB");
}

TEST_CASE("library functions that Lua does not count are bounded or missing") {
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

TEST_CASE("a policy reaches nothing of the system") {
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

TEST_CASE("a tick cannot change the data of a later tick") {
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

TEST_CASE("a policy's state is bounded, and dropped when it grows too large") {
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

TEST_CASE("texts from a policy are cut, and control characters replaced") {
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

TEST_CASE("a target that is not a size is an error with its place") {
  for (const char* bad : {"0/0", "math.huge", "1.5", "'512'", "nil", "true", "{}"}) {
    check_refused(std::string("ctx.domains[1]:set(") + bad + ", 'x')", "a size is a whole number");
  }
  check_refused("ctx.domains[1]:set(-5)", "cannot be negative");
  check_refused("ctx.domains[1]:hold() ctx.domains[1]:hold()", "set twice in one tick");
  check_refused("ctx.domains[1]:shrink(100 * GiB)", "takes all of its memory");
  const auto whole = policy_that("ctx.domains[1]:set(1024.0 * 600)");
  CHECK(whole->decide(world().situation())->proposals[0].target == 600_MiB);
}

TEST_CASE("a domain object of an earlier tick is refused") {
  const auto policy =
      policy_that("if ctx.state.d then ctx.state.d:hold() end ctx.state.d = ctx.domains[1]");
  CHECK(policy->decide(world().situation()).has_value());
  CHECK(error_of(*policy).message.find("earlier tick") != std::string::npos);
}
