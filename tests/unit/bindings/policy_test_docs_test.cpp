#include <doctest/doctest.h>

#include <filesystem>
#include <string>
#include <vector>

#include "bindings/lua_policy.h"
#include "tests/unit/bindings/policy_test_folder.h"

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

}  // namespace

TEST_CASE("every bundled policy is documented, with its picture, parameters and defaults") {
  const std::string docs = test::PolicyTestFolder::read(kTree / "docs" / "policies.md");
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
