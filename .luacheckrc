-- Policies, their tests and scenarios: plain Lua 5.4 less what the sandbox leaves out.
std = {
  read_globals = {
    "KiB", "MiB", "GiB", "TiB", "glob",
    "assert", "error", "getmetatable", "ipairs", "math", "next", "pairs", "pcall", "rawequal",
    "rawlen", "select", "setmetatable", "string", "table", "tonumber", "tostring", "type", "utf8",
    "xpcall",
  },
}
max_line_length = 120
files["**/*_test.lua"] = { read_globals = { "policy", "test", "expect", "expect_error" } }
