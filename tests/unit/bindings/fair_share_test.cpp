#include <doctest/doctest.h>

#include <cstdint>
#include <string>
#include <vector>

#include "bindings/lua_policy.h"
#include "engine/core/guard.h"
#include "tests/world/world.h"

using namespace memcoord;
using namespace memcoord::bindings;
using namespace memcoord::test;

namespace {

/// The numbers that `fair_share(arguments)` returns, with blanks between, or the error of the call.
std::string shared(const std::string& arguments) {
  const auto policy = LuaPolicy::load_text(
      "return { api = 1, summary = 's', tick = function(ctx)\n"
      "ctx.log.info(table.concat(fair_share(" +
          arguments + "), ' ')) end }",
      "p.lua");
  if (!policy) return policy.error().text();
  const Observed observed(
      World().host(8_GiB, free(4_GiB)).domain("a", actual(512_MiB), unused(50_MiB)));
  const auto answer = (*policy)->decide(observed.situation());
  return answer ? answer->log.at(0).text : answer.error().text();
}

}  // namespace

TEST_CASE("fair_share gives equal parts, none larger than its want") {
  CHECK(shared("900, { 100, 1000, 1000 }") == "100 400 400");
  CHECK(shared("900, { 1000, 100, 1000 }") == "400 100 400");
  CHECK(shared("5000, { 100, 1000, 1000 }") == "100 1000 1000");
  CHECK(shared("900, {}").empty());
}

TEST_CASE("fair_share goes by weight where weights are given") {
  CHECK(shared("900, { 1000, 1000 }, { 2, 1 }") == "600 300");
  CHECK(shared("900, { 500, 1000 }, { 2, 1 }") == "500 400");
  CHECK(shared("900, { 1000, 1000 }, { 0.5, 0.25 }") == "600 300");
}

TEST_CASE("fair_share serves an infinite weight first") {
  CHECK(shared("900, { 500, 1000 }, { math.huge, 1e9 }") == "500 400");
  CHECK(shared("900, { 1000, 1000 }, { math.huge, math.huge }") == "450 450");
}

TEST_CASE("fair_share rounds down to whole KiB, and takes less than 0 for 0") {
  CHECK(shared("10, { 9, 9, 9 }") == "3 3 3");
  CHECK(shared("10.9, { 2.9, 2.9 }") == "2 2");
  CHECK(shared("-5, { 1, 2 }") == "0 0");
  CHECK(shared("10, { -5, 20 }") == "0 10");
  CHECK(shared("10, { math.huge, 2 }") == "8 2");
  CHECK(shared("math.huge, { 7, 2 }") == "7 2");
}

TEST_CASE("fair_share gives the same shares as the guard") {
  std::uint64_t random = 7;
  const auto next = [&](std::uint64_t below) {
    random = random * 6364136223846793005U + 1442695040888963407U;
    return (random >> 33U) % below;
  };
  for (int round = 0; round < 20; ++round) {
    std::vector<guard::Want> wants(1 + next(12));
    const MemorySize total = MemorySize::from_kib(next(5'000'000));
    std::string amounts;
    std::string weights;
    for (guard::Want& want : wants) {
      want = {MemorySize::from_kib(next(1'000'000)), static_cast<double>(1 + next(8)) / 4};
      amounts += std::to_string(want.amount.kib()) + ",";
      weights += std::to_string(want.weight) + ",";
    }
    std::string expected;
    for (const MemorySize share : guard::share_out(total, wants)) {
      expected.append(expected.empty() ? "" : " ").append(std::to_string(share.kib()));
    }
    CHECK(shared(std::to_string(total.kib()) + ", {" + amounts + "}, {" + weights + "}") ==
          expected);
  }
}

TEST_CASE("fair_share refuses bad arguments in one line, with its place") {
  const auto refused = [](const std::string& arguments, const std::string& why) {
    CHECK(shared(arguments) == "p.lua:2: fair_share: " + why);
  };
  refused("'10', { 1 }", "total is a string where a number is expected");
  refused("nil, { 1 }", "total is a nil where a number is expected");
  refused("0/0, { 1 }", "total is not a number (nan)");
  refused("10", "wants is a nil where a list of numbers is expected");
  refused("10, 5", "wants is a number where a list of numbers is expected");
  CHECK(shared("10, ctx.domains").starts_with("p.lua:2: ctx.domains is not a plain table"));
  refused("10, { a = 1 }", "wants is a table by name where a list of numbers is expected");
  refused("10, { 1, 'x' }", "wants[2] is a string where a number is expected");
  refused("10, { 1, 0/0 }", "wants[2] is not a number (nan)");
  refused("10, { 1, 2 }, { 1 }", "wants has 2 items, and weights has 1");
  refused("10, { 1, 2 }, { 1, 0 }", "weights[2] is not a number over 0");
  refused("10, { 1, 2 }, { 1, -1 }", "weights[2] is not a number over 0");
  refused("10, { 1, 2 }, { 1, -math.huge }", "weights[2] is not a number over 0");
  refused("10, { 1, 2 }, { 0/0, 1 }", "weights[1] is not a number (nan)");
  refused("10, { 1, 2 }, true", "weights is a boolean where a list of numbers is expected");
  refused("10, table.pack(('x'):rep(10001):byte(1, 10000)), { 1 }",
          "wants has 10000 items, and weights has 1");
}

TEST_CASE("fair_share is charged by the number of its wants") {
  SandboxLimits limits;
  limits.instructions = 1'000'000;
  limits.time = std::chrono::minutes(1);
  const auto policy = LuaPolicy::load_text(
      "return { api = 1, summary = 's', tick = function()\n"
      "local wants = {} for i = 1, 9000 do wants[i] = i end\n"
      "for _ = 1, 100 do fair_share(1e6, wants) end end }",
      "p.lua", {}, limits);
  REQUIRE(policy);
  const Observed observed(World().host(8_GiB, free(4_GiB)));
  const auto answer = (*policy)->decide(observed.situation());
  REQUIRE_FALSE(answer);
  CHECK(answer.error().text() == "p.lua:3: exceeded its limit of 1000000 instructions");
}
