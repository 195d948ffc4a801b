#pragma once
// Cleans up after a lab, however its process ends.

#include <filesystem>

namespace memcoord::lab {

/// A process that waits until this object is destroyed or the process that created it is gone. It
/// then ends the guests, daemons and memcoords that name the lab's folder, and removes the folder,
/// unless MEMCOORD_LAB_KEEP is set in the environment.
class Keeper {
 public:
  /// Throws std::runtime_error if the process cannot be created.
  explicit Keeper(const std::filesystem::path& folder);
  /// Returns when the process has cleaned up.
  ~Keeper();
  Keeper(const Keeper&) = delete;
  Keeper& operator=(const Keeper&) = delete;

 private:
  int socket_ = -1;
};

}  // namespace memcoord::lab
