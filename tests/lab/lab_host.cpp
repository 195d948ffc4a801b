#include "tests/lab/lab_host.h"

#include <cstdlib>
#include <stdexcept>

namespace memcoord::lab {
namespace {

namespace fs = std::filesystem;

fs::path make_folder() {
  std::string pattern = (fs::temp_directory_path() / "memcoord-lab-XXXXXX").string();
  if (mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("no folder for the lab");
  return pattern;
}

/// The daemon's user needs its own copies of the files that guests boot from.
std::string own_copy(const fs::path& folder, const std::string& name) {
  const fs::path copy = folder / name;
  fs::copy_file(fs::path(MEMCOORD_LAB_IMAGE) / name, copy);
  testing::UnprivilegedDaemon::give(copy);
  return copy;
}

}  // namespace

LabHost::LabHost()
    : folder_(make_folder()),
      keeper_(folder_),
      daemon_(folder_, "qemu+unix:///session"),
      kernel_(own_copy(folder_, "vmlinuz")),
      initrd_(own_copy(folder_, "initrd")) {
  start_daemon();
}

}  // namespace memcoord::lab
