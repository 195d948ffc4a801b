-- The expectations of policy tests: expect(value):equals(other) and the like, and expect_error().
--
-- memcoord loads this module into the sandbox of each test file and passes it the primitives. The module has
-- no line numbers there, so that every error, a library function's included, has the test's own line. Tables
-- are compared by their raw entries, so that no metamethod of a test or of a tick takes part.
local primitives = ...
local refuse, show, read_only = primitives.refuse, primitives.show, primitives.read_only
local raw_get, raw_next = primitives.raw_get, primitives.raw_next

local DEEPEST = 50

-- Whether two values are the same, tables entry by entry.
local function same(a, b, depth)
  if rawequal(a, b) then return true end
  if type(a) ~= "table" or type(b) ~= "table" then return false end
  if depth > DEEPEST then refuse("tables nested more than 50 deep, or within themselves") end
  for key, value in raw_next, a do
    if not same(value, raw_get(b, key), depth + 1) then return false end
  end
  for key in raw_next, b do
    if raw_get(a, key) == nil then return false end
  end
  return true
end

-- Whether a list has this item, or a string this part.
local function has(subject, item)
  if type(subject) == "string" and type(item) == "string" then
    return primitives.has_part(subject, item)
  end
  if type(subject) ~= "table" then return false end
  for i = 1, rawlen(subject) do
    if same(item, raw_get(subject, i), 0) then return true end
  end
  return false
end

local function matches(subject, pattern)
  return type(subject) == "string" and glob(pattern, subject)
end

-- Arguments that a test gave

local function value_in(...)
  if select("#", ...) == 0 then refuse("give a value to compare with; write nil to compare with nil") end
  return (...)
end

local function check_number(bound)
  if type(bound) ~= "number" then
    refuse("give a number to compare with, not a " .. type(bound))
  end
end

local function check_pattern(pattern)
  if type(pattern) ~= "string" then
    refuse("give a pattern with * and ?, such as \"*starved*\"")
  end
end

-- The checks: each returns its expectation in words, or nothing if it holds

local checks = {}

function checks.equals(subject, ...)
  local other = value_in(...)
  if not same(subject, other, 0) then return show(other) end
end

function checks.differs_from(subject, ...)
  local other = value_in(...)
  if same(subject, other, 0) then return "anything but " .. show(other) end
end

local function comparison(words, holds)
  return function(subject, bound)
    check_number(bound)
    local met = type(subject) == "number" and holds(subject, bound)
    if not met then return words .. show(bound) end
  end
end

checks.is_at_least = comparison("at least ", function(a, b) return a >= b end)
checks.is_at_most = comparison("at most ", function(a, b) return a <= b end)
checks.is_more_than = comparison("more than ", function(a, b) return a > b end)
checks.is_less_than = comparison("less than ", function(a, b) return a < b end)

function checks.is_between(subject, low, high)
  check_number(low)
  check_number(high)
  local met = type(subject) == "number" and low <= subject and subject <= high
  if not met then return "from " .. show(low) .. " to " .. show(high) end
end

function checks.is_near(subject, wanted, tolerance)
  check_number(wanted)
  check_number(tolerance)
  local met = type(subject) == "number" and math.abs(subject - wanted) <= tolerance
  if not met then return show(wanted) .. ", give or take " .. show(tolerance) end
end

function checks.is_empty(subject)
  local met = subject == "" or type(subject) == "table" and raw_next(subject) == nil
  if not met then return "nothing in it" end
end

function checks.contains(subject, ...)
  local item = value_in(...)
  if not has(subject, item) then return "something with " .. show(item) .. " in it" end
end

function checks.lacks(subject, ...)
  local item = value_in(...)
  if has(subject, item) then return "something without " .. show(item) .. " in it" end
end

function checks.matches(subject, pattern)
  check_pattern(pattern)
  if not matches(subject, pattern) then return "a string like " .. show(pattern) end
end

function checks.is_nil(subject)
  if subject ~= nil then return "nil" end
end

function checks.is_true(subject)
  if subject ~= true then return "true" end
end

function checks.is_false(subject)
  if subject ~= false then return "false" end
end

-- expect(value) and expect_error(subject, pattern)

local SUBJECT = {} -- the key of the box that holds the value of expect(value)

local methods = {}
for name, check in pairs(checks) do
  methods[name] = primitives.entry(function(self, ...)
    local box = type(self) == "table" and raw_get(self, SUBJECT)
    if not box then refuse("write expect(value):" .. name .. "(...), with a colon") end
    local expected = check(box.value, ...)
    if expected then primitives.fail(expected, show(box.value)) end
  end)
end

local metatable = {
  __index = read_only(methods, "expect()"),
  __newindex = function() refuse("the result of expect() cannot be changed") end,
  __metatable = "protected",
}

local function expect(value)
  primitives.check_running("expect()")
  return setmetatable({ [SUBJECT] = { value = value } }, metatable)
end

-- The error of a tick's policy or of a function; nil if there is none.
local function error_of(subject)
  if type(subject) == "table" then return subject.error end
  if type(subject) ~= "function" then
    refuse("expect_error takes a function or a tick, not a " .. type(subject))
  end
  local ran, raised = pcall(subject)
  -- A failed expectation within the function does not count as its error.
  primitives.check_running("expect_error()")
  if not ran then return raised end
end

local function expect_error(subject, pattern)
  primitives.check_running("expect_error()")
  check_pattern(pattern)
  local raised = error_of(subject)
  if not matches(raised, pattern) then
    primitives.fail("an error like " .. show(pattern), raised == nil and "no error" or show(raised))
  end
end

return primitives.entry(expect), primitives.entry(expect_error)
