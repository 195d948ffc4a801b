#include "engine/cli/signals.h"

#include <doctest/doctest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <functional>
#include <thread>

#include "engine/cli/exit_code.h"
#include "engine/cli/system_clock.h"

using namespace memcoord;
using namespace memcoord::cli;
using namespace std::chrono_literals;

namespace {

constexpr int kStillThere = 77;

/// Sends a signal to this process and waits until it has been dealt with: a SIGHUP after it, which
/// only asks for a reload, has come through.
void send(Signals& signals, int number) {
  ::kill(::getpid(), number);
  for (;;) {
    sigset_t pending;
    sigpending(&pending);
    if (sigismember(&pending, number) == 0) break;
    std::this_thread::yield();
  }
  ::kill(::getpid(), SIGHUP);
  while (!signals.take_reload()) std::this_thread::yield();
}

/// The exit code of a process of its own that listens to signals and does this.
int exit_code_of(const std::function<void(Signals&)>& act) {
  const pid_t child = ::fork();
  if (child == 0) {
    const auto signals = Signals::listen();
    if (!signals) ::_exit(1);
    act(**signals);
    ::_exit(kStillThere);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

}  // namespace

TEST_CASE("the first signal asks for the end, the second one forces it") {
  CHECK(exit_code_of([](Signals& signals) {
          send(signals, SIGINT);
          if (!signals.stop_requested()) ::_exit(1);
        }) == kStillThere);
  CHECK(exit_code_of([](Signals& signals) {
          send(signals, SIGINT);
          send(signals, SIGTERM);
        }) == static_cast<int>(ExitCode::forced));
}

TEST_CASE("a signal to a run that ends by itself is the first one") {
  // memcoord | head: the run has asked itself to end, and restores when Ctrl-C comes.
  const auto reader_went = [](Signals& signals) {
    signals.request_stop();
    send(signals, SIGINT);
  };
  CHECK(exit_code_of(reader_went) == kStillThere);
  CHECK(exit_code_of([&](Signals& signals) {
          reader_went(signals);
          send(signals, SIGINT);
        }) == static_cast<int>(ExitCode::forced));
}

TEST_CASE("a request to end cuts a sleep short, save one that is to be slept through") {
  const auto signals = Signals::listen();
  REQUIRE(signals);
  (*signals)->request_stop();
  SystemClock clock(**signals);
  CHECK_FALSE(clock.sleep_for(1h));
  const MonotonicTime before = clock.now();
  clock.sleep_through(20ms);
  CHECK(clock.now() - before >= 20ms);
}
