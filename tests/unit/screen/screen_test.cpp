#include "engine/screen/screen.h"

#include <doctest/doctest.h>
#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <termios.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "tests/text.h"
#include "tests/world/world.h"

using namespace memcoord;
using namespace memcoord::screen;
using namespace memcoord::test;

namespace {

/// Both ends of a terminal.
struct PseudoTerminal {
  PseudoTerminal() {
    winsize size{24, 80, 0, 0};
    REQUIRE(::openpty(&master, &terminal, nullptr, nullptr, &size) == 0);
    ::setenv("TERM", "xterm", 1);
  }
  ~PseudoTerminal() {
    ::close(terminal);
    if (master >= 0) ::close(master);
  }
  PseudoTerminal(const PseudoTerminal&) = delete;
  PseudoTerminal& operator=(const PseudoTerminal&) = delete;

  void type(const std::string& keys) const {
    REQUIRE(::write(master, keys.data(), keys.size()) == static_cast<ssize_t>(keys.size()));
  }
  /// Writes until a write would wait.
  void fill() const {
    ::fcntl(terminal, F_SETFL, O_NONBLOCK);
    while (::write(terminal, "x", 1) == 1) continue;
    ::fcntl(terminal, F_SETFL, 0);
  }
  /// Reads the output until it has the text, for at most a minute.
  bool shows(const std::string& text) {
    const auto end = std::chrono::steady_clock::now() + std::chrono::minutes(1);
    while (!contains(output, text)) {
      pollfd readable{master, POLLIN, 0};
      if (std::chrono::steady_clock::now() > end) return false;
      if (::poll(&readable, 1, 100) > 0 && !read_some()) return false;
    }
    return true;
  }
  bool read_some() {
    std::array<char, 4096> bytes{};
    const ssize_t got = ::read(master, bytes.data(), bytes.size());
    if (got <= 0) return false;
    output.append(bytes.data(), static_cast<std::size_t>(got));
    return true;
  }
  [[nodiscard]] bool echoes() const {
    termios modes{};
    ::tcgetattr(terminal, &modes);
    return (modes.c_lflag & ECHO) != 0;
  }

  int master = -1;
  int terminal = -1;
  std::string output;
};

/// A source with a tick that a test sets, which records what it is asked.
class FakeSource final : public TickSource {
 public:
  struct Shared {
    std::mutex mutex;
    std::uint64_t number = 1;
    std::vector<Query> queries;
    std::optional<Reply> reply;
  };
  explicit FakeSource(std::shared_ptr<Shared> shared) : shared_(std::move(shared)) {}
  void begin(std::function<void()> news) override { news(); }
  Reading read() override {
    const std::lock_guard lock(shared_->mutex);
    World world;
    world.domain("web", unused(10_MiB));
    Tick tick;
    tick.number = shared_->number;
    tick.snapshot = world;
    return {.newest = std::make_shared<const Tick>(std::move(tick)),
            .reply = std::exchange(shared_->reply, std::nullopt)};
  }
  void ask(const Query& query) override {
    const std::lock_guard lock(shared_->mutex);
    shared_->queries.push_back(query);
    if (query.kind == Query::Kind::explain) {
      shared_->reply = Reply{query.kind, "the explanation\n", false};
    }
  }

 private:
  std::shared_ptr<Shared> shared_;
};

struct OpenScreen {
  OpenScreen() {
    Screen::Options options;
    options.input = options.output = terminal.terminal;
    options.quit = [this] { quit = true; };
    auto opened = Screen::open(std::make_unique<FakeSource>(shared), std::move(options));
    REQUIRE(opened);
    screen = *std::move(opened);
  }
  /// Waits until a key has ended the screen.
  [[nodiscard]] bool has_quit() const {
    for (int i = 0; i < 6000 && !quit; ++i) {
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    return quit;
  }
  PseudoTerminal terminal;
  std::shared_ptr<FakeSource::Shared> shared = std::make_shared<FakeSource::Shared>();
  std::atomic<bool> quit = false;
  std::unique_ptr<Screen> screen;
};

constexpr const char* kAlternateScreen = "\x1b[?1049h";
constexpr const char* kOrdinaryScreen = "\x1b[?1049l";

}  // namespace

TEST_CASE("a screen takes the terminal over and gives it back") {
  OpenScreen open;
  CHECK(open.terminal.shows("web"));
  CHECK(contains(open.terminal.output, kAlternateScreen));
  CHECK_FALSE(open.terminal.echoes());
  const std::vector<Styled> table = open.screen->close();
  CHECK(open.terminal.shows(kOrdinaryScreen));
  CHECK(open.terminal.echoes());
  CHECK(render(table.back(), false).starts_with("web "));
}

TEST_CASE("keys reach the screen, its source and its owner") {
  OpenScreen open;
  REQUIRE(open.terminal.shows("web"));
  open.terminal.type("\r");
  CHECK(open.terminal.shows("the explanation"));
  open.terminal.type("x");
  open.terminal.type("\x1bOBp");
  open.terminal.type("q");
  CHECK(open.has_quit());
  const std::lock_guard lock(open.shared->mutex);
  CHECK(open.shared->queries ==
        std::vector<Query>{{Query::Kind::explain, id("web")}, {Query::Kind::pause, id("web")}});
}

TEST_CASE("messages and news come from any thread") {
  OpenScreen open;
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&open, i] {
      for (int j = 0; j < 100; ++j) {
        open.screen->add_message({{}, "thread " + std::to_string(i), Note::Severity::info});
        {
          const std::lock_guard lock(open.shared->mutex);
          ++open.shared->number;
        }
        open.screen->wake();
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(open.terminal.shows("thread "));
  // curses writes only the digits that change, so the last number shares none with those before.
  {
    const std::lock_guard lock(open.shared->mutex);
    CHECK(open.shared->number == 401);
    open.shared->number = 77777;
  }
  open.screen->wake();
  CHECK(open.terminal.shows("77777"));
  CHECK(open.screen->messages().size() == 100);
}

TEST_CASE("a terminal that is gone ends the screen") {
  OpenScreen open;
  REQUIRE(open.terminal.shows("web"));
  ::close(std::exchange(open.terminal.master, -1));
  CHECK(open.has_quit());
}

TEST_CASE("an emergency restores the terminal once") {
  OpenScreen open;
  REQUIRE(open.terminal.shows("web"));
  restore_now();
  restore_now();
  CHECK(open.terminal.shows(kOrdinaryScreen));
  CHECK(open.terminal.echoes());
  open.screen.reset();
  while (open.terminal.output.size() > 0) {
    pollfd readable{open.terminal.master, POLLIN, 0};
    if (::poll(&readable, 1, 0) <= 0 || !open.terminal.read_some()) break;
  }
  const std::string& output = open.terminal.output;
  CHECK(output.find(kOrdinaryScreen) == output.rfind(kOrdinaryScreen));
}

TEST_CASE("a screen closes on a terminal whose output was stopped") {
  OpenScreen open;
  REQUIRE(open.terminal.shows("web"));
  open.terminal.type("\x13");
  open.screen->wake();
  CHECK(open.screen->close().size() > 0);
  CHECK(open.terminal.echoes());
  CHECK(open.terminal.shows(kOrdinaryScreen));
}

TEST_CASE("a screen closes on a terminal that nothing reads") {
  OpenScreen open;
  REQUIRE(open.terminal.shows("web"));
  open.terminal.fill();
  open.screen->wake();
  CHECK(open.screen->close().size() > 0);
  CHECK(open.terminal.echoes());
}

TEST_CASE("an emergency does not wait for a terminal that nothing reads") {
  OpenScreen open;
  REQUIRE(open.terminal.shows("web"));
  open.terminal.fill();
  restore_now();
  CHECK(open.terminal.echoes());
}

TEST_CASE("a terminal without a description is an error") {
  PseudoTerminal terminal;
  ::setenv("TERM", "no-such-terminal", 1);
  Screen::Options options;
  options.input = options.output = terminal.terminal;
  CHECK_FALSE(Screen::open(std::make_unique<FakeSource>(std::make_shared<FakeSource::Shared>()),
                           std::move(options)));
  CHECK(terminal.echoes());
}
