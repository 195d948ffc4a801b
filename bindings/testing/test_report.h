#pragma once
// How test results look on a terminal or in a log.

#include <string>

#include "bindings/testing/test_results.h"
#include "engine/core/text_out.h"

namespace memcoord::bindings::testing {

/// The colours of reports, as SGR codes of a terminal.
inline constexpr const char* kGreen = "32";
inline constexpr const char* kRed = "31";
inline constexpr const char* kBold = "1";
inline constexpr const char* kFaint = "2";
/// Prints results as they come: a heading a file, a line a test, what was wrong under it, and last
/// the counts.
class TestReport {
 public:
  TestReport(TextOut out, bool color, bool quiet) : out_(out), color_(color), quiet_(quiet) {}

  void show(const TestResult& result);
  void end();
  [[nodiscard]] const TestCounts& counts() const { return counts_; }

 private:
  void show_failure(const TestFailure& failure);
  [[nodiscard]] Painted painted(const char* code, std::string_view text) const {
    return {color_ ? code : "", text};
  }

  TextOut out_;
  bool color_;
  bool quiet_;
  std::string file_;
  TestCounts counts_;
};

}  // namespace memcoord::bindings::testing
