#include "bindings/testing/test_context.h"

#include <lauxlib.h>
#include <lua.h>

#include <cstdlib>
#include <utility>

namespace memcoord::bindings::testing {
namespace {

const char kContext = 1;  // key of the registry

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
    start = source.find('\n', start);
    if (start == std::string::npos) return {};
    ++start;
  }
  const std::string text = source.substr(start, source.find('\n', start) - start);
  const std::size_t indentation = text.find_first_not_of(" \t");
  return line < 1 || indentation == std::string::npos ? std::string() : text.substr(indentation);
}

SandboxLimits TestContext::policy_limits() {
  SandboxLimits limits;
  limits.time = std::chrono::seconds(10);
  return limits;
}

int calling_line(lua_State* lua) {
  lua_Debug caller{};
  if (lua_getstack(lua, 1, &caller) == 0 || lua_getinfo(lua, "l", &caller) == 0) return 0;
  return caller.currentline;
}

void fail_test(lua_State* lua, std::string message, std::string expected, std::string got) {
  TestContext& context = TestContext::of(lua);
  if (!context.failure) {
    const int line = calling_line(lua);
    TestFailure failure;
    failure.place = context.file().string() + ":" + std::to_string(line);
    failure.message = std::move(message);
    failure.source_line = context.line_text(line);
    failure.expected = std::move(expected);
    failure.got = std::move(got);
    failure.detail = context.last_tick;
    context.failure = std::move(failure);
  }
  luaL_error(lua, "an expectation does not hold");
  std::abort();  // luaL_error does not return
}

}  // namespace memcoord::bindings::testing
