#include "tests/property/lua_programs.h"

#include <array>
#include <span>
#include <string_view>

namespace memcoord::test {
namespace {

// The start of each program: values that are large, empty, cyclic, or have metamethods.
constexpr std::string_view kValues = R"(
local function long(c) local s = c while #s < 2^20 // 1 do s = s .. s end return s end
local emptied = {} for i = 1, 60000 do emptied[i] = i end for i = 1, 60000 do emptied[i] = nil end
local list = {} for i = 1, 5000 do list[i] = i end
local named = {} for i = 1, 3000 do named['k' .. i] = i end
local text, zeros, digits = long('x'), long('\0'), long('0')
local cyclic = {} cyclic[1] = cyclic cyclic.self = cyclic
local fan = {} for i = 1, 30 do fan = { fan, fan } end
local function f(...) return ... end
local function deep(...) return 1 + deep(...) end
local function endless() while true do end end
)";

constexpr std::array<std::string_view, 22> kNames{
    "emptied",        "list",        "named",    "text",        "zeros",
    "digits",         "cyclic",      "fan",      "f",           "deep",
    "endless",        "a",           "b",        "c",           "ctx",
    "ctx.state",      "ctx.domains", "ctx.host", "ctx.skipped", "ctx.params",
    "ctx.domains[1]", "ctx.log"};
constexpr std::array<std::string_view, 16> kConstants{"nil",
                                                      "true",
                                                      "0",
                                                      "1",
                                                      "-1",
                                                      "2",
                                                      "3.5",
                                                      "1e308",
                                                      "0/0",
                                                      "math.huge",
                                                      "math.mininteger",
                                                      "math.maxinteger",
                                                      "2^20 // 1",
                                                      "'k1'",
                                                      "'%s%q%99.99f'",
                                                      "'actual'"};
constexpr std::array<std::string_view, 66> kFunctions{"assert",
                                                      "error",
                                                      "getmetatable",
                                                      "ipairs",
                                                      "next",
                                                      "pairs",
                                                      "pcall",
                                                      "rawequal",
                                                      "rawlen",
                                                      "select",
                                                      "setmetatable",
                                                      "tonumber",
                                                      "tostring",
                                                      "type",
                                                      "xpcall",
                                                      "glob",
                                                      "string.byte",
                                                      "string.char",
                                                      "string.format",
                                                      "string.len",
                                                      "string.lower",
                                                      "string.rep",
                                                      "string.reverse",
                                                      "string.sub",
                                                      "string.upper",
                                                      "table.insert",
                                                      "table.remove",
                                                      "table.move",
                                                      "table.concat",
                                                      "table.unpack",
                                                      "table.pack",
                                                      "table.sort",
                                                      "math.abs",
                                                      "math.ceil",
                                                      "math.floor",
                                                      "math.fmod",
                                                      "math.max",
                                                      "math.min",
                                                      "math.tointeger",
                                                      "math.type",
                                                      "math.ult",
                                                      "math.sqrt",
                                                      "utf8.char",
                                                      "utf8.codepoint",
                                                      "utf8.codes",
                                                      "utf8.len",
                                                      "utf8.offset",
                                                      "f",
                                                      "deep",
                                                      "endless",
                                                      "ctx.domains.least",
                                                      "ctx.domains.most",
                                                      "ctx.domains.sum",
                                                      "ctx.domains.where",
                                                      "ctx.log.info",
                                                      "ctx.log.warn",
                                                      "ctx.domains[1].avg",
                                                      "ctx.domains[1].max",
                                                      "ctx.domains[1].quantile",
                                                      "ctx.domains[1].slope",
                                                      "ctx.domains[1].set",
                                                      "ctx.domains[1].grow",
                                                      "ctx.domains[1].shrink",
                                                      "ctx.domains[1].hold",
                                                      "table.nosuch",
                                                      "ctx.nosuch"};
constexpr std::array<std::string_view, 25> kEvents{
    "__index",    "__newindex",  "__call", "__close", "__eq",  "__lt",   "__le",
    "__len",      "__concat",    "__unm",  "__add",   "__sub", "__mul",  "__div",
    "__mod",      "__pow",       "__idiv", "__band",  "__shl", "__name", "__pairs",
    "__tostring", "__metatable", "__gc",   "__mode"};
constexpr std::array<std::string_view, 15> kOperators{"+",  "-",  "*", "/",  "//", "%", "^", "..",
                                                      "==", "~=", "<", "<=", "&",  "|", "<<"};
constexpr std::array<std::string_view, 3> kLocals{"a", "b", "c"};

class LuaProgram {
 public:
  explicit LuaProgram(const Choose& choose) : choose_(choose) {}

  std::string text() {
    std::string body;
    const unsigned statements = 1 + choose_(8);
    for (unsigned i = 0; i < statements; ++i) {
      // Most random statements fail: without pcall few programs would pass the first one.
      const std::string one = statement(0);
      body += choose_(8) == 0 ? one + "\n" : "pcall(function() " + one + " end)\n";
    }
    return "return { api = 1, summary = 's', params = { p = { default = 1, doc = 'd' } },\n"
           "tick = function(ctx)\nif ctx.tick ~= 1 then return ctx.domains[1]:hold('alive') end\n" +
           std::string(kValues) + "local a, b, c = {}, 'b', 3\n" + body + "end }\n";
  }

 private:
  static constexpr int kDeepestNesting = 5;

  template <std::size_t n>
  std::string one_of(const std::array<std::string_view, n>& texts) {
    return std::string(texts[choose_(static_cast<unsigned>(n))]);
  }

  std::string expressions(int depth) {
    std::string all;
    const unsigned count = choose_(5);
    for (unsigned i = 0; i < count; ++i) all += (i == 0 ? "" : ", ") + expression(depth + 1);
    return all;
  }

  std::string call(int depth) { return one_of(kFunctions) + "(" + expressions(depth) + ")"; }

  std::string metatable(int depth) {
    std::string fields;
    const unsigned count = 1 + choose_(3);
    for (unsigned i = 0; i < count; ++i) {
      fields += one_of(kEvents) + " = " +
                (choose_(3) == 0 ? one_of(kFunctions) : expression(depth + 1)) + ", ";
    }
    return "setmetatable({}, { " + fields + "})";
  }

  std::string function(int depth) {
    return "function(x, y, ...) " + statement(depth + 1) + " return " + expression(depth + 1) +
           " end";
  }

  std::string expression(int depth) {
    if (depth > kDeepestNesting) return choose_(2) == 0 ? one_of(kNames) : one_of(kConstants);
    switch (choose_(12)) {
      case 0:
      case 1:
        return one_of(kNames);
      case 2:
        return one_of(kConstants);
      case 3:
      case 4:
      case 5:
        return call(depth);
      case 6:
        return "(" + expression(depth + 1) + " " + one_of(kOperators) + " " +
               expression(depth + 1) + ")";
      case 7:
        return "{" + expressions(depth) + "}";
      case 8:
        return metatable(depth);
      case 9:
        return function(depth);
      case 10:
        return "(" + expression(depth + 1) + ")[" + expression(depth + 1) + "]";
      default:
        return choose_(2) == 0 ? "#(" + expression(depth + 1) + ")"
                               : "-(" + expression(depth + 1) + ")";
    }
  }

  std::string block(int depth) {
    std::string all;
    const unsigned count = 1 + choose_(3);
    for (unsigned i = 0; i < count; ++i) all += statement(depth + 1) + " ";
    return all;
  }

  std::string statement(int depth) {
    if (depth > kDeepestNesting) return "f(" + one_of(kNames) + ")";
    switch (choose_(14)) {
      case 0:
      case 1:
        return one_of(kLocals) + " = " + expression(depth);
      case 2:
      case 3:
        return call(depth);
      case 4:
        return "pcall(function() " + block(depth) + " end)";
      case 5:
        return "xpcall(function() " + block(depth) + " end, " + function(depth) + ")";
      case 6:
        return "for i = 1, " + one_of(kConstants) + " do " + block(depth) + " end";
      case 7:
        return "while true do " + block(depth) + " end";
      case 8:
        return "for k, v in pairs(" + expression(depth) + ") do " + block(depth) + " end";
      case 9:
        return "do local x <close> = " + metatable(depth) + " " + block(depth) + " end";
      case 10:
        // Without the semicolon it would call the end of the statement before it.
        return ";(" + expression(depth) + ")[" + expression(depth) + "] = " + expression(depth);
      case 11:
        return "local function r(...) " + block(depth) + " return r(1, ...) end r()";
      case 12:
        return "if " + expression(depth) + " then " + block(depth) + " end";
      default:
        return "ctx.state.k" + std::to_string(choose_(3)) + " = " + expression(depth);
    }
  }

  const Choose& choose_;
};

}  // namespace

std::string lua_program(const Choose& choose) {
  return LuaProgram(choose).text();
}

}  // namespace memcoord::test
