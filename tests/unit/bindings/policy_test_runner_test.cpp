#include <doctest/doctest.h>

#include "tests/unit/bindings/policy_test_run.h"

using namespace memcoord;
using namespace memcoord::bindings::testing;
using namespace memcoord::test;

TEST_CASE("a test reads the proposals of the policy and the decisions of the guard") {
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

TEST_CASE("a test reads when the policy wants the next tick, and whose reports") {
  passes(R"(
    local tick = step:tick { domains = { { name = "short", unused = 20*MiB }, { name = "plain" } } }
    expect(tick.again):equals(0.5)
    expect(tick.refresh):equals { "short" }
    tick = step:tick { domains = { { name = "plain" } } }
    expect(tick.again):is_nil()
    expect(tick.refresh):is_empty()
    expect_error(function() return tick.agian end, "*did you mean 'again'?*")
  )");
}

TEST_CASE("a run keeps the policy's state and advances time, and guests follow their balloons") {
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

TEST_CASE("in a later tick, a new size comes with a new report of the guest") {
  passes(R"(
    local ticks = step:run {
      { domains = {
        { name = "shrunk", actual = 1*GiB, unused = 300*MiB, usable = 310*MiB },
        { name = "grown", actual = 1*GiB, unused = 150*MiB },
        { name = "moved", actual = 1*GiB, unused = 20*MiB },
      } },
      { domains = {
        { name = "shrunk", actual = 760*MiB },
        { name = "grown", actual = 2*GiB, unused = 90*MiB },
        { name = "moved", actual = 900*MiB, unused = 50*MiB },
      } },
      { domains = { { name = "grown", actual = 1*GiB, unused = 80*MiB } } },
      {},
    }
    -- What it uses stays, unless the test says otherwise.
    expect(ticks[2].skipped):is_empty()
    expect(ticks[2].proposals.shrunk.target):equals(810*MiB)
    expect(ticks[2].after.shrunk.unused):equals(86*MiB)
    expect(ticks[2].proposals.grown.target):equals(2*GiB + 50*MiB)
    expect(ticks[2].proposals.moved.target):equals(950*MiB)
    expect(ticks[3].skipped):is_empty()
    expect(ticks[3].proposals.grown.target):equals(1*GiB + 50*MiB)
    expect(ticks[4].skipped):is_empty()
  )");
}

TEST_CASE("a new size leaves the rest of the domain as it was") {
  passes(R"(
    local ticks = step:run {
      { domains = { { name = "a", actual = 1*GiB, unused = 300*MiB, available = 1000*MiB } } },
      { domains = { { name = "a", actual = 512*MiB } } },
      { domains = { { name = "a", actual = 512*MiB, unused = 200*MiB } } },
    }
    expect(ticks[2].after.a):equals { actual = 562*MiB, unused = 50*MiB }
    expect(ticks[3].skipped):is_empty()
    expect(ticks[3].after.a):equals { actual = 512*MiB, unused = 200*MiB }
  )");
}

TEST_CASE("a size after a move is the balloon's progress") {
  const PolicyTestFolder folder;
  folder.write("halve.lua", R"(return {
    api = 1, summary = "shrinks, and tells what is in flight",
    tick = function(ctx)
      for _, d in ipairs(ctx.domains) do
        ctx.log.info(d.in_flight)
        d:set(1*GiB)
      end
    end,
  })");
  folder.write("halve_test.lua", R"(
    local halve = policy("halve.lua")
    test("it", function()
      local unchanged = { domains = { { name = "a", actual = 2*GiB, unused = 2*GiB } } }
      local ticks = halve:run {
        unchanged,
        { domains = { { name = "a", actual = 1536*MiB } } },
        unchanged, unchanged, unchanged,
      }
      expect(ticks[1].log):equals { "0" }
      expect(ticks[2].skipped):is_empty()
      expect(ticks[2].log):equals { tostring(-512*MiB) }
      expect(ticks[3].skipped):is_empty()
      expect(ticks[3].decisions.a.target):equals(1*GiB)
      expect(ticks[5].decisions.a.rules):equals { "no_progress" }
    end)
  )");
  passes(run_in(folder));
}

TEST_CASE("a test's host has NUMA nodes, and domains are bound to them") {
  passes(R"(
    local tick = step:tick {
      host = { total = 8*GiB, free = 4*GiB,
               cells = { { total = 4*GiB, free = 130*MiB }, { total = 4*GiB, free = 3966*MiB } } },
      domains = {
        { name = "bound", actual = 512*MiB, unused = 20*MiB, nodes = { 0 }, free_page_reporting = true,
          deflates_by_itself = true },
      },
    }
    expect(tick.decisions.bound.target):equals(542*MiB)
    expect(tick.decisions.bound.rules):equals { "numa_floor" }
  )");
  const auto refused = [](const std::string& body, const std::string& why) {
    CHECK(failure_of(body).find(why) != std::string::npos);
  };
  refused(R"(step:tick { domains = { { name = "a", nodes = 0 } } })", "nodes is not a list");
  refused(R"(step:tick { domains = { { name = "a", nodes = { -1 } } } })",
          "-1 is not the number of a node");
  refused(R"(step:tick { host = { cells = { { totl = 1 } } } })", "did you mean 'total'?");
}

TEST_CASE("every tick{} loads the policy anew") {
  passes(R"(
    expect(step:tick({}).log):contains("tick 1")
    expect(step:tick({}).log):contains("tick 1")
  )");
}

TEST_CASE("policy() sets parameters as --set does") {
  const PolicyTestRun ran = run(R"(
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
  passes(run_in(folder));
}

TEST_CASE("a test's domains can be silent, paused or excluded") {
  passes(R"(
    local tick = step:tick { domains = {
      { name = "mute", silent = true },
      { name = "paused", state = "paused" },
      { name = "own", exclude = true },
    } }
    expect(tick.skipped.mute.rule):equals("fresh_stats")
    expect(tick.skipped.paused.rule):equals("running_only")
    expect(tick.skipped.own.rule):equals("")
    expect(tick.proposals):is_empty()
  )");
}

TEST_CASE("limits can be stricter, but not laxer") {
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

TEST_CASE("a test sets the time of its first tick, and the next ones follow") {
  const PolicyTestFolder folder;
  folder.write("clock.lua", R"(return {
    api = 1, summary = "tells the time",
    tick = function(ctx) ctx.log.info(tostring(ctx.time)) end,
  })");
  folder.write("clock_test.lua", R"(
    local clock = policy("clock.lua")
    test("it", function()
      expect(clock:tick({}).log):equals { "1715904000" }
      local ticks = clock:run { { time = 1700000000, seconds = 5 }, {}, { seconds = 3600 } }
      expect(ticks[1].log):equals { "1700000000" }
      expect(ticks[2].log):equals { "1700000005" }
      expect(ticks[3].log):equals { "1700003605" }
    end)
  )");
  passes(run_in(folder));
}

TEST_CASE("an error fails its test, with its place and a traceback, and the next test runs") {
  const PolicyTestRun ran = run(R"(
    test("broken", function() local t = nil; return t.x end)
    test("sound", function() end)
  )");
  CHECK(ran.counts.failed == 1);
  CHECK(ran.counts.passed == 1);
  CHECK(contains(ran.output, "step_test.lua:3: attempt to index a nil value (local 't')"));
  CHECK(contains(ran.output, "stack traceback"));
}

TEST_CASE("a policy's error fails a test that does not read it") {
  const std::string seven =
      "local list = {}\nfor i = 1, 7 do list[i] = { name = \"d\" .. i } end\n"
      "local tick = step:tick { domains = list }\n";
  CHECK(contains(failure_of(seven + "expect(tick.proposals):is_empty()"), "seven is too many"));
  passes(seven + "expect_error(tick, \"*seven is too many*\")");
  passes(seven + "expect(tick.error):matches(\"*step.lua:8: *\")");
}

TEST_CASE("a misspelt name in a test is an error with its line and the nearest name") {
  const auto fails_with = [](const std::string& body, const std::string& line,
                             const std::string& what) {
    const std::string output = failure_of(body);
    CHECK_MESSAGE(contains(output, "step_test.lua:" + line + ": "), output);
    CHECK_MESSAGE(contains(output, what), output);
  };
  fails_with("step:tick {\n  hosts = {},\n}", "4",
             "unknown key 'hosts' in the world of a tick; did you mean 'host'?");
  fails_with("step:tick { host = {\n  totl = 1*GiB } }", "4", "did you mean 'total'?");
  fails_with(
      "step:tick { domains = {\n  { name = \"a\" },\n  { name = \"b\",\n    unusde = 1 } } }", "6",
      "unknown key 'unusde' in domain b; did you mean 'unused'?");
  fails_with("step:tick { domains = { { name = \"a\", state = \"pausd\" } } }", "3",
             "did you mean 'paused'?");
  fails_with("step:tick { limits = { headrom = \"unused\" } }", "3", "did you mean 'headroom'?");
  fails_with("step:tock {}", "3", "did you mean 'tick'?");
  fails_with("expect(1):equal(1)", "3", "did you mean 'equals'?");
  fails_with("return step:tick({}).proposal", "3", "did you mean 'proposals'?");
  fails_with("return step:tick { domains = { { name = \"web\" } } }.proposals.wbe", "3",
             "the tick has no 'wbe'; did you mean 'web'?");
}

TEST_CASE("an impossible world is an error with its line") {
  const auto refused = [](const std::string& body, const std::string& what) {
    const std::string output = failure_of(body);
    CHECK_MESSAGE(contains(output, what), output);
  };
  refused("step:tick { domains = { { name = \"a\", actual = -1 } } }",
          "actual = -1 is not a size of memory");
  refused("step:tick { domains = { { name = \"a\", actual = 0.5 } } }", "is not a size of memory");
  refused("step:tick { domains = { { name = \"a\", actual = 1*MiB, unused = 2*MiB } } }",
          "unused 2 MiB is more than its actual 1 MiB");
  refused("step:tick { domains = { { actual = 1*MiB } } }", "a domain without a name");
  refused("step:tick { domains = { { name = \"a\" }, { name = \"a\" } } }",
          "domain a is listed twice");
  refused("step:tick { domains = { a = {} } }", "domains is not a list");
  refused("step:tick { host = { total = 1*GiB, free = 2*GiB } }", "more than its total");
  refused("step:tick { seconds = 0 }", "seconds = 0");
  refused("step:tick { seconds = 1e15 }", "is not a time from tick to tick");
  refused("step:tick(1)", "tick takes a world");
  refused("step:run {}", "run takes a list of worlds");
  refused("step:run { {}, { limits = {} } }", "belong in the first tick of a run");
  refused("step:run { {}, { time = 0 } }", "belong in the first tick of a run");
  refused("step:tick { time = -1 }", "time = -1");
  refused("step:tick { time = 1e12 }", "is not the time of a tick");
}

TEST_CASE("a test is declared once, and outside other tests") {
  const auto broken = [](const std::string& tests) {
    const PolicyTestRun ran = run(tests);
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

TEST_CASE("an endless test fails, and the next test runs") {
  TestOptions options;
  options.limits.instructions = 1'000'000;
  const PolicyTestRun ran = run(R"(
    test("endless", function() while true do pcall(function() while true do end end) end end)
    test("next", function() end)
  )",
                                options);
  CHECK(ran.counts.failed == 1);
  CHECK(ran.counts.passed == 1);
  CHECK(contains(ran.output, "exceeded its"));
}

TEST_CASE("a test reaches nothing of the system") {
  passes(R"(
    expect_error(function() return io.open("x") end, "*has no 'io'*")
    expect_error(function() return os.time() end, "*has no 'os'*")
    expect_error(function() return require("x") end, "*has no 'require'*")
  )");
}
