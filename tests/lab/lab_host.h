#pragma once
// The lab's host: a libvirt daemon of its own, run by an unprivileged user in a folder that goes
// away with it. Nothing of the machine's libvirt is touched.

#include <filesystem>
#include <string>

#include "tests/integration/libvirt/unprivileged_daemon.h"
#include "tests/lab/keeper.h"

namespace memcoord::lab {

/// Its end is that of the daemon, the guests and the folder; a process that is killed leaves
/// nothing either.
class LabHost {
 public:
  /// Starts the daemon and waits until it answers. Throws std::runtime_error where it does not.
  LabHost();

  [[nodiscard]] const std::string& uri() const { return daemon_.uri(); }
  [[nodiscard]] const std::filesystem::path& folder() const { return folder_; }
  [[nodiscard]] const std::string& kernel() const { return kernel_; }
  [[nodiscard]] const std::string& initrd() const { return initrd_; }

  /// Ends the daemon at once, as a crash does; the guests go on.
  void kill_daemon() { daemon_.kill(); }
  void start_daemon() { daemon_.start(); }

 private:
  std::filesystem::path folder_;
  Keeper keeper_;  ///< before the daemon: what it cleans up has to be over
  testing::UnprivilegedDaemon daemon_;
  std::string kernel_;
  std::string initrd_;
};

}  // namespace memcoord::lab
