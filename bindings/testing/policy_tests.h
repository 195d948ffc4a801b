#pragma once
// Runs the tests that stand beside policies: `memcoord test policies/`. docs/testing-policies.md is
// the reference of what a test file may say.

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "bindings/sandbox.h"
#include "bindings/testing/test_results.h"
#include "engine/core/error.h"
#include "engine/core/screen_text.h"

namespace memcoord::bindings::testing {

struct TestOptions {
  /// Runs only tests whose name, or whose file's name, has this in it; with * or ? a glob over the
  /// whole of either. Empty: all.
  std::string filter;
  std::optional<std::filesystem::path> junit;  ///< where JUnit XML is to go
  bool color = false;
  bool quiet = false;  ///< no line for a test that passes
  /// What one test may use: generous, since it may play thousands of ticks.
  SandboxLimits limits{std::chrono::minutes(2), 4'000'000'000, std::size_t{512} << 20U};
};

/// The test files that paths stand for, each once, in order: a file *_test.lua itself, a policy's
/// file the test beside it, a directory every *_test.lua under it. Errors: not_found, with the
/// path.
Result<std::vector<std::filesystem::path>> find_test_files(
    const std::vector<std::filesystem::path>& paths);

/// Runs every test and prints a line for each, what was wrong with those that fail, and last
/// "N passed, N failed". A broken test file counts as one failure. Errors: those of
/// find_test_files(); not_found where there is no test at all, or none that the filter lets
/// through; permission_denied where the JUnit file cannot be written.
Result<TestCounts> run_policy_tests(const std::vector<std::filesystem::path>& paths,
                                    const TestOptions& options, TextOut out);

}  // namespace memcoord::bindings::testing
