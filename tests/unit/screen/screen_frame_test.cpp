#include "engine/screen/screen_frame.h"

#include <doctest/doctest.h>

#include <memory>
#include <string>
#include <utility>

#include "tests/text.h"
#include "tests/world/world.h"

using namespace memcoord;
using namespace memcoord::screen;
using namespace memcoord::test;
using memcoord::observers::ConsoleStyle;

namespace {

/// A tick in which "empty" is short of memory and "web" is paused by an operator.
std::shared_ptr<const Tick> tick_of(int others) {
  World world;
  world.host(8_GiB, free(1_GiB));
  world.domain("empty", unused(10_MiB)).domain("web", unused(500_MiB));
  for (int i = 0; i < others; ++i) {
    world.domain("other-" + std::to_string(100 + i), unused(500_MiB));
  }
  Tick tick;
  tick.number = 7;
  tick.policy = "halving";
  tick.snapshot = world;
  tick.skipped = {{id("web"), std::nullopt, "paused by root (process 1)"}};
  return std::make_shared<const Tick>(std::move(tick));
}

/// A screen of 80 columns.
struct TestScreen {
  explicit TestScreen(std::shared_ptr<const Tick> tick) {
    if (tick) table.remember(*tick);
    reading.newest = std::move(tick);
  }
  Drawn draw(int height = 24) {
    ConsoleStyle style;
    style.interactive = style.unicode = true;
    style.width = 80;
    style.height = height;
    return screen::draw(state, {reading, table, messages}, style);
  }
  ScreenState state;
  TickSource::Reading reading;
  observers::DomainTable table;
  std::deque<Message> messages;
};

std::string text_of(const Styled& line) {
  return render(line, false);
}
std::string text_of(const Frame& frame) {
  std::string text;
  for (const Styled& line : frame.lines) text += text_of(line) + "\n";
  return text;
}

}  // namespace

TEST_CASE("a frame fills the screen, with the keys in its last line") {
  for (const int height : {3, 5, 10, 24, 60}) {
    CAPTURE(height);
    const Drawn drawn = TestScreen(tick_of(30)).draw(height);
    CHECK(std::ssize(drawn.frame.lines) == height);
    CHECK(contains(text_of(drawn.frame), "\nempty "));
    if (height >= 10) CHECK(text_of(drawn.frame.lines.back()).starts_with("q quit"));
  }
}

TEST_CASE("a frame knows which domains its rows show and which are paused") {
  const Drawn drawn = TestScreen(tick_of(30)).draw();
  CHECK(drawn.shown.matching.size() == 32);
  CHECK(drawn.shown.matching.front() == id("empty"));
  CHECK(drawn.shown.rows > 10);
  CHECK(drawn.shown.rows < 24);
  CHECK(drawn.shown.paused == std::vector<Uuid>{id("web")});
}

TEST_CASE("a domain that its hypervisor has paused is not paused by an operator") {
  Tick tick = *tick_of(0);
  tick.skipped = {{id("web"), Rule::running_only, "paused"}};
  CHECK(TestScreen(std::make_shared<const Tick>(tick)).draw().shown.paused.empty());
}

TEST_CASE("the selected row is marked where it is") {
  TestScreen screen(tick_of(30));
  screen.state.view.selected = id("other-110");
  const Frame frame = screen.draw().frame;
  REQUIRE(frame.selected);
  CHECK(text_of(frame.lines.at(*frame.selected)).starts_with("other-110 "));
  screen.state.view.selected = id("gone");
  CHECK_FALSE(screen.draw().frame.selected);
}

TEST_CASE("log messages are above the last line, the newest last, and leave room for domains") {
  TestScreen screen(tick_of(30));
  for (int i = 0; i < 50; ++i) screen.messages.push_back({{}, "message " + std::to_string(i)});
  const Frame frame = screen.draw().frame;
  CHECK(text_of(frame.lines.at(22)) == "00:00:00  message 49");
  CHECK(contains(text_of(frame), "message 48"));
  CHECK_FALSE(contains(text_of(frame), "message 40"));
  CHECK(contains(text_of(frame), "\nother-10"));
}

TEST_CASE("log messages are below few domains that are not in trouble") {
  Tick tick = *tick_of(0);
  tick.skipped.clear();
  tick.snapshot = World().domain("a").domain("b").domain("c");
  TestScreen screen(std::make_shared<const Tick>(tick));
  screen.messages.push_back({{}, "a message"});
  CHECK(text_of(screen.draw().frame.lines.at(22)) == "00:00:00  a message");
}

TEST_CASE("a source without an answer is named with its age, and its last tick stays") {
  TestScreen screen(tick_of(1));
  screen.reading.problem = "/run/x.sock: no memcoord runs here";
  screen.reading.silent = std::chrono::seconds(12);
  std::string text = text_of(screen.draw().frame);
  CHECK(contains(text, "no answer since 12 s: /run/x.sock: no memcoord runs here"));
  CHECK(contains(text, "\nempty "));
  screen.reading.silent = std::chrono::minutes(3);
  CHECK(contains(text_of(screen.draw().frame), "no answer since 3 min: "));
  TestScreen never(nullptr);
  CHECK(contains(text_of(never.draw().frame), "waiting for the first tick"));
}

TEST_CASE("the last line has the filter that is typed, with the cursor behind it") {
  TestScreen screen(tick_of(5));
  screen.state.page = ScreenState::Page::filter;
  screen.state.view.filter = "other";
  const Drawn drawn = screen.draw();
  CHECK(text_of(drawn.frame.lines.back()) == "/other");
  CHECK(drawn.frame.cursor_at == 6);
  CHECK(drawn.shown.matching.size() == 5);
}

TEST_CASE("a filter that is in force is named") {
  TestScreen screen(tick_of(5));
  screen.state.view.filter = "nothing like this";
  screen.state.view.only = observers::TableView::Only::trouble;
  const std::string text = text_of(screen.draw().frame);
  CHECK(contains(text, "no domain matches"));
  CHECK(contains(text, "/nothing like this (Esc: all names)  only trouble (a: all)"));
}

TEST_CASE("a long text is wrapped at blanks, and scrolls") {
  TestScreen screen(tick_of(1));
  screen.state.page = ScreenState::Page::text;
  screen.state.text = {"web", "policy     " + std::string(60, 'x') + " and the rest of the line"};
  for (int i = 0; i < 40; ++i) screen.state.text.push_back("line " + std::to_string(i));
  const Drawn drawn = screen.draw();
  CHECK(text_of(drawn.frame.lines.at(2)) == "           rest of the line");
  CHECK(drawn.shown.text_lines == 43);
  CHECK(drawn.shown.text_rows == 23);
  screen.state.text_first = 1000;
  CHECK(text_of(screen.draw().frame.lines.at(22)) == "line 39");
}

TEST_CASE("a hostile name acts neither in a row nor in a text") {
  Tick tick = *tick_of(0);
  World world;
  world.domain("evil\x1b[2J\nname", unused(10_MiB));
  tick.snapshot = world;
  TestScreen screen(std::make_shared<const Tick>(tick));
  screen.messages.push_back({{}, "\x1b]0;title\a"});
  screen.state.notice = "\x1b[1m";
  CHECK_FALSE(contains(text_of(screen.draw().frame), "\x1b"));
  screen.state.page = ScreenState::Page::text;
  screen.state.text = {"evil\x1b[2J\tname"};
  CHECK_FALSE(contains(text_of(screen.draw().frame), "\x1b"));
}
