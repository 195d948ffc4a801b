#pragma once
// How test results look on a terminal or in a log.

#include <string>

#include "bindings/testing/test_results.h"
#include "engine/core/screen_text.h"

namespace memcoord::bindings::testing {

/// The colours of reports.
inline constexpr Tint kGreen = Tint::green;
inline constexpr Tint kRed = Tint::red;
inline constexpr Tint kBold = Tint::bold;
inline constexpr Tint kFaint = Tint::dim;
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
  [[nodiscard]] Painted painted(Tint tint, std::string_view text) const {
    return {color_ ? tint : Tint::none, text};
  }

  TextOut out_;
  bool color_;
  bool quiet_;
  std::string file_;
  TestCounts counts_;
};

}  // namespace memcoord::bindings::testing
