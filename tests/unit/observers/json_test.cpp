#include "engine/observers/json.h"

#include <doctest/doctest.h>

#include <string>
#include <utility>
#include <vector>

using memcoord::observers::Json;

TEST_CASE("members are written in the order in which they were added, on one line or indented") {
  Json json = Json::object({{"z", 1}, {"a", "text"}, {"m", nullptr}});
  json.set("b", Json::array({true, 0.5, -2}));
  CHECK(json.line() == R"({"z":1,"a":"text","m":null,"b":[true,0.5,-2]})");
  CHECK(json.text() ==
        "{\n  \"z\": 1,\n  \"a\": \"text\",\n  \"m\": null,\n  \"b\": [\n    true,\n    0.5,\n"
        "    -2\n  ]\n}");
}

TEST_CASE("a member that is set again keeps its place") {
  Json json = Json::object({{"z", 1}, {"a", 2}});
  json.set("z", "other");
  json.update(Json::object({{"a", 3}, {"k", 4}}));
  CHECK(json.line() == R"({"z":"other","a":3,"k":4})");
}

TEST_CASE("numbers are written as the types that they have") {
  CHECK(Json(18446744073709551615U).line() == "18446744073709551615");
  CHECK(Json(-9223372036854775807LL).line() == "-9223372036854775807");
  CHECK(Json(1.0).line() == "1.0");
  CHECK(Json(0.1).line() == "0.1");
  CHECK(Json(1e300 * 1e300).line() == "null");
}

TEST_CASE("empty values differ: null, an array, an object") {
  CHECK(Json().line() == "null");
  CHECK(Json::array().line() == "[]");
  CHECK(Json(std::vector<std::string>()).line() == "[]");
  CHECK(Json::object().line() == "{}");
  Json moved = Json::array({1});
  const Json taken = std::move(moved);
  CHECK(taken.line() == "[1]");
}

TEST_CASE(
    "bytes that are no UTF-8 are replaced, and characters outside ASCII are escaped on request") {
  CHECK(Json("a\xffz").line() == "\"a\xef\xbf\xbdz\"");
  CHECK(Json("\"\x01<").line() == R"("\"\u0001<")");
  CHECK(Json("é\xff").ascii_line() == R"("\u00e9\ufffd")");
}

TEST_CASE("a copy stays the same when the original changes") {
  Json json = Json::array({1});
  const Json copy = json;
  json.push_back(2);
  CHECK(json.line() == "[1,2]");
  CHECK(copy.line() == "[1]");
}

TEST_CASE("text that is parsed is read by name and place") {
  const Json json = Json::parse(R"({"b": [1, 2.5, "x"], "a": {}})").value();
  CHECK(json.is_object());
  CHECK(json.names() == std::vector<std::string>{"b", "a"});
  CHECK(json.at("b").is_array());
  CHECK(json.at("b").size() == 3);
  CHECK(json.at("b").items().at(2).string() == "x");
  CHECK(json.at("b").at(1).number() == 2.5);
  CHECK(json.at("b").at(0) == 1.0);
  CHECK(json.at("b").at(0) != "1");
  CHECK_THROWS((void)json.at("c"));
  CHECK_THROWS((void)json.at("b").at(3));
  CHECK_THROWS((void)json.at("b").string());
}

TEST_CASE("text that is no JSON is an error") {
  for (const char* text : {"", "{", "[1,]", "{} {}", "nul", "\"\xff\""}) {
    CAPTURE(text);
    CHECK_FALSE(Json::parse(text).has_value());
  }
}
