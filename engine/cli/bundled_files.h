#pragma once
// Where the policies and scenarios that come with memcoord are found.

#include <filesystem>
#include <string>
#include <vector>

#include "engine/core/error.h"

namespace memcoord::cli {

/// What may be bundled; the value is its folder's name.
enum class BundledKind { policy, scenario };

/// Directories that may hold `policies` and `scenarios`, in the order in which they are searched:
/// $MEMCOORD_DATA_DIR, the build tree that the running program was made in, the prefix it is
/// installed under, the prefix it was built for. Those that do not exist are left out.
std::vector<std::filesystem::path> data_directories();

/// Finds bundled files by name, and leaves paths as they are.
class BundledFiles {
 public:
  BundledFiles(BundledKind kind, std::vector<std::filesystem::path> data_directories);

  /// A path (with a "/" or ending in ".lua") or the name of a bundled file ("halving"). Errors:
  /// not_found, with the nearest name.
  [[nodiscard]] Result<std::filesystem::path> find(const std::string& path_or_name) const;
  /// Every bundled file, by name; of two with one name the first directory's.
  [[nodiscard]] std::vector<std::filesystem::path> list() const;

 private:
  BundledKind kind_;
  std::vector<std::filesystem::path> directories_;
};

}  // namespace memcoord::cli
