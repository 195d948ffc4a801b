#include <doctest/doctest.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "bindings/testing/policy_tests.h"
#include "tests/text.h"
#include "tests/unit/bindings/policy_test_folder.h"

using namespace memcoord;
using namespace memcoord::bindings::testing;
using memcoord::test::PolicyTestFolder;

namespace {

/// A policy that is simple to predict: grows every domain under 100 MiB by 50 MiB.
constexpr const char* kPolicy = R"(return {
  api = 1,
  summary = "for the tests of tests",
  params = { step = { default = "50MiB", doc = "one step" } },
  tick = function(ctx)
    ctx.state.ticks = (ctx.state.ticks or 0) + 1
    ctx.log.info("tick " .. ctx.state.ticks)
    if #ctx.domains == 7 then error("seven is too many") end
    for _, d in ipairs(ctx.domains) do
      if d.headroom < 100*MiB then d:grow(ctx.params.step, "was short") end
    end
  end,
}
)";

struct Run {
  TestCounts counts;
  std::string output;
};

/// Runs one test file beside the policy step.lua.
Run run(const std::string& tests, TestOptions options = {}) {
  const PolicyTestFolder folder;
  folder.write("step.lua", kPolicy);
  folder.write("step_test.lua", "local step = policy(\"step.lua\")\n" + tests);
  std::ostringstream out;
  const auto counts = run_policy_tests({folder.path()}, options, out);
  REQUIRE_MESSAGE(counts, counts.error().text());
  return {*counts, out.str()};
}

TestOptions filtered(std::string filter) {
  TestOptions options;
  options.filter = std::move(filter);
  return options;
}
TestOptions quiet() {
  TestOptions options;
  options.quiet = true;
  return options;
}
TestOptions colored() {
  TestOptions options;
  options.color = true;
  return options;
}
TestOptions with_junit(std::filesystem::path path) {
  TestOptions options;
  options.junit = std::move(path);
  return options;
}

/// The output of one test, which is meant to fail.
std::string failure_of(const std::string& body) {
  const Run ran = run("test(\"it\", function()\n" + body + "\nend)\n");
  INFO(ran.output);
  CHECK(ran.counts.failed == 1);
  return ran.output;
}

/// One test that is meant to pass.
void passes(const std::string& body) {
  const Run ran = run("test(\"it\", function()\n" + body + "\nend)\n");
  INFO(ran.output);
  CHECK(ran.counts.passed == 1);
  CHECK(ran.counts.failed == 0);
}

}  // namespace

TEST_CASE("each test gets a line, and the counts come last") {
  const Run ran = run(R"(
    test("one", function() expect(1):equals(1) end)
    test("two", function() expect(2):is_at_least(1) end)
  )");
  CHECK(contains(ran.output, "  ok   one\n  ok   two\n"));
  CHECK(ran.output.ends_with("\n2 passed, 0 failed\n"));
}

TEST_CASE("a test sees what the policy proposed and what the guard decided") {
  passes(R"(
    local tick = step:tick {
      host = { total = 8*GiB, free = 4*GiB },
      domains = {
        { name = "short", actual = 512*MiB, maximum = 540*MiB, unused = 20*MiB },
        { name = "plain" },
      },
    }
    expect(tick.proposals.short):equals { target = 562*MiB, why = "was short" }
    expect(tick.proposals.plain):is_nil()
    expect(tick.decisions.short.target):equals(540*MiB)
    expect(tick.decisions.short.rules):equals { "maximum" }
    expect(tick.decisions.short.actual):equals(512*MiB)
    expect(tick.after.short.actual):equals(540*MiB)
    expect(tick.log):equals { "tick 1" }
    expect(tick.error):is_nil()
  )");
}

TEST_CASE("a run keeps the policy's state, time goes on, and guests follow their balloons") {
  passes(R"(
    local ticks = step:run {
      { domains = { { name = "a", actual = 1*GiB, unused = 20*MiB } } },
      {},
      { domains = { { name = "a", unused = 10*MiB }, { name = "b", unused = 1*MiB } } },
      { domains = { { name = "b", gone = true } } },
    }
    expect(ticks[1].after.a.unused):equals(70*MiB)
    expect(ticks[2].proposals.a.target):equals(1*GiB + 100*MiB)
    expect(ticks[3].proposals.b.target):equals(1*GiB + 50*MiB)
    expect(ticks[3].log):contains("tick 3")
    expect_error(function() return ticks[4].proposals.b end, "*the tick has no 'b'*")
  )");
}

TEST_CASE("every tick{} begins with a fresh policy") {
  passes(R"(
    expect(step:tick({}).log):contains("tick 1")
    expect(step:tick({}).log):contains("tick 1")
  )");
}

TEST_CASE("parameters are set as an operator would") {
  const Run ran = run(R"(
    local large = policy("step.lua", { step = 200*MiB })
    test("it", function()
      local tick = large:tick { domains = { { name = "a", actual = 1*GiB, unused = 0 } } }
      expect(tick.proposals.a.target):equals(1*GiB + 200*MiB)
      expect_error(function() policy("step.lua", { stepp = 1 }) end, "*did you mean 'step'?")
      expect_error(function() policy("stepp.lua") end, "*stepp.lua: no such policy*")
    end)
  )");
  INFO(ran.output);
  CHECK(ran.counts.passed == 1);
}

TEST_CASE("rates show from the first tick on") {
  const PolicyTestFolder folder;
  folder.write("rates.lua", R"(return {
    api = 1, summary = "tells rates",
    tick = function(ctx)
      for _, d in ipairs(ctx.domains) do ctx.log.info(d.swap_in .. " " .. d.major_faults) end
    end,
  })");
  folder.write("rates_test.lua", R"(
    local rates = policy("rates.lua")
    test("it", function()
      local tick = rates:tick { domains = { { name = "a", swap_in = 500, major_faults = 20 } } }
      expect(tick.log):equals { "500.0 20.0" }
    end)
  )");
  std::ostringstream out;
  const auto counts = run_policy_tests({folder.path()}, {}, out);
  INFO(out.str());
  REQUIRE(counts);
  CHECK(counts->passed == 1);
}

TEST_CASE("silent, paused and excluded domains are told apart") {
  passes(R"(
    local tick = step:tick { domains = {
      { name = "mute", silent = true },
      { name = "paused", state = "paused" },
      { name = "own", exclude = true },
    } }
    expect(tick.silent.mute.rule):equals("fresh_stats")
    expect(tick.silent.paused.rule):equals("running_only")
    expect(tick.silent.own.rule):equals("")
    expect(tick.proposals):is_empty()
  )");
}

TEST_CASE("limits can be stricter, and never laxer") {
  passes(R"(
    local world = { limits = { headroom = "usable" }, domains = {
      { name = "a", actual = 1*GiB, unused = 10*MiB, usable = 800*MiB } } }
    expect(step:tick(world).proposals):is_empty()
    world.limits.headroom = "larger"
    expect(step:tick(world).proposals):is_empty()
    world.limits = nil
    expect(step:tick(world).proposals):is_empty()
    world.limits = { headroom = "unused" }
    expect(step:tick(world).proposals.a):differs_from(nil)
  )");
  CHECK(contains(failure_of("step:tick { limits = { headroom = 'free' } }"), "\"larger\""));
  CHECK(contains(failure_of("step:tick { limits = { host_floor = 1*MiB } }"), "laxer"));
}

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

TEST_CASE("every expectation can fail, and says what it wanted") {
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
  fails("expect(\"a\"):matches(\"b*\")", "a text like \"b*\"");
  fails("expect_error(function() end, \"*\")", "an error like \"*\"");
  fails("expect(nil):is_at_least(1)", "at least 1");
}

TEST_CASE("a failure shows the place, the line, sizes as people read them, and the tick") {
  const std::string output = failure_of(
      "  local tick = step:tick { domains = { { name = \"a\", actual = 1*GiB, unused = 1*MiB } } "
      "}\n"
      "  expect(tick.proposals.a.target):equals(2*GiB)");
  CHECK(contains(output, "  FAIL it\n"));
  CHECK(contains(output, "step_test.lua:4:\n"));
  CHECK(contains(output, "expect(tick.proposals.a.target):equals(2*GiB)\n"));
  CHECK(contains(output, "expected  2 GiB (2097152)\n"));
  CHECK(contains(output, "got       1 GiB (1099776)\n"));
  CHECK(contains(output, "a: 1 GiB -> 1 GiB (+50 MiB), was short\n"));
  CHECK(output.ends_with("0 passed, 1 failed\n"));
}

TEST_CASE("what a test catches still counts as failed") {
  failure_of("pcall(function() expect(1):equals(2) end)");
  failure_of("expect_error(function() expect(1):equals(2) end, \"*\")");
}

TEST_CASE("an error in a test fails it, with its place and a traceback, and the next one runs") {
  const Run ran = run(R"(
    test("broken", function() local t = nil; return t.x end)
    test("sound", function() end)
  )");
  CHECK(ran.counts.failed == 1);
  CHECK(ran.counts.passed == 1);
  CHECK(contains(ran.output, "step_test.lua:3: attempt to index a nil value (local 't')"));
  CHECK(contains(ran.output, "stack traceback"));
}

TEST_CASE("a policy's error fails a test that does not look at it") {
  const std::string seven =
      "local list = {}\nfor i = 1, 7 do list[i] = { name = \"d\" .. i } end\n"
      "local tick = step:tick { domains = list }\n";
  CHECK(contains(failure_of(seven + "expect(tick.proposals):is_empty()"), "seven is too many"));
  passes(seven + "expect_error(tick, \"*seven is too many*\")");
  passes(seven + "expect(tick.error):matches(\"*step.lua:8: *\")");
}

TEST_CASE("a misspelt name is told with its line and the nearest right one") {
  const auto told = [](const std::string& body, const std::string& line, const std::string& what) {
    const std::string output = failure_of(body);
    CHECK_MESSAGE(contains(output, "step_test.lua:" + line + ": "), output);
    CHECK_MESSAGE(contains(output, what), output);
  };
  told("step:tick {\n  hosts = {},\n}", "4",
       "unknown key 'hosts' in the world of a tick; did you mean 'host'?");
  told("step:tick { host = {\n  totl = 1*GiB } }", "4", "did you mean 'total'?");
  told("step:tick { domains = {\n  { name = \"a\" },\n  { name = \"b\",\n    unusde = 1 } } }", "6",
       "unknown key 'unusde' in domain b; did you mean 'unused'?");
  told("step:tick { domains = { { name = \"a\", state = \"pausd\" } } }", "3",
       "did you mean 'paused'?");
  told("step:tick { limits = { headrom = \"unused\" } }", "3", "did you mean 'headroom'?");
  told("step:tock {}", "3", "did you mean 'tick'?");
  told("expect(1):equal(1)", "3", "did you mean 'equals'?");
  told("return step:tick({}).proposal", "3", "did you mean 'proposals'?");
  told("return step:tick { domains = { { name = \"web\" } } }.proposals.wbe", "3",
       "the tick has no 'wbe'; did you mean 'web'?");
}

TEST_CASE("a world that cannot be is refused with its line") {
  const auto told = [](const std::string& body, const std::string& what) {
    const std::string output = failure_of(body);
    CHECK_MESSAGE(contains(output, what), output);
  };
  told("step:tick { domains = { { name = \"a\", actual = -1 } } }",
       "actual = -1 is no size of memory");
  told("step:tick { domains = { { name = \"a\", actual = 0.5 } } }", "is no size of memory");
  told("step:tick { domains = { { name = \"a\", actual = 1*MiB, unused = 2*MiB } } }",
       "unused 2 MiB is more than its actual 1 MiB");
  told("step:tick { domains = { { actual = 1*MiB } } }", "a domain without a name");
  told("step:tick { domains = { { name = \"a\" }, { name = \"a\" } } }",
       "domain a stands there twice");
  told("step:tick { domains = { a = {} } }", "domains is no list");
  told("step:tick { host = { total = 1*GiB, free = 2*GiB } }", "more than its total");
  told("step:tick { seconds = 0 }", "seconds = 0");
  told("step:tick { seconds = 1e15 }", "is no time from tick to tick");
  told("step:tick(1)", "tick takes a world");
  told("step:run {}", "run takes a list of worlds");
  told("step:run { {}, { limits = {} } }", "limits are said once");
}

TEST_CASE("a broken test file is one clear line and one failure, and the others run") {
  const PolicyTestFolder folder;
  folder.write("a_test.lua", "test(\"one\", function() end)\n");
  folder.write("b_test.lua", "test(\"two\" function() end)\n");
  folder.write("c_test.lua", "policy(\"none.lua\")\n");
  std::ostringstream out;
  const auto counts = run_policy_tests({folder.path()}, {}, out);
  REQUIRE(counts);
  CHECK(counts->passed == 1);
  CHECK(counts->failed == 2);
  CHECK(contains(out.str(), "b_test.lua:1: ')' expected near 'function'"));
  CHECK(contains(out.str(), "c_test.lua:1: "));
  CHECK(contains(out.str(), "none.lua: no such policy"));
}

TEST_CASE("tests are declared once each, and not within each other") {
  const auto broken = [](const std::string& tests) {
    const Run ran = run(tests);
    CHECK(ran.counts.failed == 1);
    return ran.output;
  };
  CHECK(contains(broken("test(\"a\", function() end)\ntest(\"a\", function() end)"),
                 "step_test.lua:3: a second test \"a\"; the first is on line 2"));
  CHECK(contains(broken("test(\"a\", function() test(\"b\", function() end) end)"),
                 "test() within a test"));
  CHECK(contains(broken("expect(1):equals(1)"), "expect() belongs in a test"));
  CHECK(contains(broken("test(\"a\")"), "write test("));
}

TEST_CASE("an endless test is ended, and costs only itself") {
  TestOptions options;
  options.limits.instructions = 1'000'000;
  const Run ran = run(R"(
    test("endless", function() while true do pcall(function() while true do end end) end end)
    test("next", function() end)
  )",
                      options);
  CHECK(ran.counts.failed == 1);
  CHECK(ran.counts.passed == 1);
  CHECK(contains(ran.output, "ran past its"));
}

TEST_CASE("tests have nothing of the system in reach") {
  passes(R"(
    expect_error(function() return io.open("x") end, "*has no 'io'*")
    expect_error(function() return os.time() end, "*has no 'os'*")
    expect_error(function() return require("x") end, "*has no 'require'*")
  )");
}

TEST_CASE("the filter chooses tests by a part of their name, a glob, or their file") {
  const std::string tests = R"(
    test("a starved domain", function() end)
    test("a wasteful domain", function() end)
  )";
  CHECK(run(tests, filtered("starved")).counts.passed == 1);
  CHECK(run(tests, filtered("a * domain")).counts.passed == 2);
  CHECK(run(tests, filtered("step_test")).counts.passed == 2);
}

TEST_CASE("quiet leaves out what passes") {
  const Run ran = run("test(\"one\", function() end)\n", quiet());
  CHECK(ran.output == "1 passed, 0 failed\n");
}

TEST_CASE("colours are used only where asked for") {
  const std::string tests = "test(\"one\", function() end)\n";
  CHECK_FALSE(contains(run(tests).output, "\033["));
  CHECK(contains(run(tests, colored()).output, "\033[32mok\033[0m"));
}

TEST_CASE("a policy stands for the test beside it, and a file is run once") {
  const PolicyTestFolder folder;
  folder.write("step.lua", kPolicy);
  folder.write("step_test.lua", "test(\"one\", function() end)\n");
  std::ostringstream out;
  const auto counts = run_policy_tests(
      {folder.path() / "step.lua", folder.path() / "step_test.lua", folder.path()}, {}, out);
  REQUIRE(counts);
  CHECK(counts->passed == 1);
}

TEST_CASE("having nothing to run is an error") {
  const PolicyTestFolder folder;
  const auto error_of = [&](const std::filesystem::path& path, const TestOptions& options) {
    std::ostringstream out;
    const auto counts = run_policy_tests({path}, options, out);
    REQUIRE_FALSE(counts);
    CHECK(out.str().empty());
    return counts.error().text();
  };
  CHECK(contains(error_of(folder.path(), {}), "no tests found"));
  CHECK(contains(error_of(folder.path() / "none", {}), "no such file or directory"));
  folder.write("step.lua", kPolicy);
  CHECK(contains(error_of(folder.path() / "step.lua", {}), "has no test beside it"));
  folder.write("step_test.lua", "test(\"one\", function() end)\n");
  CHECK(contains(error_of(folder.path(), filtered("two")), "no test matches 'two'"));
}

TEST_CASE("JUnit XML names every test, with what was wrong") {
  const PolicyTestFolder folder;
  folder.write("x_test.lua", R"(
    test("good & true", function() end)
    test("bad", function() expect("<a>"):equals("b") end)
    test("broken", function() error("oh") end)
  )");
  folder.write("y_test.lua", "nonsense\n");
  const auto junit = folder.path() / "results.xml";
  std::ostringstream out;
  REQUIRE(run_policy_tests({folder.path()}, with_junit(junit), out));
  const std::string xml = PolicyTestFolder::read(junit);
  CHECK(
      xml.starts_with("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites tests=\"4\" "
                      "failures=\"1\" errors=\"2\""));
  CHECK(contains(xml, "<testcase name=\"good &amp; true\" classname=\"x_test\""));
  CHECK(contains(xml, "line=\"3\""));
  CHECK(contains(xml, "<failure message=\"expected &quot;b&quot;, got &quot;&lt;a&gt;&quot;\">"));
  CHECK(contains(xml, "<error message=\"oh\">"));
  CHECK(contains(xml, "<testcase name=\"y_test\" classname=\"y_test\""));
  CHECK(xml.ends_with("</testsuites>\n"));
}

TEST_CASE("a JUnit file that cannot be written is an error") {
  const PolicyTestFolder folder;
  folder.write("x_test.lua", "test(\"one\", function() end)\n");
  std::ostringstream out;
  const auto counts =
      run_policy_tests({folder.path()}, with_junit(folder.path() / "no" / "such.xml"), out);
  REQUIRE_FALSE(counts);
  CHECK(contains(counts.error().text(), "such.xml"));
}
