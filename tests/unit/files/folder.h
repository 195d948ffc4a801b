#pragma once
// A folder for one test, deleted with its object.

#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

namespace memcoord::test {

class Folder {
 public:
  Folder() {
    std::string name = (std::filesystem::temp_directory_path() / "memcoord-test-XXXXXX").string();
    path_ = mkdtemp(name.data());
  }
  ~Folder() { std::filesystem::remove_all(path_); }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  std::filesystem::path operator/(const char* name) const { return path_ / name; }

  std::filesystem::path write(const char* name, const std::string& text) const {
    std::ofstream(path_ / name, std::ios::binary) << text;
    return path_ / name;
  }
  [[nodiscard]] std::string read(const char* name) const {
    std::ifstream file(path_ / name, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  /// A named pipe that no process has opened.
  std::filesystem::path make_fifo(const char* name) const {
    ::mkfifo((path_ / name).c_str(), 0600);
    return path_ / name;
  }
  /// A symbolic link of another user; false if this process may not change its owner.
  bool make_foreign_link(const char* name, const std::filesystem::path& target) const {
    std::filesystem::create_symlink(target, path_ / name);
    return ::lchown((path_ / name).c_str(), 12345, 12345) == 0;
  }

 private:
  std::filesystem::path path_;
};

}  // namespace memcoord::test
