#include "bindings/sandbox.h"

#include <lauxlib.h>
#include <lua.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "bindings/safe_library.h"

namespace memcoord::bindings {
namespace {

constexpr int kHookEvery = 200;
// From this size on an allocation also looks at the clock: one instruction can ask for megabytes.
constexpr std::size_t kLargeBlock = std::size_t{16} * 1024;
constexpr std::size_t kLargestScript = std::size_t{1} << 20U;

void count_hook(lua_State* lua, lua_Debug*) {
  Meter& meter = Sandbox::meter_of(lua);
  if (meter.charge(kHookEvery)) return;
  // From now on every instruction ends in this error, so that no handler can go on.
  lua_sethook(lua, count_hook, LUA_MASKCOUNT, 1);
  luaL_error(lua, "ran past %s", meter.limit_text().c_str());
}

/// Turns the error value into text, without running any of the script's code.
int describe_error(lua_State* lua) {
  const char* text = lua_type(lua, 1) == LUA_TSTRING ? lua_tostring(lua, 1) : nullptr;
  if (!text) {
    lua_pushfstring(lua, "the error is no text but a %s", luaL_typename(lua, 1));
    luaL_where(lua, 1);
    lua_insert(lua, -2);
    lua_concat(lua, 2);
    text = lua_tostring(lua, -1);
  }
  luaL_traceback(lua, lua, text, 1);
  return 1;
}

/// Splits "file:line: message" and the traceback behind it.
Error split_error(std::string_view text, ErrorCode code) {
  Error error;
  error.code = code;
  const std::size_t end = text.find("\nstack traceback:");
  std::string_view first = text.substr(0, end);
  if (end != std::string_view::npos) error.detail = std::string(text.substr(end + 1, 4000));
  // A syntax error was raised by no line of Lua: there is nothing to trace.
  if (error.detail == "stack traceback:\n\t[C]: in ?") error.detail.clear();
  // The place ends at the first ":<digits>: ".
  for (std::size_t at = first.find(':'); at != std::string_view::npos;
       at = first.find(':', at + 1)) {
    std::size_t digits = at + 1;
    while (digits < first.size() && first[digits] >= '0' && first[digits] <= '9') ++digits;
    if (digits > at + 1 && first.substr(digits).starts_with(": ")) {
      error.object = std::string(first.substr(0, digits));
      first = first.substr(digits + 2);
      break;
    }
  }
  error.message = printable(first, 400);
  return error;
}

struct Body {
  const std::function<void(lua_State*)>* run;
};

int run_body(lua_State* lua) {
  const auto* body = static_cast<const Body*>(lua_touserdata(lua, 1));
  lua_settop(lua, 0);
  (*body->run)(lua);
  return 0;
}

}  // namespace

void Meter::start() {
  instructions_ = 0;
  tripped_ = Trip::none;
  running_ = true;
  deadline_ = std::chrono::steady_clock::now() + limits_.time;
}

bool Meter::past_deadline() const {
  return std::chrono::steady_clock::now() >= deadline_;
}

bool Meter::charge(std::uint64_t instructions) {
  instructions_ += instructions;
  if (instructions_ > limits_.instructions) trip(Trip::instructions);
  if (past_deadline()) trip(Trip::time);
  return tripped_ == Trip::none;
}

void Meter::trip(Trip limit) {
  if (running_ && tripped_ == Trip::none) tripped_ = limit;
}

std::string Meter::limit_text() const {
  switch (tripped_) {
    case Trip::time:
      return "its time limit of " +
             std::to_string(
                 std::chrono::duration_cast<std::chrono::milliseconds>(limits_.time).count()) +
             " ms";
    case Trip::instructions:
      return "its limit of " + std::to_string(limits_.instructions) + " instructions";
    case Trip::memory:
      return "its memory limit of " + std::to_string(limits_.memory_bytes >> 20U) + " MiB";
    case Trip::none:
      break;
  }
  return "no limit";
}

// NOLINTBEGIN(cppcoreguidelines-no-malloc,cppcoreguidelines-owning-memory): lua_Alloc asks for it
void* Meter::allocate(void* meter, void* block, std::size_t old_size, std::size_t new_size) {
  auto& self = *static_cast<Meter*>(meter);
  const std::size_t had = block ? old_size : 0;  // for new objects old_size is a type tag
  if (new_size == 0) {
    std::free(block);
    self.used_bytes_ -= had;
    return nullptr;
  }
  if (new_size > had && self.running_) {
    if (self.used_bytes_ - had + new_size > self.limits_.memory_bytes) return nullptr;
    if (new_size >= kLargeBlock && self.past_deadline()) {
      self.trip(Trip::time);
      return nullptr;
    }
  }
  void* moved = std::realloc(block, new_size);
  if (moved) self.used_bytes_ += new_size - had;
  return moved;
}
// NOLINTEND(cppcoreguidelines-no-malloc,cppcoreguidelines-owning-memory)

void Sandbox::Close::operator()(lua_State* lua) const noexcept {
  lua_close(lua);
}

Sandbox::Sandbox(SandboxLimits limits)
    : meter_(std::make_unique<Meter>(limits)),
      state_(lua_newstate(&Meter::allocate, meter_.get())) {
  if (!state_) throw std::bad_alloc();
  *static_cast<Meter**>(lua_getextraspace(state())) = meter_.get();
  open_safe_library(state());
}

Sandbox::~Sandbox() = default;

Meter& Sandbox::meter_of(lua_State* lua) {
  return **static_cast<Meter**>(lua_getextraspace(lua));
}

Status Sandbox::run(const std::function<void(lua_State*)>& body) {
  lua_State* lua = state();
  const int top = lua_gettop(lua);
  meter_->start();
  lua_sethook(lua, count_hook, LUA_MASKCOUNT, kHookEvery);
  Body call{&body};
  lua_pushcfunction(lua, describe_error);
  lua_pushcfunction(lua, run_body);
  lua_pushlightuserdata(lua, &call);
  const int status = lua_pcall(lua, 1, 0, top + 1);
  if (status == LUA_ERRMEM) meter_->trip(Meter::Trip::memory);
  const bool tripped = meter_->tripped() != Meter::Trip::none;
  meter_->stop();
  lua_sethook(lua, nullptr, 0, 0);
  if (status == LUA_OK && !tripped) {
    lua_settop(lua, top);
    return {};
  }
  const char* raw = lua_type(lua, -1) == LUA_TSTRING ? lua_tostring(lua, -1) : nullptr;
  Error error = split_error(raw ? raw : "an error without words",
                            tripped ? ErrorCode::limit_exceeded : ErrorCode::policy_failed);
  if (tripped && error.message.find("ran past") == std::string::npos) {
    error.message = "ran past " + meter_->limit_text();
  }
  lua_settop(lua, top);
  return fail(std::move(error));
}

void Sandbox::load_chunk(lua_State* lua, const std::string& source, const std::string& chunk_name) {
  const std::string name = "@" + chunk_name;
  if (luaL_loadbufferx(lua, source.data(), source.size(), name.c_str(), "t") != LUA_OK) {
    lua_error(lua);
  }
  push_safe_globals(lua);
  lua_setupvalue(lua, -2, 1);
}

void Sandbox::set_global(lua_State* lua, const char* name) {
  set_safe_global(lua, name);
}

void raise(lua_State* lua, const std::string& message) {
  luaL_where(lua, 1);
  lua_pushlstring(lua, message.data(), message.size());
  lua_concat(lua, 2);
  lua_error(lua);
  std::abort();  // lua_error does not return
}

std::string printable(std::string_view text, std::size_t most) {
  std::string out;
  std::size_t i = 0;
  while (i < text.size()) {
    if (out.size() >= most) return out.substr(0, most) + "...";
    const auto c = static_cast<unsigned char>(text[i]);
    const std::size_t length = c < 0x80                ? 1
                               : c >= 0xf0 && c < 0xf5 ? 4
                               : c >= 0xe0             ? 3
                               : c >= 0xc2             ? 2
                                                       : 0;
    bool whole = length > 0 && c < 0xf5 && i + length <= text.size();
    for (std::size_t k = 1; whole && k < length; ++k) {
      whole = (static_cast<unsigned char>(text[i + k]) & 0xc0U) == 0x80;
    }
    if (!whole) {
      out += "?";
      ++i;
    } else if (length == 1 && (c < 0x20 || c == 0x7f)) {
      out += c == '\n' || c == '\t' || c == '\r' ? " " : "?";
      ++i;
    } else if (length == 2 && c == 0xc2 && static_cast<unsigned char>(text[i + 1]) < 0xa0) {
      out += "?";  // C1 control characters
      i += 2;
    } else {
      out += text.substr(i, length);
      i += length;
    }
  }
  return out;
}

Result<std::string> read_script(const std::string& path, const std::string& kind) {
  std::error_code problem;
  const auto status = std::filesystem::status(path, problem);
  if (!std::filesystem::exists(status)) {
    return fail(ErrorCode::not_found, path, "no such " + kind);
  }
  if (std::filesystem::is_directory(status)) {
    return fail(ErrorCode::invalid_input, path, "is a folder", "name a file");
  }
  std::ifstream stream(path, std::ios::binary);
  if (!stream) return fail(ErrorCode::permission_denied, path, std::strerror(errno));
  std::string source(kLargestScript + 1, '\0');
  stream.read(source.data(), static_cast<std::streamsize>(source.size()));
  source.resize(static_cast<std::size_t>(stream.gcount()));
  if (source.size() > kLargestScript) {
    return fail(ErrorCode::invalid_input, path, "larger than 1 MiB", "is it a " + kind + "?");
  }
  if (source.empty()) return fail(ErrorCode::invalid_input, path, "an empty file");
  if (source.front() == '\x1b') {
    return fail(ErrorCode::invalid_input, path, "precompiled Lua is not accepted",
                "give the source text");
  }
  return source;
}

}  // namespace memcoord::bindings
