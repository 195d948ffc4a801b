#pragma once
// A libvirt daemon that an unprivileged user runs, with all of its files in one folder. It does not
// touch the machine's libvirt.

#include <sys/types.h>

#include <csignal>
#include <filesystem>
#include <string>

namespace memcoord::testing {

class UnprivilegedDaemon {
 public:
  /// The daemon's program is installed.
  static bool installed();

  /// Does not start the daemon yet. `driver`: the URI without the socket, such as
  /// "test+unix:///default". The caller owns the folder and removes it after this object. Throws
  /// std::runtime_error if the daemon's user cannot get the folder.
  UnprivilegedDaemon(const std::filesystem::path& folder, const std::string& driver);
  ~UnprivilegedDaemon();
  UnprivilegedDaemon(const UnprivilegedDaemon&) = delete;
  UnprivilegedDaemon& operator=(const UnprivilegedDaemon&) = delete;

  /// Makes the daemon's user the owner of a file or folder. Throws std::runtime_error.
  static void give(const std::filesystem::path& path);

  /// Starts the daemon and waits until it answers. It ends with the thread that calls this, however
  /// that ends. Throws std::runtime_error, with the daemon's log, if it does not answer.
  void start();
  /// Ends the daemon at once, as a crash does, and waits until it is gone. Guests continue.
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
