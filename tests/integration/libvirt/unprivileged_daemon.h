#pragma once
// A libvirt daemon that an unprivileged user runs, with all that it keeps in one folder. Nothing of
// the machine's libvirt is touched.

#include <sys/types.h>

#include <csignal>
#include <filesystem>
#include <string>

namespace memcoord::testing {

class UnprivilegedDaemon {
 public:
  /// Whether the daemon's program is installed.
  static bool installed();

  /// Not running yet. `driver` is the URI of what it is asked for, without the socket, as in
  /// "test+unix:///default". The folder stays the caller's, to remove after this. Throws
  /// std::runtime_error where it cannot be given to the daemon's user.
  UnprivilegedDaemon(const std::filesystem::path& folder, const std::string& driver);
  ~UnprivilegedDaemon();
  UnprivilegedDaemon(const UnprivilegedDaemon&) = delete;
  UnprivilegedDaemon& operator=(const UnprivilegedDaemon&) = delete;

  /// Gives a file or folder to the user that runs the daemon. Throws std::runtime_error.
  static void give(const std::filesystem::path& path);

  /// Starts it and waits until it answers. It ends with the thread that starts it, however that
  /// ends. Throws std::runtime_error, with its log, where it does not answer.
  void start();
  /// Ends it at once, as a crash does, and waits until it is gone. Guests go on.
  void kill();
  void send(int signal) const { (void)::kill(process_, signal); }

  [[nodiscard]] const std::string& uri() const { return uri_; }

 private:
  [[noreturn]] void run_program() const;

  std::filesystem::path folder_;
  std::string uri_;
  pid_t process_ = -1;
};

}  // namespace memcoord::testing
