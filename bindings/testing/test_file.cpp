#include "bindings/testing/test_file.h"

#include <lauxlib.h>
#include <lua.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <sstream>
#include <utility>

#include "bindings/testing/expectation.h"
#include "bindings/testing/policy_object.h"

namespace memcoord::bindings::testing {
namespace {

int declare_test(lua_State* lua) {
  TestContext& context = TestContext::of(lua);
  if (context.running) raise(lua, "test() within a test; tests stand beside each other");
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

/// What an error that was no expectation's tells.
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
    failure.detail.push_back(std::move(line));
  }
  return failure;
}

}  // namespace

TestFile::TestFile(const std::filesystem::path& path, SandboxLimits limits)
    : sandbox_(limits), context_(path) {}

Result<std::unique_ptr<TestFile>> TestFile::load(const std::filesystem::path& path,
                                                 SandboxLimits limits) {
  auto source = read_script(path.string(), "test file");
  if (!source) return fail(source.error());
  std::unique_ptr<TestFile> file(new TestFile(path, limits));  // NOLINT: the constructor is private
  file->context_.source = std::move(*source);
  if (auto evaluated = file->evaluate(); !evaluated) {
    Error error = evaluated.error();
    error.object = error.object.empty() ? path.string() : file->context_.with_folders(error.object);
    return fail(std::move(error));
  }
  return file;
}

Status TestFile::evaluate() {
  return sandbox_.run([this](lua_State* lua) {
    context_.attach(lua);
    open_expectations(lua);
    open_policy_objects(lua);
    lua_pushcfunction(lua, declare_test);
    Sandbox::set_global(lua, "test");
    Sandbox::load_chunk(lua, context_.source, context_.chunk_name());
    lua_call(lua, 0, 0);
  });
}

TestResult TestFile::run(const TestContext::Declared& test) {
  TestResult result;
  result.file = context_.file().string();
  result.name = test.name;
  result.line = test.line;
  context_.failure.reset();
  context_.last_tick.clear();
  context_.unseen_errors.clear();
  context_.running = &test;
  const auto start = std::chrono::steady_clock::now();
  const Status ran = sandbox_.run([&](lua_State* lua) {
    lua_rawgeti(lua, LUA_REGISTRYINDEX, test.function);
    lua_call(lua, 0, 0);
  });
  result.took = std::chrono::duration_cast<std::chrono::microseconds>(
      std::chrono::steady_clock::now() - start);
  context_.running = nullptr;
  if (context_.failure) {
    result.failure = std::move(context_.failure);
  } else if (!ran) {
    result.failure = failure_of(ran.error(), context_);
  } else if (!context_.unseen_errors.empty()) {
    result.failure = TestFailure{};
    result.failure->place = result.file + ":" + std::to_string(test.line);
    result.failure->message = "the policy failed in a tick whose error the test did not look at";
    result.failure->detail.push_back(context_.unseen_errors.begin()->second);
  }
  return result;
}

}  // namespace memcoord::bindings::testing
