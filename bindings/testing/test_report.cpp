#include "bindings/testing/test_report.h"

#include <array>
#include <cstdio>
#include <filesystem>

#include "engine/core/printable.h"
#include "engine/core/time.h"

namespace memcoord::bindings::testing {
namespace {

constexpr const char* kIndent = "       ";

// --- JUnit XML, in the elements and attributes that its readers agree on ---

std::string escaped(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const Character character = first_character(text);
    text.remove_prefix(character.bytes.size());
    switch (character.code) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      case '\n':
        out += "&#10;";
        break;
      default:
        out += printed(character);
    }
  }
  return out;
}

std::string attribute(const char* name, std::string_view value) {
  return std::string(" ") + name + "=\"" + escaped(value) + "\"";
}

std::string seconds(std::chrono::microseconds duration) {
  std::array<char, 40> text{};
  std::snprintf(text.data(), text.size(), "%.6f", seconds_of(duration));
  return text.data();
}

std::string failure_text(const TestFailure& failure) {
  std::string text = failure.place + ": " + failure.message + "\n";
  if (!failure.source_line.empty()) text += failure.source_line + "\n";
  if (failure.expected && failure.got) {
    text += "expected  " + *failure.expected + "\ngot       " + *failure.got + "\n";
  }
  for (const std::string& line : failure.detail) text += line + "\n";
  return text;
}

std::string summary(const TestFailure& failure) {
  if (failure.expected && failure.got) {
    return "expected " + *failure.expected + ", got " + *failure.got;
  }
  return failure.message;
}

std::string test_case(const TestResult& result) {
  const std::string suite = std::filesystem::path(result.file).stem().string();
  std::string text =
      "    <testcase" + attribute("name", result.name.empty() ? suite : result.name) +
      attribute("classname", suite) + attribute("file", result.file) +
      attribute("line", std::to_string(result.line)) + attribute("time", seconds(result.took));
  if (result.passed()) return text + "/>\n";
  const TestFailure& failure = *result.failure;
  const char* tag = failure.expected ? "failure" : "error";
  return text + ">\n      <" + tag + attribute("message", summary(failure)) + ">" +
         escaped(failure_text(failure)) + "</" + tag + ">\n    </testcase>\n";
}

struct Totals {
  int tests = 0;
  int failures = 0;
  int errors = 0;
  std::chrono::microseconds took{};
};

Totals totals(std::span<const TestResult> results) {
  Totals sum;
  for (const TestResult& result : results) {
    ++sum.tests;
    sum.took += result.took;
    if (!result.passed()) ++(result.failure->expected ? sum.failures : sum.errors);
  }
  return sum;
}

std::string attributes(const Totals& sum) {
  return attribute("tests", std::to_string(sum.tests)) +
         attribute("failures", std::to_string(sum.failures)) +
         attribute("errors", std::to_string(sum.errors)) + attribute("time", seconds(sum.took));
}

}  // namespace

void TestReport::show(const TestResult& result) {
  ++(result.passed() ? counts_.passed : counts_.failed);
  if (result.passed() && quiet_) return;
  if (result.file != file_) {
    file_ = result.file;
    out_ << paint_(Tint::bold, file_) << '\n';
  }
  const std::string name = result.name.empty() ? "the file cannot be used" : result.name;
  if (result.passed()) {
    out_ << "  " << paint_(Tint::green, "ok") << "   " << name << '\n';
    return;
  }
  out_ << "  " << paint_(Tint::red, "FAIL") << " " << name << '\n';
  show_failure(*result.failure);
}

void TestReport::show_failure(const TestFailure& failure) {
  out_ << kIndent << failure.place << ':';
  if (!failure.message.empty()) out_ << ' ' << failure.message;
  out_ << '\n';
  if (!failure.source_line.empty()) {
    out_ << kIndent << "  " << paint_(Tint::dim, failure.source_line) << '\n';
  }
  if (failure.expected && failure.got) {
    out_ << kIndent << "    expected  " << paint_(Tint::green, *failure.expected) << '\n';
    out_ << kIndent << "    got       " << paint_(Tint::red, *failure.got) << '\n';
    if (!failure.detail.empty()) out_ << kIndent << "  the tick before:" << '\n';
  }
  for (const std::string& line : failure.detail) out_ << kIndent << "    " << line << '\n';
}

void TestReport::end() {
  if (counts_.passed + counts_.failed > (quiet_ ? counts_.passed : 0)) out_ << '\n';
  const std::string failed = std::to_string(counts_.failed) + " failed";
  const std::string passed = std::to_string(counts_.passed) + " passed";
  out_ << paint_(Tint::green, passed) << ", "
       << (counts_.failed > 0 ? paint_(Tint::red, failed) : Painted{Tint::none, failed}) << '\n';
}

std::string junit_xml(std::span<const TestResult> results) {
  std::string text = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites" +
                     attributes(totals(results)) + ">\n";
  for (std::size_t begin = 0; begin < results.size();) {
    std::size_t end = begin;
    while (end < results.size() && results[end].file == results[begin].file) ++end;
    const auto suite = results.subspan(begin, end - begin);
    text +=
        "  <testsuite" + attribute("name", results[begin].file) + attributes(totals(suite)) + ">\n";
    for (const TestResult& result : suite) text += test_case(result);
    text += "  </testsuite>\n";
    begin = end;
  }
  return text + "</testsuites>\n";
}

}  // namespace memcoord::bindings::testing
