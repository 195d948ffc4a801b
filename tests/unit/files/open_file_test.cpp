#include "engine/files/open_file.h"

#include <doctest/doctest.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <cstring>
#include <string>

#include "tests/unit/files/folder.h"

using namespace memcoord;
using namespace memcoord::files;
using memcoord::test::Folder;

namespace fs = std::filesystem;

namespace {

const std::string kFile = "the journal";

/// A socket in a folder.
class Socket {
 public:
  explicit Socket(const fs::path& path) : file_(::socket(AF_UNIX, SOCK_STREAM, 0)) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::strncpy(address.sun_path, path.c_str(), sizeof address.sun_path - 1);
    ::bind(file_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address);  // NOLINT
  }

 private:
  OpenFile file_;
};

}  // namespace

TEST_CASE("what is no regular file is refused at once, to read and to write") {
  const Folder folder;
  const Socket socket(folder / "socket");
  fs::create_symlink(folder.make_fifo("fifo"), folder / "link");
  struct Odd {
    fs::path path;
    const char* kind;
  };
  for (const Odd& odd : {Odd{folder / "fifo", "is a pipe"}, Odd{folder / "link", "is a pipe"},
                         Odd{folder / "socket", "is a socket"}, Odd{folder / "", "is a folder"},
                         Odd{"/dev/zero", "is a device"}, Odd{"/dev/null", "is a device"}}) {
    CAPTURE(odd.path.string());
    CHECK(open_to_read(odd.path, "journal").error().message == odd.kind);
    CHECK(read_up_to(10, odd.path, "journal").error().message == odd.kind);
    CHECK(open_to_append(odd.path, kFile).error().message == odd.kind);
    CHECK(place_to_write(odd.path, kFile).error().message == odd.kind);
  }
}

TEST_CASE("a pipe that somebody else has opened can be read") {
  int ends[2];
  REQUIRE(::pipe(ends) == 0);
  REQUIRE(::write(ends[1], "text", 4) == 4);
  ::close(ends[1]);
  CHECK(read_up_to(10, "/dev/fd/" + std::to_string(ends[0]), "journal").value() == "text");
  ::close(ends[0]);
}

TEST_CASE("no more of a file is read than was asked for") {
  const Folder folder;
  CHECK(read_up_to(3, folder.write("f", "abcdef"), "policy").value() == "abc");
  CHECK(read_up_to(9, folder / "f", "policy").value() == "abcdef");
  CHECK(read_up_to(9, folder / "g", "policy").error().message == "no such policy");
}

TEST_CASE("links of this user are followed, also to a file that is not there yet") {
  const Folder folder;
  fs::create_directory(folder / "logs");
  fs::create_symlink("logs/j", folder / "relative");
  fs::create_symlink(folder / "logs", folder / "absolute");
  fs::create_symlink("loop", folder / "loop");
  CHECK(open_to_append(folder / "relative", kFile));
  CHECK(fs::exists(folder / "logs/j"));
  CHECK(open_to_append(folder / "absolute/../logs/./k", kFile));
  CHECK(fs::exists(folder / "logs/k"));
  CHECK_FALSE(open_to_append(folder / "loop", kFile));
  CHECK(open_to_append(folder / "no/such", kFile).error().hint == "its folder must exist");
}

TEST_CASE("links of others are refused, wherever on the way they stand") {
  const Folder folder;
  fs::create_directory(folder / "logs");
  folder.write("target", "precious");
  if (!folder.make_foreign_link("j", folder / "target") ||
      !folder.make_foreign_link("d", folder / "logs")) {
    MESSAGE("only root can make links of others");
    return;
  }
  for (const fs::path& path : {folder / "j", folder / "d/j", folder / "d/../target"}) {
    CAPTURE(path.string());
    const auto refused = open_to_append(path, kFile);
    REQUIRE_FALSE(refused);
    CHECK(refused.error().code == ErrorCode::permission_denied);
    CHECK(refused.error().message.find("belongs to user 12345") != std::string::npos);
  }
  CHECK(folder.read("target") == "precious");
  CHECK(fs::is_empty(folder / "logs"));
}
