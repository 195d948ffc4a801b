#include "engine/page/page.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <regex>
#include <string>
#include <vector>

using namespace memcoord;

namespace {

std::string text_of(const page::File& file) {
  return std::string(file.content);
}

/// What `pattern` matches in a text: its first group.
std::vector<std::string> matches(const std::string& text, const std::string& pattern) {
  const std::regex wanted(pattern);
  std::vector<std::string> found;
  for (std::sregex_iterator one(text.begin(), text.end(), wanted), end; one != end; ++one) {
    found.push_back((*one)[1].str());
  }
  return found;
}

std::string document() {
  return page::page_file("/").value().body;
}

}  // namespace

TEST_CASE("each file that the page's document names is served with its type") {
  const std::vector<std::string> scripts = matches(document(), "src=\"([^\"]*)\"");
  const std::vector<std::string> styles =
      matches(document(), "rel=\"stylesheet\" href=\"([^\"]*)\"");
  CHECK(scripts.size() >= 10);
  CHECK(styles.size() == 2);
  CHECK(page::files().size() == 1 + scripts.size() + styles.size());
  for (const std::string& name : scripts) {
    CAPTURE(name);
    const auto script = page::page_file("/" + name);
    REQUIRE(script.has_value());
    CHECK(script->type == "text/javascript; charset=utf-8");
    CHECK(script->body.starts_with("\"use strict\";\n"));
  }
  for (const std::string& name : styles) {
    CAPTURE(name);
    const auto style = page::page_file("/" + name);
    REQUIRE(style.has_value());
    CHECK(style->type == "text/css; charset=utf-8");
    CHECK(style->body.find('{') != std::string::npos);
  }
}

TEST_CASE("a browser asks for the page's files anew each time") {
  const auto served = page::page_file("/").value();
  CHECK(served.status == 200);
  CHECK(served.type == "text/html; charset=utf-8");
  CHECK(served.headers.at("Cache-Control") == "no-cache");
  CHECK(served.body.starts_with("<!doctype html>"));
}

TEST_CASE("the page has no other files") {
  for (const char* path :
       {"", "live.js", "/live", "/live.js/", "//", "/../live.js", "/live.html"}) {
    CAPTURE(path);
    CHECK_FALSE(page::page_file(path).has_value());
  }
}

TEST_CASE("the page's document has neither scripts nor styles of its own") {
  const std::string text = document();
  CHECK(matches(text, "<script(?! src=\"[a-z]+\\.js\" defer></script>)([^>]*)").empty());
  CHECK(matches(text, "(<style)").empty());
  CHECK(matches(text, "[ \"](style=)").empty());
  CHECK(matches(text, "[ \"](on[a-z]+=)").empty());
  CHECK(matches(text, "(javascript:)").empty());
}

TEST_CASE("no file of the page refers to another server") {
  const std::string name_space = "http://www.w3.org/2000/svg";
  for (const page::File& file : page::files()) {
    CAPTURE(file.path);
    std::string text = text_of(file);
    if (const auto at = text.find("\"" + name_space + "\""); at != std::string::npos) {
      text.erase(at, name_space.size() + 2);
    }
    CHECK(matches(text, "([a-z]+://)").empty());
    CHECK(matches(text, "([\"'`(=]//)").empty());
    CHECK(matches(text, "(@import|url\\()").empty());
  }
}

TEST_CASE("the page's scripts never parse text as markup, script or style") {
  const std::regex parses(
      "innerHTML|outerHTML|insertAdjacentHTML|document\\.write|createContextualFragment|DOMParser|"
      "srcdoc|\\beval\\b|new "
      "Function|cssText|setAttribute\\(\"(style|on)|set(Timeout|Interval)\\(\"");
  for (const page::File& file : page::files()) {
    CAPTURE(file.path);
    const std::string text = text_of(file);
    CHECK_FALSE(std::regex_search(text, parses));
  }
}

TEST_CASE("the page's files are ASCII without tabs") {
  for (const page::File& file : page::files()) {
    CAPTURE(file.path);
    CHECK(std::all_of(file.content.begin(), file.content.end(),
                      [](char c) { return c == '\n' || (c >= ' ' && c <= '~'); }));
  }
}

TEST_CASE("the page's scripts ask for relative addresses, so that a proxy can serve it anywhere") {
  for (const page::File& file : page::files()) {
    CAPTURE(file.path);
    const std::string text = text_of(file);
    CHECK(matches(text, "[\"'`](/v1)").empty());
    CHECK(matches(text, "(?:src|href)=\"(/[^\"]*)\"").empty());
  }
}
