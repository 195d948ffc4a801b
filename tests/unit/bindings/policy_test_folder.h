#pragma once
// A folder of policies and tests that lasts as long as a test case.

#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

namespace memcoord::test {

class PolicyTestFolder {
 public:
  PolicyTestFolder() {
    std::string name = (std::filesystem::temp_directory_path() / "memcoord-XXXXXX").string();
    path_ = ::mkdtemp(name.data());
  }
  ~PolicyTestFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  PolicyTestFolder(const PolicyTestFolder&) = delete;
  PolicyTestFolder& operator=(const PolicyTestFolder&) = delete;

  [[nodiscard]] const std::filesystem::path& path() const { return path_; }
  void write(const std::string& name, const std::string& text) const {
    std::ofstream(path_ / name) << text;
  }
  static std::string read(const std::filesystem::path& file) {
    std::ostringstream text;
    text << std::ifstream(file).rdbuf();
    return text.str();
  }

 private:
  std::filesystem::path path_;
};

}  // namespace memcoord::test
