#pragma once
// The lab's host: a libvirt daemon that an unprivileged user runs in a folder of its own. It does
// not touch the machine's libvirt.

#include <filesystem>
#include <string>

#include "tests/integration/libvirt/unprivileged_daemon.h"
#include "tests/lab/keeper.h"

namespace memcoord::lab {

/// Its end ends the daemon and the guests and removes the folder, also when the process is killed.
class LabHost {
 public:
  /// Starts the daemon and waits until it answers. Throws std::runtime_error if it does not.
  LabHost();

  [[nodiscard]] const std::string& uri() const { return daemon_.uri(); }
  [[nodiscard]] const std::filesystem::path& folder() const { return folder_; }
  [[nodiscard]] const std::string& kernel() const { return kernel_; }
  [[nodiscard]] const std::string& initrd() const { return initrd_; }

  /// Ends the daemon at once, as a crash does. Guests continue.
  void kill_daemon() { daemon_.kill(); }
  void start_daemon() { daemon_.start(); }

 private:
  std::filesystem::path folder_;
  Keeper keeper_;  ///< before the daemon, which must be destroyed before the cleanup
  testing::UnprivilegedDaemon daemon_;
  std::string kernel_;
  std::string initrd_;
};

}  // namespace memcoord::lab
