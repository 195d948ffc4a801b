#include "engine/files/atomic_file.h"

#include <doctest/doctest.h>
#include <sys/stat.h>

#include <iterator>
#include <string>
#include <vector>

#include "tests/unit/files/folder.h"

using namespace memcoord;
using namespace memcoord::files;
using memcoord::test::Folder;

namespace fs = std::filesystem;

namespace {

Status write_text(const fs::path& path, const std::string& text) {
  return write_atomically(path, [&](const WritePiece& write) -> Status {
    write(text);
    return {};
  });
}

std::size_t files_in(const fs::path& folder) {
  return static_cast<std::size_t>(
      std::distance(fs::directory_iterator(folder), fs::directory_iterator()));
}

}  // namespace

TEST_CASE("a file is replaced as a whole, and keeps its mode") {
  const Folder folder;
  const auto path = folder.write("f", "older");
  fs::permissions(path, fs::perms::owner_read | fs::perms::owner_write);
  CHECK(write_text(path, "newer"));
  CHECK(folder.read("f") == "newer");
  CHECK(fs::status(path).permissions() == (fs::perms::owner_read | fs::perms::owner_write));
  CHECK_FALSE(write_atomically(path, [](const WritePiece& write) -> Status {
    write("half");
    return fail(ErrorCode::internal, "", "broke off");
  }));
  CHECK(folder.read("f") == "newer");
  CHECK(files_in(folder / "") == 1);
}

TEST_CASE(
    "a file gets the mode that its writer names, whatever the umask and the old file's mode") {
  const Folder folder;
  const mode_t mask = ::umask(0077);
  for (int i = 0; i < 2; ++i) {
    CHECK(write_atomically(folder / "f",
                           [](const WritePiece& write) -> Status {
                             write("text");
                             return {};
                           },
                           {.mode = 0644, .sync = false}));
    CHECK(folder.read("f") == "text");
    CHECK(fs::status(folder / "f").permissions() == fs::perms(0644));
    fs::permissions(folder / "f", fs::perms::owner_read | fs::perms::owner_write);
  }
  ::umask(mask);
}

TEST_CASE("pipes, devices and folders are refused before any work, without waiting for a reader") {
  const Folder folder;
  const fs::path fifo = folder.make_fifo("fifo");
  for (const fs::path& path : {fifo, fs::path("/dev/null"), folder / ""}) {
    CAPTURE(path.string());
    CHECK_FALSE(check_writable(path));
    CHECK_FALSE(write_text(path, "text"));
  }
  CHECK(files_in(folder / "") == 1);
}

TEST_CASE("a symbolic link of this user is followed, one of another user is refused") {
  const Folder folder;
  folder.write("target", "older");
  fs::create_symlink("target", folder / "link");
  CHECK(write_text(folder / "link", "newer"));
  CHECK(folder.read("target") == "newer");
  CHECK(fs::is_symlink(folder / "link"));
  if (!folder.make_foreign_link("foreign", folder / "target")) return;
  CHECK_FALSE(check_writable(folder / "foreign"));
  CHECK_FALSE(write_text(folder / "foreign", "forged"));
  CHECK(folder.read("target") == "newer");
}

TEST_CASE("a command's output is none of its inputs, and no file in one") {
  const Folder folder;
  REQUIRE(write_text(folder / "journal", "ticks"));
  fs::create_directory(folder / "week");
  REQUIRE(write_text(folder / "week/ticks", "ticks"));
  const std::vector<std::string> inputs{(folder / "journal").string(), (folder / "week").string()};
  fs::create_symlink(folder / "journal", folder / "link");
  for (const char* name : {"journal", "link", "week/ticks"}) {
    CAPTURE(name);
    const Status checked = check_output(folder / name, inputs);
    REQUIRE_FALSE(checked);
    CHECK(checked.error().message == "is what this command reads");
  }
  CHECK(check_output(folder / "page.html", inputs));
  CHECK(check_output(folder / "week/page.html", inputs));
}
