#include "bindings/testing/policy_tests.h"

#include <algorithm>
#include <system_error>

#include "bindings/testing/junit.h"
#include "bindings/testing/test_file.h"
#include "bindings/testing/test_report.h"
#include "engine/core/names.h"
#include "engine/files/whole_file.h"

namespace memcoord::bindings::testing {
namespace {

namespace fs = std::filesystem;

constexpr const char* kSuffix = "_test.lua";

bool is_test_file(const fs::path& path) {
  return path.filename().string().ends_with(kSuffix);
}

/// halving_test.lua for halving.lua.
fs::path test_beside(const fs::path& policy) {
  return policy.parent_path() / (policy.stem().string() + kSuffix);
}

Result<std::vector<fs::path>> test_files_under(const fs::path& folder) {
  std::vector<fs::path> found;
  std::error_code problem;
  for (fs::recursive_directory_iterator it(folder, problem), end; !problem && it != end;
       it.increment(problem)) {
    if (is_test_file(it->path())) found.push_back(it->path());
  }
  if (problem) return fail(ErrorCode::permission_denied, folder.string(), problem.message());
  std::sort(found.begin(), found.end());
  return found;
}

Result<std::vector<fs::path>> test_files_of(const fs::path& path) {
  std::error_code missing;
  if (fs::is_directory(path, missing)) return test_files_under(path);
  if (!fs::exists(path, missing)) {
    return fail(ErrorCode::not_found, path.string(), "no such file or directory");
  }
  if (is_test_file(path)) return std::vector{path};
  const fs::path beside = test_beside(path);
  if (fs::exists(beside, missing)) return std::vector{beside};
  return fail(ErrorCode::not_found, path.string(), "has no test beside it",
              "write its tests in " + beside.string());
}

bool has_it(const std::string& filter, const std::string& text) {
  if (filter.find_first_of("*?") != std::string::npos) return glob_matches(filter, text);
  return text.find(filter) != std::string::npos;
}

bool is_wanted(const std::string& filter, const fs::path& file, const std::string& test) {
  return filter.empty() || has_it(filter, test) || has_it(filter, file.filename().string());
}

TestResult broken_file(const fs::path& path, const Error& error) {
  TestResult result;
  result.file = path.string();
  result.failure = TestFailure{};
  result.failure->place = error.object;
  result.failure->message = error.message + (error.hint.empty() ? "" : "; " + error.hint);
  return result;
}

/// Runs what the filter lets through of one file.
std::vector<TestResult> run_file(const fs::path& path, const TestOptions& options,
                                 TestReport& report) {
  std::vector<TestResult> results;
  const auto keep = [&](TestResult result) {
    report.show(result);
    results.push_back(std::move(result));
  };
  auto file = TestFile::load(path, options.limits);
  if (!file) {
    keep(broken_file(path, file.error()));
    return results;
  }
  for (const auto& test : (*file)->tests()) {
    if (is_wanted(options.filter, path, test.name)) keep((*file)->run(test));
  }
  return results;
}

Status write_junit(const fs::path& path, const std::vector<TestResult>& results) {
  return files::write_whole_file(path, [&](const files::WritePiece& write) -> Status {
    write(junit_xml(results));
    return {};
  });
}

}  // namespace

Result<std::vector<fs::path>> find_test_files(const std::vector<fs::path>& paths) {
  std::vector<fs::path> files;
  for (const fs::path& path : paths) {
    auto found = test_files_of(path);
    if (!found) return fail(found.error());
    for (fs::path& file : *found) {
      const bool known = std::find(files.begin(), files.end(), file) != files.end();
      if (!known) files.push_back(std::move(file));
    }
  }
  return files;
}

Result<TestCounts> run_policy_tests(const std::vector<fs::path>& paths, const TestOptions& options,
                                    TextOut out) {
  const auto files = find_test_files(paths);
  if (!files) return fail(files.error());
  TestReport report(out, options.color, options.quiet);
  std::vector<TestResult> results;
  for (const fs::path& file : *files) {
    auto of_file = run_file(file, options, report);
    results.insert(results.end(), std::make_move_iterator(of_file.begin()),
                   std::make_move_iterator(of_file.end()));
  }
  if (results.empty()) {
    std::string where;
    for (const fs::path& path : paths) where += (where.empty() ? "" : ", ") + path.string();
    return options.filter.empty()
               ? fail(ErrorCode::not_found, where, "no tests found",
                      "tests stand in files named like halving_test.lua")
               : fail(ErrorCode::not_found, where, "no test matches '" + options.filter + "'",
                      "--filter takes a part of a test's or a file's name");
  }
  report.end();
  if (options.junit) {
    if (auto written = write_junit(*options.junit, results); !written) {
      return fail(written.error());
    }
  }
  return report.counts();
}

}  // namespace memcoord::bindings::testing
