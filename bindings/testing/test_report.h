#pragma once
// How test results look on a terminal or in a log.

#include <ostream>
#include <string>

#include "bindings/testing/test_results.h"

namespace memcoord::bindings::testing {

/// Prints results as they come: a heading a file, a line a test, what was wrong under it, and last
/// the counts.
class TestReport {
 public:
  TestReport(std::ostream& out, bool color, bool quiet) : out_(out), color_(color), quiet_(quiet) {}

  void show(const TestResult& result);
  void end();
  [[nodiscard]] const TestCounts& counts() const { return counts_; }

 private:
  void show_failure(const TestFailure& failure);
  [[nodiscard]] std::string painted(const char* code, const std::string& text) const;

  std::ostream& out_;
  bool color_;
  bool quiet_;
  std::string file_;
  TestCounts counts_;
};

}  // namespace memcoord::bindings::testing
