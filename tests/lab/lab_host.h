#pragma once
// The lab's host: a libvirt daemon of its own, run by an unprivileged user in a folder that goes
// away with it. Nothing of the machine's libvirt is touched.

#include <sys/types.h>

#include <filesystem>
#include <string>

namespace memcoord::lab {

class LabHost {
 public:
  /// Starts the daemon and waits until it answers. Throws std::runtime_error where it does not.
  LabHost();
  /// Ends the guests, the daemon, and the folder; a process that is killed leaves nothing either.
  ~LabHost();
  LabHost(const LabHost&) = delete;
  LabHost& operator=(const LabHost&) = delete;

  [[nodiscard]] std::string uri() const;
  [[nodiscard]] const std::filesystem::path& folder() const { return folder_; }
  [[nodiscard]] const std::string& kernel() const { return kernel_; }
  [[nodiscard]] const std::string& initrd() const { return initrd_; }

  /// Ends the daemon at once, as a crash does; the guests go on.
  void kill_daemon();
  void start_daemon();

 private:
  void start_keeper();

  std::filesystem::path folder_;
  std::string kernel_;
  std::string initrd_;
  pid_t daemon_ = -1;
  /// A socket to a process that outlives this one, however it ends, and cleans up after it.
  int keeper_ = -1;
};

}  // namespace memcoord::lab
