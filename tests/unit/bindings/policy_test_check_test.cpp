#include <doctest/doctest.h>

#include <algorithm>
#include <sstream>

#include "bindings/testing/policy_check.h"
#include "tests/text.h"
#include "tests/unit/bindings/policy_test_run.h"

using namespace memcoord;
using namespace memcoord::bindings::testing;
using memcoord::bindings::LuaPolicy;
using memcoord::test::PolicyTestFolder;

namespace {

/// Checks a policy with this body of its tick function.
Result<PolicyCheck> check(const std::string& tick, const LuaPolicy::Settings& settings = {}) {
  const PolicyTestFolder folder;
  folder.write("mine.lua",
               "return { api = 1, summary = \"one of mine\",\n"
               "  params = { step = { default = \"10MiB\", doc = \"one step\" } },\n"
               "  tick = function(ctx)\n" +
                   tick + "\nend }\n");
  return check_policy(folder.path() / "mine.lua", settings);
}

std::string text_of(const PolicyCheck& check) {
  std::ostringstream out;
  print_check(check, false, out);
  return out.str();
}

const CheckedSituation& situation(const PolicyCheck& check, const std::string& name) {
  const auto found = std::find_if(check.situations.begin(), check.situations.end(),
                                  [&](const CheckedSituation& one) { return one.name == name; });
  REQUIRE(found != check.situations.end());
  return *found;
}

}  // namespace

TEST_CASE("a sound policy passes, and the text shows its moves") {
  const auto checked = check(
      "for _, d in ipairs(ctx.domains) do\n"
      "  if d.headroom < 100*MiB then d:grow(ctx.params.step, \"short\") end\n"
      "end");
  REQUIRE(checked);
  CHECK(checked->passed());
  CHECK(checked->info.summary == "one of mine");
  CHECK(situation(*checked, "one starved").proposals() > 0);
  CHECK(situation(*checked, "all satisfied").proposals() == 0);
  const std::string text = text_of(*checked);
  CHECK(contains(text, "mine: one of mine\n"));
  CHECK(contains(text, "step  size  10MiB  one step\n"));
  CHECK(contains(text, "hungry: 512 MiB -> 522 MiB (+10 MiB), short\n"));
  CHECK(contains(text, "mine: sound in "));
  CHECK(contains(text, " situations, headroom larger\n"));
}

TEST_CASE("a situation in which a policy fails shows file and line") {
  const auto checked = check("local first = ctx.domains[1]\nlocal size = first.actual");
  REQUIRE(checked);
  CHECK_FALSE(checked->passed());
  const Error* error = situation(*checked, "empty host").error();
  REQUIRE(error != nullptr);
  CHECK(error->object.ends_with("mine.lua:5"));
  CHECK(situation(*checked, "one starved").error() == nullptr);
  const std::string text = text_of(*checked);
  CHECK(contains(text, "FAIL empty host"));
  CHECK(contains(text, "mine.lua:5: attempt to index a nil value"));
  CHECK(contains(text, "mine: fails in "));
}

TEST_CASE("the text shows settings beside their defaults") {
  const auto checked = check("", {{"step", "20MiB"}});
  REQUIRE(checked);
  CHECK(contains(text_of(*checked), "step  size  20MiB  one step [default 10MiB]\n"));
  CHECK_FALSE(check("", {{"stepp", "20MiB"}}));
}

TEST_CASE("a check counts the proposals that the guard changes") {
  const auto checked = check("for _, d in ipairs(ctx.domains) do d:shrink(d.actual // 2) end");
  REQUIRE(checked);
  CHECK(situation(*checked, "one wasteful").limited() > 0);
}

TEST_CASE("the text shows a policy's log lines") {
  const auto checked = check("ctx.log.info(\"looked at \" .. #ctx.domains)");
  REQUIRE(checked);
  CHECK(situation(*checked, "all satisfied").log().front() == "looked at 3");
  CHECK(contains(text_of(*checked), "    log: looked at 3\n"));
}

TEST_CASE("a policy that never ends fails in its own tick") {
  const PolicyTestFolder folder;
  folder.write("endless.lua",
               "return { api = 1, summary = \"x\", tick = function() while true do end end }");
  bindings::SandboxLimits limits;
  limits.instructions = 100'000;
  const auto checked = check_policy(folder.path() / "endless.lua", {}, limits);
  REQUIRE(checked);
  CHECK_FALSE(checked->passed());
  CHECK(situation(*checked, "empty host").error()->code == ErrorCode::limit_exceeded);
}

TEST_CASE("a policy that does not load is an error") {
  const PolicyTestFolder folder;
  folder.write("bad.lua", "return 1\n");
  const auto checked = check_policy(folder.path() / "bad.lua");
  REQUIRE_FALSE(checked);
  CHECK(contains(checked.error().text(), "bad.lua: returns a number where a table is expected"));
  CHECK_FALSE(check_policy(folder.path() / "none.lua"));
}
