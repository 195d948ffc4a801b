#include "bindings/testing/test_report.h"

namespace memcoord::bindings::testing {
namespace {

constexpr const char* kIndent = "       ";

}  // namespace

void TestReport::show(const TestResult& result) {
  ++(result.passed() ? counts_.passed : counts_.failed);
  if (result.passed() && quiet_) return;
  if (result.file != file_) {
    file_ = result.file;
    out_ << painted(kBold, file_) << '\n';
  }
  const std::string name = result.name.empty() ? "the file cannot be used" : result.name;
  if (result.passed()) {
    out_ << "  " << painted(kGreen, "ok") << "   " << name << '\n';
    return;
  }
  out_ << "  " << painted(kRed, "FAIL") << " " << name << '\n';
  show_failure(*result.failure);
}

void TestReport::show_failure(const TestFailure& failure) {
  out_ << kIndent << failure.place << ':';
  if (!failure.message.empty()) out_ << ' ' << failure.message;
  out_ << '\n';
  if (!failure.source_line.empty()) {
    out_ << kIndent << "  " << painted(kFaint, failure.source_line) << '\n';
  }
  if (failure.expected && failure.got) {
    out_ << kIndent << "    expected  " << painted(kGreen, *failure.expected) << '\n';
    out_ << kIndent << "    got       " << painted(kRed, *failure.got) << '\n';
    if (!failure.detail.empty()) out_ << kIndent << "  the tick before:" << '\n';
  }
  for (const std::string& line : failure.detail) out_ << kIndent << "    " << line << '\n';
}

void TestReport::end() {
  if (counts_.passed + counts_.failed > (quiet_ ? counts_.passed : 0)) out_ << '\n';
  const std::string failed = std::to_string(counts_.failed) + " failed";
  const std::string passed = std::to_string(counts_.passed) + " passed";
  out_ << painted(kGreen, passed) << ", "
       << (counts_.failed > 0 ? painted(kRed, failed) : Painted{Tint::none, failed}) << '\n';
}

}  // namespace memcoord::bindings::testing
