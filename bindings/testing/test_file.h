#pragma once
// One file of policy tests.

#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "bindings/sandbox.h"
#include "bindings/testing/test_context.h"
#include "bindings/testing/test_results.h"
#include "engine/core/error.h"

namespace memcoord::bindings::testing {

/// Runs the tests of one file, in a sandbox of its own. One thread at a time.
class TestFile {
 public:
  /// Runs the file once, so that it declares its tests. Errors: as read_script(), policy_failed
  /// and limit_exceeded with file:line.
  static Result<std::unique_ptr<TestFile>> load(const std::filesystem::path& path,
                                                SandboxLimits limits);
  TestFile(const TestFile&) = delete;
  TestFile& operator=(const TestFile&) = delete;

  [[nodiscard]] const std::vector<TestContext::Declared>& tests() const { return context_.tests; }
  /// Runs one of them.
  TestResult run(const TestContext::Declared& test);

 private:
  TestFile(const std::filesystem::path& path, SandboxLimits limits);
  Status evaluate();

  Sandbox sandbox_;
  TestContext context_;
};

}  // namespace memcoord::bindings::testing
