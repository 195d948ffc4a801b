#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "bindings/lua_policy.h"
#include "tests/unit/bindings/policy_test_run.h"

using namespace memcoord;

namespace {

const std::filesystem::path kTree = MEMCOORD_SOURCE_TREE;

std::vector<std::filesystem::path> bundled_policies() {
  std::vector<std::filesystem::path> paths;
  for (const auto& entry : std::filesystem::directory_iterator(kTree / "policies")) {
    const std::string name = entry.path().filename().string();
    const bool other = name.ends_with("_test.lua") || name.ends_with(".meta.lua");
    if (entry.path().extension() == ".lua" && !other) paths.push_back(entry.path());
  }
  return paths;
}

std::string policies_page() {
  return test::PolicyTestFolder::read(kTree / "docs" / "policies.md");
}

/// The text from one heading to the next of the same rank.
std::string section_of(const std::string& page, const std::string& heading) {
  const std::size_t start = page.find(heading + "\n");
  REQUIRE(start != std::string::npos);
  const std::string rank = "\n" + heading.substr(0, heading.find(' ') + 1);
  return page.substr(start, page.find(rank, start + heading.size()) - start);
}

/// The test names in a table's last column.
std::vector<std::string> tests_named_in(const std::string& table) {
  std::vector<std::string> names;
  std::istringstream lines(table);
  for (std::string line; std::getline(lines, line);) {
    if (!line.starts_with("| ") || !line.ends_with(" |") || line.starts_with("| ---")) continue;
    const std::size_t cell = line.rfind("| ", line.size() - 2) + 2;
    const std::string named = line.substr(cell, line.size() - 2 - cell);
    if (named == "-" || named.starts_with("test in ")) continue;
    for (std::size_t at = 0; at < named.size();) {
      const std::size_t end = std::min(named.find("; ", at), named.size());
      names.push_back(named.substr(at, end - at));
      at = end + 2;
    }
  }
  return names;
}

}  // namespace

TEST_CASE("every documented difference from an original has a test of its policy") {
  const std::string differences = section_of(policies_page(), "## Differences from the originals");
  const std::vector<std::pair<std::string, std::string>> tables{
      {"### mom and MoM", "mom"},
      {"### proportional and qmemman", "proportional"},
      {"### shares and Proxmox VE", "shares"}};
  for (const auto& table : tables) {
    const auto& [heading, policy] = table;
    INFO(table.second);
    const auto names = tests_named_in(section_of(differences, heading));
    CHECK(names.size() >= 5);
    const std::string tests =
        test::PolicyTestFolder::read(kTree / "policies" / (policy + "_test.lua"));
    for (const std::string& name : names) {
      CAPTURE(name);
      CHECK(tests.find("test(\"" + name + "\",") != std::string::npos);
    }
  }
}

TEST_CASE("the docs have every bundled policy, with its picture, parameters and defaults") {
  const std::string docs = policies_page();
  REQUIRE_FALSE(bundled_policies().empty());
  for (const auto& path : bundled_policies()) {
    const auto policy = bindings::LuaPolicy::load(path);
    REQUIRE_MESSAGE(policy, policy.error().text());
    const auto& info = (*policy)->info();
    CAPTURE(info.name);
    const std::size_t start = docs.find("\n## " + info.name + "\n");
    REQUIRE(start != std::string::npos);
    const std::string section = docs.substr(start, docs.find("\n## ", start + 1) - start);
    CHECK(section.find("](pictures/" + info.name + ".svg)") != std::string::npos);
    CHECK(std::filesystem::exists(kTree / "docs" / "pictures" / (info.name + ".svg")));
    for (const auto& parameter : info.parameters) {
      CAPTURE(parameter.name);
      CHECK(section.find("| `" + parameter.name + "` | " + parameter.default_text + " | ") !=
            std::string::npos);
    }
  }
}
