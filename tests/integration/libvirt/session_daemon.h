#pragma once
// A libvirt daemon of the test's own: unprivileged, in a folder that is removed with it.

#include <sys/types.h>

#include <csignal>
#include <string>

#include "tests/integration/libvirt/test_host.h"

namespace memcoord::libvirt {

class SessionDaemon {
 public:
  /// Whether the daemon's program is installed.
  static bool installed();

  SessionDaemon();
  SessionDaemon(const SessionDaemon&) = delete;
  SessionDaemon& operator=(const SessionDaemon&) = delete;
  ~SessionDaemon();

  /// Starts it and waits until it answers.
  void start();
  /// Ends it at once, as a crash does, and waits until it is gone.
  void kill();
  void send(int signal) const { (void)::kill(process_, signal); }

  /// The test driver's default host behind this daemon, one for all its connections.
  [[nodiscard]] std::string uri() const;

 private:
  [[noreturn]] void run_program() const;

  ScratchFolder folder_;
  pid_t process_ = -1;
};

}  // namespace memcoord::libvirt
