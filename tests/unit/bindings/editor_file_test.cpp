// bindings/editor/memcoord.lua and docs/policy-api.md describe the policy API. Their lists of
// fields are generated from bindings/policy_fields.h; the tests compare the rest with the API
// itself.

#include <doctest/doctest.h>

#include <filesystem>
#include <regex>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "bindings/domain_object.h"
#include "bindings/lua_policy.h"
#include "bindings/policy_fields.h"
#include "bindings/testing/test_tables.h"
#include "engine/core/fields.h"
#include "tests/unit/generated_text.h"
#include "tests/world/world.h"

using namespace memcoord;
using namespace memcoord::bindings;
using namespace memcoord::test;

namespace {

using Names = std::set<std::string>;

Names names(const std::vector<std::string>& list) {
  return {list.begin(), list.end()};
}

const std::filesystem::path kEditorFile = "bindings/editor/memcoord.lua";
const std::filesystem::path kReference = "docs/policy-api.md";

std::string editor_file() {
  return source_text(kEditorFile);
}

/// A text of the lists without its links, which do not work in an editor.
std::string without_links(std::string_view text) {
  static const std::regex kLink(R"(\[([^\]]*)\]\([^)]*\))");
  return std::regex_replace(std::string(text), kLink, "$1");
}

std::string editor_rows(const PolicyClass& object) {
  std::string rows;
  for (const PolicyField& field : object.fields) {
    rows.append("---@field ").append(field.name).append(" ").append(field.type).append(" ");
    rows.append(without_links(field.text)).append("\n");
  }
  return rows;
}

std::string table_rows(const PolicyClass& object) {
  std::string rows = "| --- | --- |\n";
  for (const PolicyField& field : object.fields) {
    rows.append("| `").append(field.name).append("` | ").append(field.text).append(" |\n");
  }
  return rows;
}

/// The names of the figures, in lines of 100 columns at most.
std::string figure_rows() {
  std::string rows;
  std::string line = "---";
  for (const DomainField& field : domain_fields()) {
    if (!field.figure) continue;
    const std::string name = "| \"" + std::string(field.name) + "\"";
    if (line.size() + name.size() > 99) {
      rows += line + "\n";
      line = "---";
    }
    line += (line == "---" ? "" : " ") + name;
  }
  return rows + line + "\n";
}

std::string word_after(const std::string& line, std::string_view prefix) {
  if (!line.starts_with(prefix)) return {};
  const std::string rest = line.substr(prefix.size());
  return rest.substr(0, rest.find_first_of(" ?("));
}

// The fields and methods of one class in the file, without "[integer]".
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
  const Observed observed(two_domains());
  const auto answer = (*policy)->decide(observed.situation());
  if (!answer) FAIL(answer.error().text());
  Names texts;
  for (const auto& line : answer->log) texts.insert(line.text);
  return texts;
}

}  // namespace

TEST_CASE("the editor's file lists every field that policies can read") {
  std::string text = editor_file();
  for (const PolicyClass& object : policy_classes()) {
    replace_lines(text, "---@class memcoord." + std::string(object.name), "---@field ",
                  editor_rows(object));
  }
  replace_lines(text, "---@alias figure", "---| ", figure_rows());
  check_source_text(kEditorFile, text);
}

TEST_CASE("the policy API's tables list every field that policies can read") {
  std::string text = source_text(kReference);
  const auto object_title = [](std::string_view name) -> std::string {
    if (name == "Host") return "`ctx.host`";
    if (name == "Limits") return "`ctx.limits`";
    if (name == "Cell") return "a NUMA cell";
    return name == "Domain" ? "a domain" : "a domain in `ctx.skipped`";
  };
  for (const PolicyClass& object : policy_classes()) {
    replace_lines(text, "| of " + object_title(object.name) + " | what it is |", "| ",
                  table_rows(object));
  }
  check_source_text(kReference, text);
}

TEST_CASE("editors know every method of a domain and of a list of domains") {
  Names all = names(domain_method_names());
  for (const DomainField& field : domain_fields()) all.insert(std::string(field.name));
  CHECK(documented("Domain") == all);
  CHECK(documented("Domains") == names(domain_list_method_names()));
}

TEST_CASE("every listed field of a domain can be read, and none has a name twice") {
  for (const PolicyClass& object : policy_classes()) {
    Names all;
    for (const PolicyField& field : object.fields) {
      CAPTURE(field.name);
      CHECK(all.insert(std::string(field.name)).second);
      CHECK_FALSE(field.text.empty());
    }
  }
  for (const DomainField& field : domain_fields()) {
    CAPTURE(field.name);
    const std::string name(field.name);
    const Names types =
        logged("for _, d in ipairs(ctx.domains) do ctx.log.info(type(d." + name + ")) end");
    CHECK(types.size() == 1);
    CHECK((field.figure != nullptr) == (types == Names{"number"}));
  }
}

TEST_CASE("a policy test's world takes every figure that guests report to policies") {
  fields::each<GuestStatistics>([](const auto& entry) {
    if (!entry.for_policies) return;
    const std::string name(entry.plain_name());
    CAPTURE(name);
    const auto domain = Value{Value::Table({}, {{"name", {std::string("web")}}, {name, {1024}}})};
    const Value world{Value::Table({}, {{"domains", {Value::Table({domain}, {})}}})};
    bindings::testing::MockWorld staged = bindings::testing::default_world();
    CHECK(bindings::testing::lay_over(staged, world, {"world.lua", "", 1}).has_value());
  });
}

TEST_CASE("editors know every field of the host, and of the log") {
  CHECK(documented("Host") == logged("for name in pairs(ctx.host) do ctx.log.info(name) end"));
  CHECK(documented("Log") == logged("for name in pairs(ctx.log) do ctx.log.info(name) end"));
}

TEST_CASE("editors know every limit of the guard") {
  CHECK(documented("Limits") == logged("for name in pairs(ctx.limits) do ctx.log.info(name) end"));
}

TEST_CASE("the reference describes everything that editors know of ctx") {
  const std::string reference = source_text(kReference);
  for (const std::string& field : documented("Context")) {
    CAPTURE(field);
    CHECK(reference.find("`ctx." + field) != std::string::npos);
  }
  for (const char* part : {"Host", "Limits", "Domain", "SkippedDomain"}) {
    for (const std::string& field : documented(part)) {
      CAPTURE(field);
      const bool is_there = reference.find("`" + field + "`") != std::string::npos ||
                            reference.find("`d:" + field + "(") != std::string::npos;
      CHECK(is_there);
    }
  }
}

TEST_CASE("policies can read everything that editors know of ctx") {
  const Names fields = documented("Context");
  CHECK(fields.size() >= 8);
  for (const std::string& field : fields) {
    CHECK(logged("ctx.log.info(type(ctx." + field + "))").size() == 1);
  }
}

TEST_CASE("editors know every expectation of a test") {
  Names checks;
  std::istringstream lines(source_text("bindings/testing/expectations.lua"));
  for (std::string line; std::getline(lines, line);) {
    for (const char* start : {"function checks.", "checks."}) {
      const std::string check = word_after(line, start);
      if (!check.empty()) checks.insert(check);
    }
  }
  CHECK(checks.size() >= 15);
  CHECK(documented("Expectation") == checks);
}
