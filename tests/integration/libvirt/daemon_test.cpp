// The libvirt hypervisor on a real daemon, which is stopped, killed and restarted.
#include <doctest/doctest.h>

#include <csignal>
#include <filesystem>
#include <iterator>
#include <string>
#include <thread>

#include "tests/integration/libvirt/test_host.h"
#include "tests/integration/libvirt/unprivileged_daemon.h"

using namespace memcoord;
using namespace memcoord::libvirt;

namespace {

/// A libvirt daemon of the test: unprivileged, in a folder that is removed with it. It runs from
/// construction on.
class SessionDaemon {
 public:
  /// The daemon's program is installed.
  static bool installed() { return testing::UnprivilegedDaemon::installed(); }

  SessionDaemon() {
    // As the program does: writing to a killed daemon is an error and must not end the process.
    (void)std::signal(SIGPIPE, SIG_IGN);
    start();
  }

  /// Starts the daemon and waits until it answers.
  void start() { daemon_.start(); }
  /// Ends the daemon at once, as a crash does, and waits until it is gone.
  void kill() { daemon_.kill(); }
  void send(int signal) const { daemon_.send(signal); }

  /// The test driver's default host, which all connections to the daemon share.
  [[nodiscard]] const std::string& uri() const { return daemon_.uri(); }

 private:
  ScratchFolder folder_;
  testing::UnprivilegedDaemon daemon_{folder_.path(), "test+unix:///default"};
};

LibvirtOptions options(std::chrono::milliseconds deadline = std::chrono::seconds(5)) {
  LibvirtOptions options;
  options.deadline = deadline;
  return options;
}

std::ptrdiff_t entries(const char* folder) {
  return std::distance(std::filesystem::directory_iterator(folder),
                       std::filesystem::directory_iterator());
}
std::ptrdiff_t open_files() {
  return entries("/proc/self/fd");
}
std::ptrdiff_t threads() {
  return entries("/proc/self/task");
}

/// Samples until that succeeds. Returns the number of failures.
int failures_until_served(Hypervisor& hypervisor) {
  for (int failures = 0;; ++failures) {
    if (hypervisor.sample()) return failures;
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
  }
}

std::string notes(Hypervisor& hypervisor) {
  std::string text;
  for (const Note& note : hypervisor.drain_notes()) text += note.text + "\n";
  return text;
}

}  // namespace

TEST_SUITE_BEGIN("through a daemon");

TEST_CASE("memcoord samples and moves domains through a daemon" *
          doctest::skip(!SessionDaemon::installed())) {
  const SessionDaemon daemon;
  const auto hypervisor = open_or_fail(daemon.uri(), options());
  const Snapshot before = sample_or_fail(*hypervisor);
  const Domain& domain = named(before, "test");
  CHECK(domain.guest.unused == domain.actual / 2);
  CHECK(move(*hypervisor, domain, MemorySize::from_gib(1)).kind == Outcome::Kind::applied);
  CHECK(named(sample_or_fail(*hypervisor), "test").actual == MemorySize::from_gib(1));
}

TEST_CASE("memcoord finds a restarted daemon and leaves no file or thread behind" *
          doctest::skip(!SessionDaemon::installed())) {
  SessionDaemon daemon;
  const auto hypervisor = open_or_fail(daemon.uri(), options());
  (void)sample_or_fail(*hypervisor);
  const auto files = open_files();
  const auto tasks = threads();
  for (int i = 0; i < 5; ++i) {
    daemon.kill();
    const auto down = hypervisor->sample();
    REQUIRE_FALSE(down);
    CHECK(down.error().code == ErrorCode::unavailable);
    CHECK(notes(*hypervisor).find("connection lost") != std::string::npos);
    daemon.start();
    (void)failures_until_served(*hypervisor);
    CHECK(notes(*hypervisor).find("connected again") != std::string::npos);
    const Snapshot again = sample_or_fail(*hypervisor);
    CHECK(named(again, "test").guest.period == std::chrono::seconds(1));
  }
  CHECK(open_files() == files);
  CHECK(threads() == tasks);
}

TEST_CASE("a daemon that does not answer costs ticks until it answers again" *
          doctest::skip(!SessionDaemon::installed())) {
  const SessionDaemon daemon;
  const auto hypervisor = open_or_fail(daemon.uri(), options(std::chrono::milliseconds(500)));
  (void)sample_or_fail(*hypervisor);
  daemon.send(SIGSTOP);
  for (int i = 0; i < 3; ++i) {
    const auto silent = hypervisor->sample();
    REQUIRE_FALSE(silent);
    CHECK(silent.error().code == ErrorCode::timed_out);
  }
  daemon.send(SIGCONT);
  (void)failures_until_served(*hypervisor);
  CHECK(sample_or_fail(*hypervisor).domains.size() == 1);
}

TEST_CASE("closing does not wait for a daemon that does not answer" *
          doctest::skip(!SessionDaemon::installed())) {
  const SessionDaemon daemon;
  const auto hypervisor = open_or_fail(daemon.uri(), options());
  (void)sample_or_fail(*hypervisor);
  daemon.send(SIGSTOP);
  hypervisor->close();
  daemon.send(SIGCONT);
}

TEST_CASE("connection workers sample and move two hundred domains" *
          doctest::skip(!SessionDaemon::installed())) {
  const SessionDaemon daemon;
  const ConnectHandle connection(virConnectOpen(daemon.uri().c_str()));
  REQUIRE(connection);
  for (int i = 0; i < 200; ++i) {
    const DomainHandle made(virDomainCreateXML(
        connection.get(), domain_xml("vm" + std::to_string(1000 + i), 2097152, 1048576).c_str(),
        0));
    REQUIRE(made);
  }
  const auto hypervisor = open_or_fail(daemon.uri(), options());
  const Snapshot before = sample_or_fail(*hypervisor);
  REQUIRE(before.domains.size() == 201);
  std::vector<Move> moves;
  for (const Domain& domain : before.domains) {
    CHECK(domain.guest.unused);
    moves.push_back({domain.uuid(), domain.actual, MemorySize::from_mib(512)});
  }
  for (const Outcome& outcome : hypervisor->apply(moves)) {
    CHECK(outcome.kind == Outcome::Kind::applied);
  }
  for (const Domain& domain : sample_or_fail(*hypervisor).domains) {
    CHECK(domain.actual == MemorySize::from_mib(512));
  }
}

TEST_SUITE_END();
