#pragma once
// Runs the tests of policies: `memcoord test policies/`. docs/writing-policies.md is the reference
// for test files.

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "bindings/sandbox.h"
#include "bindings/testing/test_report.h"
#include "engine/core/error.h"
#include "engine/core/screen_text.h"

namespace memcoord::bindings::testing {

struct TestOptions {
  /// Selects the tests whose name, or whose file's name, contains this; with * or ? it is a glob
  /// over the whole name. Empty selects all.
  std::string filter;
  std::optional<std::filesystem::path> junit;  ///< receives JUnit XML
  bool color = false;
  bool quiet = false;  ///< no line for a test that passes
  /// Limits of one test: generous, because a test may play thousands of ticks.
  SandboxLimits limits{std::chrono::minutes(2), 4'000'000'000, std::size_t{512} << 20U};
};

/// The test files of these paths, each once, in order: a file *_test.lua itself, for a policy's
/// file the test file in its folder, for a directory every *_test.lua under it. Errors: not_found,
/// with the path.
Result<std::vector<std::filesystem::path>> find_test_files(
    const std::vector<std::filesystem::path>& paths);

/// Runs every test and prints a line for each, the reason of each failure, and last
/// "N passed, N failed". A broken test file counts as one failure. Errors: those of
/// find_test_files(); not_found if there are no tests, or if the filter selects none;
/// permission_denied if memcoord cannot write the JUnit file.
Result<TestCounts> run_policy_tests(const std::vector<std::filesystem::path>& paths,
                                    const TestOptions& options, TextOut out);

}  // namespace memcoord::bindings::testing
