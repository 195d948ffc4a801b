#pragma once
// Files of one test, in a temporary directory that is removed with the object.

#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

namespace memcoord::testing {

class ScratchFiles {
 public:
  ScratchFiles() {
    std::string pattern = (std::filesystem::temp_directory_path() / "memcoord-cli-XXXXXX").string();
    directory_ = ::mkdtemp(pattern.data());
  }
  ~ScratchFiles() {
    std::error_code ignored;
    std::filesystem::remove_all(directory_, ignored);
  }
  ScratchFiles(const ScratchFiles&) = delete;
  ScratchFiles& operator=(const ScratchFiles&) = delete;

  [[nodiscard]] std::string path(const std::string& name) const {
    return (directory_ / name).string();
  }
  /// Writes the file and returns its path.
  std::string write(const std::string& name, const std::string& text) const {
    std::ofstream(path(name)) << text;
    return path(name);
  }
  std::string write(const std::string& name, const std::string& text, mode_t mode) const {
    std::string written = write(name, text);
    ::chmod(written.c_str(), mode);
    return written;
  }
  [[nodiscard]] std::string read(const std::string& name) const {
    std::ostringstream text;
    text << std::ifstream(path(name)).rdbuf();
    return text.str();
  }

 private:
  std::filesystem::path directory_;
};

/// A host of many domains, as a scenario.
inline std::string many_domains(const ScratchFiles& files, int count) {
  return files.write("many.lua", "local domains = {}\nfor i = 1, " + std::to_string(count) + R"( do
  domains[i] = { name = "guest" .. i, maximum = 256 * MiB,
    demand = { generator = "walk", low = 50 * MiB, high = 200 * MiB, period = 100 + i } }
end
return { summary = "Many", host = { total = 1024 * GiB }, duration = 86400, domains = domains })");
}

}  // namespace memcoord::testing
