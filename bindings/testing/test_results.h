#pragma once
// What came of policy tests, as values: printing and JUnit XML are made from these.

#include <chrono>
#include <optional>
#include <string>
#include <vector>

namespace memcoord::bindings::testing {

/// Why a test failed.
struct TestFailure {
  std::string place;    ///< "file:line"; the file alone where no line is known
  std::string message;  ///< one clause: what was expected, or what went wrong
  /// The line of the test that failed; empty where it is not known.
  std::string source_line;
  /// Set for expectations: what was wanted and what was there, as people read them.
  std::optional<std::string> expected;
  std::optional<std::string> got;
  /// Further lines: what the policy proposed, a traceback.
  std::vector<std::string> detail;
};

/// One test, or a test file that could not be used (then `name` is empty).
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

}  // namespace memcoord::bindings::testing
