// bindings/editor/memcoord.lua tells editors what policies see. It is held against what they do
// see.

#include <doctest/doctest.h>

#include <filesystem>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "bindings/domain_fields.h"
#include "bindings/domain_list.h"
#include "bindings/domain_object.h"
#include "bindings/lua_policy.h"
#include "bindings/silent_domain.h"
#include "tests/unit/bindings/policy_test_run.h"
#include "tests/world/world.h"

using namespace memcoord;
using namespace memcoord::bindings;
using namespace memcoord::test;

namespace {

using Names = std::set<std::string>;

Names names(const std::vector<std::string>& list) {
  return {list.begin(), list.end()};
}

std::string editor_file() {
  return PolicyTestFolder::read(std::filesystem::path(MEMCOORD_SOURCE_TREE) / "bindings" /
                                "editor" / "memcoord.lua");
}

std::string word_after(const std::string& line, std::string_view prefix) {
  if (!line.starts_with(prefix)) return {};
  const std::string rest = line.substr(prefix.size());
  return rest.substr(0, rest.find_first_of(" ?("));
}

// The fields and methods of one class in the file; "[integer]" is none.
Names documented(const std::string& name) {
  Names found;
  bool within = false;
  std::istringstream lines(editor_file());
  for (std::string line; std::getline(lines, line);) {
    const std::string other = word_after(line, "---@class memcoord.");
    if (!other.empty()) within = other == name;
    const std::string field = word_after(line, "---@field ");
    if (within && !field.empty() && field != "[integer]") found.insert(field);
    const std::string method = word_after(line, "function " + name + ":");
    if (!method.empty()) found.insert(method);
  }
  return found;
}

Snapshot two_domains() {
  return World()
      .host(8_GiB, free(4_GiB))
      .domain("a", actual(512_MiB), unused(50_MiB))
      .domain("b", actual(2_GiB), unused(1800_MiB));
}

// The texts that a policy with this body of tick() logs.
Names logged(const std::string& body) {
  auto policy = LuaPolicy::load_text(
      "return { api = 1, summary = 's', tick = function(ctx) " + body + " end }", "p.lua", {}, {});
  REQUIRE(policy);
  const Seen seen(two_domains());
  const auto answer = (*policy)->decide(seen.situation());
  if (!answer) FAIL(answer.error().text());
  Names texts;
  for (const auto& line : answer->log) texts.insert(line.text);
  return texts;
}

}  // namespace

TEST_CASE("editors know every field and method of a domain") {
  Names all = names(domain_field_names());
  all.merge(names(domain_method_names()));
  CHECK(documented("Domain") == all);
  CHECK(documented("Domains") == names(domain_list_method_names()));
  CHECK(documented("SilentDomain") == names(silent_domain_field_names()));
}

TEST_CASE("editors know every figure that a domain can be asked for by name") {
  const std::string text = editor_file();
  const std::size_t start = text.find("---@alias figure");
  REQUIRE(start != std::string::npos);
  const std::string alias = text.substr(start, text.find("\n\n", start) - start);
  for (const std::string& field : domain_field_names()) {
    CAPTURE(field);
    const bool number = is_figure(*domain_field(field));
    CHECK((alias.find('"' + field + '"') != std::string::npos) == number);
  }
}

TEST_CASE("editors know everything of the host, and of the log") {
  CHECK(documented("Host") == logged("for name in pairs(ctx.host) do ctx.log.info(name) end"));
  CHECK(documented("Log") == logged("for name in pairs(ctx.log) do ctx.log.info(name) end"));
}

TEST_CASE("editors know every limit that the guard holds to") {
  CHECK(documented("Limits") == logged("for name in pairs(ctx.limits) do ctx.log.info(name) end"));
}

TEST_CASE("the reference tells of everything that editors know of ctx") {
  const std::string reference = PolicyTestFolder::read(std::filesystem::path(MEMCOORD_SOURCE_TREE) /
                                                       "docs" / "policy-api.md");
  for (const std::string& field : documented("Context")) {
    CAPTURE(field);
    CHECK(reference.find("`ctx." + field) != std::string::npos);
  }
  for (const char* part : {"Host", "Limits", "Domain", "SilentDomain"}) {
    for (const std::string& field : documented(part)) {
      CAPTURE(field);
      const bool is_there = reference.find("`" + field + "`") != std::string::npos ||
                            reference.find("`d:" + field + "(") != std::string::npos;
      CHECK(is_there);
    }
  }
}

TEST_CASE("everything that editors know of ctx is there") {
  const Names fields = documented("Context");
  CHECK(fields.size() >= 8);
  for (const std::string& field : fields) {
    CHECK(logged("ctx.log.info(type(ctx." + field + "))").size() == 1);
  }
}

TEST_CASE("editors know every expectation of a test") {
  const std::string module = PolicyTestFolder::read(std::filesystem::path(MEMCOORD_SOURCE_TREE) /
                                                    "bindings" / "testing" / "expectations.lua");
  Names checks;
  std::istringstream lines(module);
  for (std::string line; std::getline(lines, line);) {
    for (const char* start : {"function checks.", "checks."}) {
      const std::string check = word_after(line, start);
      if (!check.empty()) checks.insert(check);
    }
  }
  CHECK(checks.size() >= 15);
  CHECK(documented("Expectation") == checks);
}
