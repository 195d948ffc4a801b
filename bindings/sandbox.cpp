#include "bindings/sandbox.h"

#include <lauxlib.h>
#include <lua.h>

#include <cstdlib>
#include <new>
#include <sstream>
#include <string_view>

#include "bindings/safe_library.h"
#include "engine/files/open_file.h"

namespace memcoord::bindings {
namespace {

constexpr std::size_t kLargestScript = std::size_t{256} * 1024;
constexpr std::size_t kMaxTraceLines = 40;

void push_place(lua_State* lua) {
  lua_Debug frame{};
  for (int level = 0; lua_getstack(lua, level, &frame) != 0; ++level) {
    lua_getinfo(lua, "Sl", &frame);
    if (frame.currentline <= 0) continue;
    lua_pushfstring(lua, "%s:%d: ", frame.short_src, frame.currentline);
    return;
  }
  lua_pushliteral(lua, "");
}

/// Turns the error value into text, without running the script's code.
int describe_error(lua_State* lua) {
  const char* text = lua_type(lua, 1) == LUA_TSTRING ? lua_tostring(lua, 1) : nullptr;
  if (!text) {
    lua_pushfstring(lua, "the error is a %s instead of a string", luaL_typename(lua, 1));
    push_place(lua);
    lua_insert(lua, -2);
    lua_concat(lua, 2);
    text = lua_tostring(lua, -1);
  }
  luaL_traceback(lua, lua, text, 1);
  return 1;
}

/// The lines of a traceback, fit for a terminal.
std::string trace_lines(std::string_view trace) {
  std::istringstream lines{std::string(trace)};
  std::string out;
  std::size_t count = 0;
  for (std::string line; count < kMaxTraceLines && std::getline(lines, line); ++count) {
    const bool indented = line.starts_with('\t');
    if (!out.empty()) out += '\n';
    out += (indented ? "\t" : "") +
           printable(std::string_view(line).substr(indented ? 1 : 0), kScriptText);
  }
  return out;
}

/// Splits "file:line: message" and the traceback that follows it.
Error split_error(std::string_view text, ErrorCode code) {
  Error error;
  error.code = code;
  // No line of Lua raises a syntax error: its traceback is empty.
  constexpr std::string_view kEmptyTrace = "\nstack traceback:\n\t[C]: in ?";
  while (text.ends_with(kEmptyTrace)) text.remove_suffix(kEmptyTrace.size());
  // The last one: everything before it may be the script's own text.
  const std::size_t end = text.rfind("\nstack traceback:");
  std::string_view first = text.substr(0, end);
  if (end != std::string_view::npos) error.detail = trace_lines(text.substr(end + 1));
  // The place ends at the first ":<digits>: ".
  for (std::size_t at = first.find(':'); at != std::string_view::npos;
       at = first.find(':', at + 1)) {
    std::size_t digits = at + 1;
    while (digits < first.size() && first[digits] >= '0' && first[digits] <= '9') ++digits;
    if (digits > at + 1 && first.substr(digits).starts_with(": ")) {
      error.object = printable(first.substr(0, digits), kScriptText);
      first = first.substr(digits + 2);
      break;
    }
  }
  error.message = printable(first, 400);
  return error;
}

/// Feeds the compiler a script in pieces and charges each: the hook does not count the compiler's
/// work, and long chains of `and` or `elseif` take it quadratic time.
struct Pieces {
  static constexpr std::size_t kPiece = 2048;
  std::string_view rest;

  static const char* next(lua_State* lua, void* data, std::size_t* size) {
    std::string_view& rest = static_cast<Pieces*>(data)->rest;
    const std::string_view piece = rest.substr(0, kPiece);
    rest.remove_prefix(piece.size());
    charge(lua, piece.size());
    *size = piece.size();
    return piece.data();
  }
};

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

void Sandbox::Close::operator()(lua_State* lua) const noexcept {
  lua_close(lua);
}

Sandbox::Sandbox(SandboxLimits limits)
    : meter_(std::make_unique<Meter>(limits)),
      state_(lua_newstate(&Meter::allocate, meter_.get())) {
  if (!state_) throw std::bad_alloc();
  *static_cast<Sandbox**>(lua_getextraspace(state())) = this;
  meter_->watch(state());
  open_safe_library(state());
}

Sandbox::~Sandbox() = default;

Sandbox& Sandbox::of(lua_State* lua) {
  return **static_cast<Sandbox**>(lua_getextraspace(lua));
}

Status Sandbox::run(const std::function<void(lua_State*)>& body,
                    std::optional<Meter::Time> no_later_than) {
  lua_State* lua = state();
  const int top = lua_gettop(lua);
  meter_->start(no_later_than);
  Body call{&body};
  lua_pushcfunction(lua, describe_error);
  lua_pushcfunction(lua, run_body);
  lua_pushlightuserdata(lua, &call);
  const int status = lua_pcall(lua, 1, 0, top + 1);
  // Negative: a C++ exception came through Lua, which only std::bad_alloc can be.
  if (status == LUA_ERRMEM || status < 0) meter_->trip(Meter::Trip::memory);
  // A limit counts even if the script has caught the error, or has ended before the clock was read.
  meter_->stop();
  const bool tripped = meter_->tripped() != Meter::Trip::none;
  if (status == LUA_OK && !tripped) {
    lua_settop(lua, top);
    return {};
  }
  const char* raw = lua_type(lua, -1) == LUA_TSTRING ? lua_tostring(lua, -1) : nullptr;
  Error error = split_error(status != LUA_OK && raw ? raw : "an error without a message",
                            tripped ? ErrorCode::limit_exceeded : ErrorCode::policy_failed);
  // A script can raise an error of the same text.
  if (tripped) error.message = meter_->message();
  lua_settop(lua, top);
  return fail(std::move(error));
}

bool Sandbox::collect_until(Meter::Time deadline) {
  // The first cycle that ends may have begun before the objects became garbage.
  for (int cycles = 0; cycles < 2;) {
    if (std::chrono::steady_clock::now() >= deadline) return false;
    if (lua_gc(state(), LUA_GCSTEP, 0) != 0) ++cycles;
  }
  return true;
}

void Sandbox::load_chunk(lua_State* lua, const std::string& source, const std::string& chunk_name) {
  const std::string name = "@" + chunk_name;
  Pieces pieces{source};
  if (lua_load(lua, Pieces::next, &pieces, name.c_str(), "t") != LUA_OK) lua_error(lua);
  push_safe_globals(lua);
  lua_setupvalue(lua, -2, 1);
}

void Sandbox::set_global(lua_State* lua, const char* name) {
  set_safe_global(lua, name);
}

void raise(lua_State* lua, const std::string& message) {
  push_place(lua);
  lua_pushlstring(lua, message.data(), message.size());
  lua_concat(lua, 2);
  lua_error(lua);
  std::abort();  // lua_error does not return
}

void charge(lua_State* lua, std::uint64_t instructions) {
  Meter& meter = Sandbox::meter_of(lua);
  if (!meter.charge(instructions)) raise(lua, meter.message());
}

void Pace::read_clock() {
  done_ = 0;
  Meter& meter = Sandbox::meter_of(lua_);
  if (!meter.read_clock()) raise(lua_, meter.message());
}

Result<std::string> read_script(const std::string& path, const std::string& kind) {
  auto read = files::read_up_to(kLargestScript + 1, path, kind);
  if (!read) return read;
  std::string source = *std::move(read);
  if (source.size() > kLargestScript) {
    return fail(ErrorCode::invalid_input, path, "larger than 256 KiB",
                "a " + kind + " has at most 256 KiB; check the path");
  }
  if (source.empty()) {
    return fail(ErrorCode::invalid_input, path, "an empty file", "a " + kind + " is a Lua script");
  }
  if (source.front() == '\x1b') {
    return fail(ErrorCode::invalid_input, path, "precompiled Lua is not accepted",
                "give the source text");
  }
  return source;
}

}  // namespace memcoord::bindings
