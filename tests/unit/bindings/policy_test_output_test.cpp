#include <doctest/doctest.h>

#include <filesystem>
#include <sstream>
#include <utility>

#include "bindings/testing/policy_tests.h"
#include "tests/unit/bindings/policy_test_run.h"

using namespace memcoord;
using namespace memcoord::bindings::testing;
using namespace memcoord::test;

namespace {

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

}  // namespace

TEST_CASE("each test gets a line, and the counts come last") {
  const PolicyTestRun ran = run(R"(
    test("one", function() expect(1):equals(1) end)
    test("two", function() expect(2):is_at_least(1) end)
  )");
  CHECK(contains(ran.output, "  ok   one\n  ok   two\n"));
  CHECK(ran.output.ends_with("\n2 passed, 0 failed\n"));
}

TEST_CASE("a failure shows its place and line, readable sizes, and the tick") {
  const std::string output = failure_of(
      "  local tick = step:tick { domains = { { name = \"a\", actual = 1*GiB, unused = 1*MiB } } "
      "}\n"
      "  expect(tick.proposals.a.target):equals(2*GiB)");
  CHECK(contains(output, "  FAIL it\n"));
  CHECK(contains(output, "step_test.lua:4:\n"));
  CHECK(contains(output, "expect(tick.proposals.a.target):equals(2*GiB)\n"));
  CHECK(contains(output, "expected  2 GiB (2097152)\n"));
  CHECK(contains(output, "got       1.05 GiB (1099776)\n"));
  CHECK(contains(output, "a: 1 GiB -> 1.05 GiB (+50 MiB), was short\n"));
  CHECK(output.ends_with("0 passed, 1 failed\n"));
}

TEST_CASE("a broken test file is one failure with one line, and the others run") {
  const PolicyTestFolder folder;
  folder.write("a_test.lua", "test(\"one\", function() end)\n");
  folder.write("b_test.lua", "test(\"two\" function() end)\n");
  folder.write("c_test.lua", "policy(\"none.lua\")\n");
  const PolicyTestRun ran = run_in(folder);
  CHECK(ran.counts.passed == 1);
  CHECK(ran.counts.failed == 2);
  CHECK(contains(ran.output, "b_test.lua:1: ')' expected near 'function'"));
  CHECK(contains(ran.output, "c_test.lua:1: "));
  CHECK(contains(ran.output, "none.lua: no such policy"));
}

TEST_CASE("a test file of 256 KiB runs, and the failure of a larger file names the limit") {
  const std::string test = "test(\"it\", function() end)\n";
  const PolicyTestFolder folder;
  folder.write("just_test.lua", test + std::string(256 * 1024 - test.size(), '\n'));
  folder.write("larger_test.lua", test + std::string(256 * 1024 - test.size() + 1, '\n'));
  const PolicyTestRun ran = run_in(folder);
  CHECK(ran.counts.passed == 1);
  CHECK(ran.counts.failed == 1);
  CHECK(
      contains(ran.output, "larger than 256 KiB; a test file has at most 256 KiB; check the path"));
}

TEST_CASE("the filter selects tests by a part of their name, a glob, or their file") {
  const std::string tests = R"(
    test("a starved domain", function() end)
    test("a wasteful domain", function() end)
  )";
  CHECK(run(tests, filtered("starved")).counts.passed == 1);
  CHECK(run(tests, filtered("a * domain")).counts.passed == 2);
  CHECK(run(tests, filtered("step_test")).counts.passed == 2);
}

TEST_CASE("quiet leaves out tests that pass") {
  const PolicyTestRun ran = run("test(\"one\", function() end)\n", quiet());
  CHECK(ran.output == "1 passed, 0 failed\n");
}

TEST_CASE("the report has colours only on request") {
  const std::string tests = "test(\"one\", function() end)\n";
  CHECK_FALSE(contains(run(tests).output, "\033["));
  CHECK(contains(run(tests, colored()).output, "\033[32mok\033[0m"));
}

TEST_CASE("a policy's path selects its test file, and each file runs once") {
  const PolicyTestFolder folder;
  folder.write("step.lua", kStepPolicy);
  folder.write("step_test.lua", "test(\"one\", function() end)\n");
  std::ostringstream out;
  const auto counts = run_policy_tests(
      {folder.path() / "step.lua", folder.path() / "step_test.lua", folder.path()}, {}, out);
  REQUIRE(counts);
  CHECK(counts->passed == 1);
}

TEST_CASE("a run without tests is an error") {
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
  folder.write("step.lua", kStepPolicy);
  CHECK(contains(error_of(folder.path() / "step.lua", {}), "has no test file"));
  folder.write("step_test.lua", "test(\"one\", function() end)\n");
  CHECK(contains(error_of(folder.path(), filtered("two")), "no test matches 'two'"));
}

TEST_CASE("JUnit XML names every test and the reason of each failure") {
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

TEST_CASE("a JUnit file that memcoord cannot write is an error") {
  const PolicyTestFolder folder;
  folder.write("x_test.lua", "test(\"one\", function() end)\n");
  std::ostringstream out;
  const auto counts =
      run_policy_tests({folder.path()}, with_junit(folder.path() / "no" / "such.xml"), out);
  REQUIRE_FALSE(counts);
  CHECK(contains(counts.error().text(), "such.xml"));
}
