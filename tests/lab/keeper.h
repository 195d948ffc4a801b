#pragma once
// Nothing of a lab stays behind, however its process ends.

#include <filesystem>

namespace memcoord::lab {

/// A process of its own that waits until this is destroyed, or the process that made it is gone;
/// then it ends the guests, daemons and memcoords that name the lab's folder, and removes the
/// folder (with MEMCOORD_LAB_KEEP in the environment, that stays).
class Keeper {
 public:
  /// Throws std::runtime_error where there can be no such process.
  explicit Keeper(const std::filesystem::path& folder);
  /// Returns once all of that is done.
  ~Keeper();
  Keeper(const Keeper&) = delete;
  Keeper& operator=(const Keeper&) = delete;

 private:
  int socket_ = -1;
};

}  // namespace memcoord::lab
