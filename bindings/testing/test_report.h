#pragma once
// The results of policy tests: as values, as text for people, and as JUnit XML.

#include <chrono>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/core/screen_text.h"

namespace memcoord::bindings::testing {

/// Why a test failed.
struct TestFailure {
  std::string place;        ///< "file:line"; the file alone if the line is unknown
  std::string message;      ///< one clause: what went wrong; empty for an expectation
  std::string source_line;  ///< the test's line that failed; empty if unknown
  /// Set for expectations, as people read them.
  std::optional<std::string> expected;
  std::optional<std::string> got;
  /// Further lines: the policy's proposals, or a traceback.
  std::vector<std::string> detail;
};

/// One test, or a test file that memcoord could not use (then `name` is empty).
struct TestResult {
  std::string file;
  std::string name;
  int line = 0;
  std::optional<TestFailure> failure;
  std::chrono::microseconds took{};

  [[nodiscard]] bool passed() const { return !failure; }
};

struct TestCounts {
  int passed = 0;
  int failed = 0;
};

/// Colours texts if the report has colours.
struct Paint {
  bool color = false;
  Painted operator()(Tint tint, std::string_view text) const {
    return {color ? tint : Tint::none, text};
  }
};

/// Prints each result as it comes: a heading for each file, a line for each test, and below it the
/// failure. end() prints the counts.
class TestReport {
 public:
  /// `quiet` leaves out tests that pass.
  TestReport(TextOut out, bool color, bool quiet) : out_(out), paint_{color}, quiet_(quiet) {}

  void show(const TestResult& result);
  void end();
  [[nodiscard]] const TestCounts& counts() const { return counts_; }

 private:
  void show_failure(const TestFailure& failure);

  TextOut out_;
  Paint paint_;
  bool quiet_;
  std::string file_;
  TestCounts counts_;
};

/// JUnit XML with one testsuite for each file, in the order of the results.
std::string junit_xml(std::span<const TestResult> results);

}  // namespace memcoord::bindings::testing
