#include "engine/cli/bundled_files.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cstdlib>
#include <map>
#include <system_error>

#include "engine/cli/version.h"
#include "engine/core/names.h"

namespace memcoord::cli {
namespace {

namespace fs = std::filesystem;

bool is_path(const std::string& text) {
  return text.find('/') != std::string::npos || text.ends_with(".lua");
}

// Tests stand beside the policies, and so does what editors read.
bool is_bundled(const fs::path& path) {
  const std::string stem = path.stem().string();
  return path.extension() == ".lua" && !stem.ends_with("_test") &&
         stem.find('.') == std::string::npos;
}

}  // namespace

std::vector<fs::path> data_directories() {
  std::vector<fs::path> candidates;
  if (const char* set = std::getenv("MEMCOORD_DATA_DIR"); set != nullptr && *set != '\0') {
    candidates.emplace_back(set);
  }
  std::error_code ignored;
  const fs::path here = fs::read_symlink("/proc/self/exe", ignored).parent_path();
  if (!here.empty()) {
    candidates.push_back(here / "share" / "memcoord");
    candidates.push_back(here.parent_path() / "share" / "memcoord");
  }
  candidates.emplace_back(kInstalledData);
  std::erase_if(candidates, [](const fs::path& path) {
    std::error_code missing;
    return !fs::is_directory(path, missing);
  });
  return candidates;
}

BundledFiles::BundledFiles(BundledKind kind, std::vector<fs::path> data_directories)
    : kind_(kind), directories_(std::move(data_directories)) {
  for (fs::path& directory : directories_) {
    directory /= kind == BundledKind::policy ? "policies" : "scenarios";
  }
}

Result<fs::path> BundledFiles::find(const std::string& path_or_name) const {
  const bool policy = kind_ == BundledKind::policy;
  const std::string what = policy ? "policy" : "scenario";
  std::error_code missing;
  if (is_path(path_or_name)) {
    if (fs::is_directory(path_or_name, missing)) {
      return fail(ErrorCode::invalid_input, path_or_name, "is a directory",
                  "name a " + what + " file");
    }
    if (fs::exists(path_or_name, missing)) return fs::path(path_or_name);
    return fail(ErrorCode::not_found, path_or_name, "no such file");
  }
  std::vector<std::string> names;
  for (const fs::path& path : list()) {
    if (path.stem() == path_or_name) return path;
    names.push_back(path.stem().string());
  }
  const auto nearest = nearest_name(path_or_name, names);
  const std::string all = policy ? "'memcoord policies' lists them"
                                 : fmt::format("there are {}", fmt::join(names, ", "));
  return fail(ErrorCode::not_found, path_or_name, "no such " + what,
              nearest ? "did you mean " + *nearest + "? " + all : all);
}

std::vector<fs::path> BundledFiles::list() const {
  std::map<std::string, fs::path> found;
  for (const fs::path& directory : directories_) {
    std::error_code unreadable;
    for (const auto& entry : fs::directory_iterator(directory, unreadable)) {
      if (is_bundled(entry.path())) found.emplace(entry.path().stem().string(), entry.path());
    }
  }
  std::vector<fs::path> paths;
  paths.reserve(found.size());
  for (auto& [name, path] : found) paths.push_back(path);
  return paths;
}

}  // namespace memcoord::cli
