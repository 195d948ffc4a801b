#include <doctest/doctest.h>

#include <chrono>
#include <cstddef>
#include <string>

#include "tests/unit/bindings/policy_test_run.h"

using namespace memcoord;
using namespace memcoord::bindings::testing;
using namespace memcoord::test;

namespace {

/// Checks that a statement, on line 4 of the test file, fails with one message at that line.
void has_message(const std::string& statement, const std::string& message) {
  const std::string output = failure_of("local tick = step:tick {}\n" + statement);
  CHECK_MESSAGE(contains(output, "step_test.lua:4: " + message + "\n"), output);
  CHECK_MESSAGE(contains(output, "         " + statement + "\n"), output);
  CHECK_MESSAGE(!contains(output, "?: in"), output);
}

}  // namespace

TEST_CASE("every expectation can hold") {
  passes(R"(
    expect({ 1, { "x" } }):equals { 1, { "x" } }
    expect(1):differs_from(2)
    expect(2):is_at_least(2)
    expect(2):is_at_most(2)
    expect(2):is_more_than(1)
    expect(2):is_less_than(3)
    expect(2):is_between(1, 3)
    expect(2):is_near(2.5, 0.5)
    expect({}):is_empty()
    expect(""):is_empty()
    expect({ "a", "b" }):contains("b")
    expect("abc"):contains("b")
    expect({ "a" }):lacks("b")
    expect(nil):is_nil()
    expect(true):is_true()
    expect(false):is_false()
    expect("a starved domain"):matches("*starved*")
    expect_error(function() error("broken") end, "*broken")
  )");
}

TEST_CASE("every expectation can fail, and then reports the expected and the actual value") {
  const auto fails = [](const std::string& expectation, const std::string& wanted) {
    const std::string output = failure_of(expectation);
    CHECK_MESSAGE(contains(output, "expected  " + wanted + "\n"), output);
  };
  fails("expect({ 1, 2 }):equals { 1 }", "{ 1 }");
  fails("expect({ 1 }):equals { 1, 2 }", "{ 1, 2 }");
  fails("expect(1):differs_from(1)", "anything but 1");
  fails("expect(1):is_at_least(2)", "at least 2");
  fails("expect(3):is_at_most(2)", "at most 2");
  fails("expect(2):is_more_than(2)", "more than 2");
  fails("expect(2):is_less_than(2)", "less than 2");
  fails("expect(4):is_between(1, 3)", "from 1 to 3");
  fails("expect(4):is_near(2, 1)", "2, give or take 1");
  fails("expect({ a = 1 }):is_empty()", "nothing in it");
  fails("expect({}):contains(\"a\")", "something with \"a\" in it");
  fails("expect({ \"a\" }):lacks(\"a\")", "something without \"a\" in it");
  fails("expect(1):is_nil()", "nil");
  fails("expect(1):is_true()", "true");
  fails("expect(nil):is_false()", "false");
  fails("expect(\"a\"):matches(\"b*\")", "a string like \"b*\"");
  fails("expect_error(function() end, \"*\")", "an error like \"*\"");
  fails("expect(nil):is_at_least(1)", "at least 1");
}

TEST_CASE("an expectation that fails in pcall or expect_error fails the test") {
  failure_of("pcall(function() expect(1):equals(2) end)");
  failure_of("expect_error(function() expect(1):equals(2) end, \"*\")");
}

TEST_CASE("a failed expectation has the line of its call, however the test calls it") {
  const auto fails_at = [](const std::string& body, const std::string& line) {
    const std::string output = failure_of(body);
    CHECK_MESSAGE(contains(output, "step_test.lua:" + line + ":\n"), output);
  };
  fails_at("local x = 1\nexpect(x)\n  :equals(2)", "4");
  fails_at("local function check(x)\n  expect(x):is_nil()\nend\ncheck(1)", "4");
  fails_at("local e = expect(1)\npcall(e.equals, e, 2)", "4");
  fails_at("return expect(1):equals(2)", "3");
  fails_at("local function broken() expect(1):equals(2) end\nexpect_error(broken, \"*\")", "3");
}

TEST_CASE("a wrong use of an expectation is one message at the test's line") {
  has_message("expect(1).equals(2)", "write expect(value):equals(...), with a colon");
  has_message("expect(1).is_nil(tick)", "write expect(value):is_nil(...), with a colon");
  has_message("expect(1).is_nil()", "write expect(value):is_nil(...), with a colon");
  has_message("expect(1):equals()", "give a value to compare with; write nil to compare with nil");
  has_message("expect({}):contains()",
              "give a value to compare with; write nil to compare with nil");
  has_message("expect(1):is_at_least()", "give a number to compare with, not a nil");
  has_message("expect(1):is_near(1, \"x\")", "give a number to compare with, not a string");
  has_message("expect(\"a\"):matches(5)", "give a pattern with * and ?, such as \"*starved*\"");
  has_message("expect(\"a\"):matches((\"x\"):rep(1001))",
              "a pattern of more than 1000 bytes, or a string of more than 10000");
  has_message("expect_error(5, \"*\")", "expect_error takes a function or a tick, not a number");
  has_message("expect_error(tick)", "give a pattern with * and ?, such as \"*starved*\"");
  has_message("expect(1).equals = nil", "the result of expect() cannot be changed");
  has_message("expect(tick).value = 1", "the result of expect() cannot be changed");
  has_message("setmetatable(expect(1), {})", "this metatable is protected");
  has_message("local a, b = {}, {} a[1], b[1] = a, b expect(a):equals(b)",
              "tables nested more than 50 deep, or within themselves");
}

TEST_CASE("an expectation runs no metamethod of the compared values") {
  passes(R"(
    local function never() error("a metamethod ran") end
    local odd = { __index = never, __eq = never, __len = never, __lt = never, __pairs = never }
    local function made(entries) return setmetatable(entries, odd) end
    expect(made { 1, a = 2 }):equals(made { 1, a = 2 })
    expect(made { 1 }):differs_from(made { 1, 2 })
    expect(made { 1 }):differs_from(made {})
    expect(made {}):is_empty()
    expect(made { "x" }):contains("x")
    expect(made { "x" }):lacks("y")
  )");
  const std::string output = failure_of(
      "expect(setmetatable({ a = 1 }, { __tostring = error, __index = error })):is_nil()");
  CHECK_MESSAGE(contains(output, "got       { a = 1 }\n"), output);
}

TEST_CASE("integers and floats compare by their value, and nan is not a number") {
  passes(R"(
    expect(1):equals(1.0)
    expect({ 2.0 }):contains(2)
    expect(0/0):differs_from(0/0)
    expect(math.maxinteger):is_more_than(math.maxinteger - 1)
  )");
  CHECK(contains(failure_of("expect(0/0):is_between(1, 2)"), "expected  from 1 to 2\n"));
}

TEST_CASE("an expectation shows any text on one line") {
  const std::string output = failure_of("expect(\"a\\n\\27[31mb\"):matches(\"c\\n*\")");
  CHECK_MESSAGE(contains(output, "expected  a string like \"c *\"\n"), output);
  CHECK_MESSAGE(contains(output, "got       \"a ?[31mb\"\n"), output);
}

TEST_CASE("comparing, matching and showing values is charged") {
  bindings::testing::TestOptions options;
  options.limits = {std::chrono::minutes(2), 1'000'000, std::size_t{64} << 20U};
  const std::string setup =
      "local function fan() local t = {} for i = 1, 40 do t = { t, t } end return t end\n"
      "local function wide(n) local t = {} for i = 1, 100 do t['k' .. i] = n > 0 and wide(n - 1) "
      "or i end return t end\n"
      "local w = {} for i = 1, 100 do w['k' .. i] = i end "
      "for d = 1, 3 do local v = {} for i = 1, 100 do v['k' .. i] = w end w = v end\n";
  for (const char* body :
       {"expect(fan()):equals(fan())", "expect({ fan() }):contains(fan())", "expect(w):is_nil()",
        "while true do expect(('x'):rep(9000)):matches(('*x'):rep(400)) end",
        "while true do expect(('x'):rep(2^19 // 1)):lacks('y') end",
        "while true do step:tick({}) end"}) {
    CAPTURE(body);
    const PolicyTestRun ran = run(setup + "test('it', function() " + body + " end)", options);
    CHECK(ran.counts.failed == 1);
    CHECK_MESSAGE(
        ran.output.find("exceeded its limit of 1000000 instructions") != std::string::npos,
        ran.output);
  }
}
