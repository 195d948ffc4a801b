#pragma once
// A libvirt daemon of the test's own: unprivileged, in a folder that is removed with it.

#include <csignal>
#include <string>

#include "tests/integration/libvirt/test_host.h"
#include "tests/integration/libvirt/unprivileged_daemon.h"

namespace memcoord::libvirt {

/// Started with the object.
class SessionDaemon {
 public:
  /// Whether the daemon's program is installed.
  static bool installed() { return testing::UnprivilegedDaemon::installed(); }

  SessionDaemon() {
    // As the program does: to write to a daemon that was killed is an error, not the end.
    (void)std::signal(SIGPIPE, SIG_IGN);
    start();
  }

  /// Starts it and waits until it answers.
  void start() { daemon_.start(); }
  /// Ends it at once, as a crash does, and waits until it is gone.
  void kill() { daemon_.kill(); }
  void send(int signal) const { daemon_.send(signal); }

  /// The test driver's default host behind this daemon, one for all its connections.
  [[nodiscard]] const std::string& uri() const { return daemon_.uri(); }

 private:
  ScratchFolder folder_;
  testing::UnprivilegedDaemon daemon_{folder_.path(), "test+unix:///default"};
};

}  // namespace memcoord::libvirt
