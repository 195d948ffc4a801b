#include "bindings/testing/policy_tests.h"

#include <lauxlib.h>
#include <lua.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <memory>
#include <sstream>
#include <string_view>
#include <system_error>
#include <utility>

#include "bindings/testing/test_context.h"
#include "bindings/testing/test_report.h"
#include "engine/core/names.h"
#include "engine/files/atomic_file.h"

namespace memcoord::bindings::testing {
namespace {

namespace fs = std::filesystem;

const char kContext = 1;  // key of the registry
constexpr const char* kSuffix = "_test.lua";

// --- which files ---

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
    return fail(ErrorCode::not_found, path.string(), "no such file or directory",
                "give the path of a policy, of a test file or of a folder");
  }
  if (is_test_file(path)) return std::vector{path};
  if (path.extension() != ".lua") {
    return fail(ErrorCode::invalid_input, path.string(), "is not a Lua file",
                "give the path of a policy, of a test file or of a folder");
  }
  const fs::path beside = test_beside(path);
  if (fs::exists(beside, missing)) return std::vector{beside};
  return fail(ErrorCode::not_found, path.string(), "has no test file",
              "write its tests in " + beside.string());
}

bool filter_matches(const std::string& filter, const std::string& text) {
  if (filter.find_first_of("*?") != std::string::npos) return glob_matches(filter, text);
  return text.find(filter) != std::string::npos;
}

bool is_wanted(const std::string& filter, const fs::path& file, const std::string& test) {
  return filter.empty() || filter_matches(filter, test) ||
         filter_matches(filter, file.filename().string());
}

// --- one file ---

/// The scripts' test(name, body).
int declare_test(lua_State* lua) {
  TestContext& context = TestContext::of(lua);
  if (context.running) raise(lua, "test() within a test; declare tests one after the other");
  if (lua_type(lua, 1) != LUA_TSTRING || lua_type(lua, 2) != LUA_TFUNCTION) {
    raise(lua, "write test(\"what the policy does\", function() ... end)");
  }
  const std::string name = printable(lua_tostring(lua, 1), kScriptText);
  if (name.empty()) raise(lua, "a test without a name");
  charge(lua, context.tests.size());
  for (const auto& other : context.tests) {
    if (other.name != name) continue;
    raise(lua,
          "a second test \"" + name + "\"; the first is on line " + std::to_string(other.line));
  }
  lua_settop(lua, 2);
  const int line = calling_line(lua);
  context.tests.push_back({name, line, luaL_ref(lua, LUA_REGISTRYINDEX)});
  return 0;
}

/// Whether a line of a traceback is of expectations.lua, which has no line numbers, or of one of
/// its primitives.
bool is_of_expectations(std::string_view line) {
  return line.starts_with(" ?: in ") || line == " [C]: in upvalue '?'";
}

/// An error that ended a test, with its traceback.
TestFailure failure_of(const Error& error, const TestContext& context) {
  TestFailure failure;
  failure.place =
      error.object.empty() ? context.file().string() : context.with_folders(error.object);
  failure.message = error.message;
  if (!error.hint.empty()) failure.message += "; " + error.hint;
  const std::size_t colon = failure.place.rfind(':');
  if (colon != std::string::npos && failure.place.starts_with(context.file().string() + ":")) {
    failure.source_line =
        context.line_text(std::atoi(failure.place.c_str() + colon + 1));  // NOLINT: 0 is no line
  }
  std::istringstream lines(error.detail);
  for (std::string line; std::getline(lines, line);) {
    std::replace(line.begin(), line.end(), '\t', ' ');
    if (!is_of_expectations(line)) failure.detail.push_back(std::move(line));
  }
  return failure;
}

/// Runs the tests of one file in its own sandbox.
class TestFile {
 public:
  /// Runs the file once, so that it declares its tests. Errors: those of read_script(), and
  /// policy_failed and limit_exceeded with file:line.
  static Result<std::unique_ptr<TestFile>> load(const fs::path& path, SandboxLimits limits);
  TestFile(fs::path path, std::string source, SandboxLimits limits)
      : sandbox_(limits), context_(std::move(path), std::move(source)) {}

  [[nodiscard]] const std::vector<TestContext::Declared>& tests() const { return context_.tests; }
  TestResult run(const TestContext::Declared& test);

 private:
  Status declare_tests();
  std::optional<TestFailure> failure_after(const Status& ran, int line);

  Sandbox sandbox_;
  TestContext context_;
};

Result<std::unique_ptr<TestFile>> TestFile::load(const fs::path& path, SandboxLimits limits) {
  auto source = read_script(path.string(), "test file");
  if (!source) return fail(source.error());
  auto file = std::make_unique<TestFile>(path, std::move(*source), limits);
  if (auto declared = file->declare_tests(); !declared) {
    Error error = declared.error();
    error.object = error.object.empty() ? path.string() : file->context_.with_folders(error.object);
    return fail(std::move(error));
  }
  return file;
}

Status TestFile::declare_tests() {
  return sandbox_.run([this](lua_State* lua) {
    context_.attach(lua);
    open_expectations(lua);
    open_policies(lua);
    lua_pushcfunction(lua, declare_test);
    Sandbox::set_global(lua, "test");
    Sandbox::load_chunk(lua, context_.source(), context_.chunk_name());
    lua_call(lua, 0, 0);
  });
}

TestResult TestFile::run(const TestContext::Declared& test) {
  TestResult result;
  result.file = context_.file().string();
  result.name = test.name;
  result.line = test.line;
  context_.begin(test);
  const auto start = std::chrono::steady_clock::now();
  const Status ran = sandbox_.run([&](lua_State* lua) {
    lua_rawgeti(lua, LUA_REGISTRYINDEX, test.function);
    lua_call(lua, 0, 0);
  });
  result.took = std::chrono::duration_cast<std::chrono::microseconds>(
      std::chrono::steady_clock::now() - start);
  context_.running = nullptr;
  result.failure = failure_after(ran, test.line);
  return result;
}

std::optional<TestFailure> TestFile::failure_after(const Status& ran, int line) {
  if (context_.failure) return std::move(context_.failure);
  if (!ran) return failure_of(ran.error(), context_);
  if (context_.unread_errors.empty()) return std::nullopt;
  TestFailure failure;
  failure.place = context_.file().string() + ":" + std::to_string(line);
  failure.message = "the policy failed in a tick, and the test did not read the tick's error";
  failure.detail.push_back(context_.unread_errors.begin()->second);
  return failure;
}

TestResult broken_file(const fs::path& path, const Error& error) {
  TestResult result;
  result.file = path.string();
  result.failure = TestFailure{};
  result.failure->place = error.object;
  result.failure->message = error.message + (error.hint.empty() ? "" : "; " + error.hint);
  return result;
}

/// Runs the tests of one file that the filter selects.
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

// --- all of them ---

Error nothing_to_run(const std::vector<fs::path>& paths, const std::string& filter) {
  std::string where;
  for (const fs::path& path : paths) where += (where.empty() ? "" : ", ") + path.string();
  if (filter.empty()) {
    return {ErrorCode::not_found,
            where,
            "no tests found",
            "test files have names such as halving_test.lua",
            {}};
  }
  return {ErrorCode::not_found,
          where,
          "no test matches '" + filter + "'",
          "--filter takes a part of a test's or a file's name",
          {}};
}

Status write_junit(const fs::path& path, const std::vector<TestResult>& results) {
  return files::write_atomically(path, [&](const files::WritePiece& write) -> Status {
    write(junit_xml(results));
    return {};
  });
}

}  // namespace

void TestContext::attach(lua_State* lua) {
  lua_pushlightuserdata(lua, this);
  lua_rawsetp(lua, LUA_REGISTRYINDEX, &kContext);
}

TestContext& TestContext::of(lua_State* lua) {
  lua_rawgetp(lua, LUA_REGISTRYINDEX, &kContext);
  auto* context = static_cast<TestContext*>(lua_touserdata(lua, -1));
  lua_pop(lua, 1);
  return *context;
}

std::string TestContext::with_folders(const std::string& place) const {
  return place.starts_with(chunk_name()) ? (file_.parent_path() / place).string() : place;
}

std::string TestContext::line_text(int line) const {
  std::size_t start = 0;
  for (int at = 1; at < line; ++at) {
    start = source_.find('\n', start);
    if (start == std::string::npos) return {};
    ++start;
  }
  const std::string text = source_.substr(start, source_.find('\n', start) - start);
  const std::size_t indentation = text.find_first_not_of(" \t");
  return line < 1 || indentation == std::string::npos ? std::string() : text.substr(indentation);
}

void TestContext::begin(const Declared& test) {
  failure.reset();
  last_tick.clear();
  unread_errors.clear();
  running = &test;
}

void TestContext::fail_at(int line, std::string expected, std::string got) {
  if (failure) return;
  failure = TestFailure{};
  failure->place = file_.string() + ":" + std::to_string(line);
  failure->source_line = line_text(line);
  failure->expected = std::move(expected);
  failure->got = std::move(got);
  failure->detail = last_tick;
}

int calling_line(lua_State* lua) {
  lua_Debug frame{};
  for (int level = 0; lua_getstack(lua, level, &frame) != 0; ++level) {
    if (lua_getinfo(lua, "l", &frame) != 0 && frame.currentline > 0) return frame.currentline;
  }
  return 0;
}

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
  if (results.empty()) return fail(nothing_to_run(paths, options.filter));
  report.end();
  if (options.junit) {
    if (auto written = write_junit(*options.junit, results); !written) {
      return fail(written.error());
    }
  }
  return report.counts();
}

}  // namespace memcoord::bindings::testing
