#include "engine/files/open_file.h"

#include <doctest/doctest.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <cerrno>
#include <cstring>
#include <string>
#include <vector>

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

std::vector<std::string> lines_of(const std::string& text) {
  const Folder folder;
  auto reader = LineReader::open(folder.write("f", text), "journal").value();
  std::vector<std::string> lines;
  while (reader.next().value()) lines.push_back(reader.text());
  return lines;
}

}  // namespace

TEST_CASE("everything but a regular file is refused at once, for reading and writing") {
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

TEST_CASE("an unnamed pipe can be read") {
  int ends[2];
  REQUIRE(::pipe(ends) == 0);
  REQUIRE(::write(ends[1], "text", 4) == 4);
  ::close(ends[1]);
  CHECK(read_up_to(10, "/dev/fd/" + std::to_string(ends[0]), "journal").value() == "text");
  ::close(ends[0]);
}

TEST_CASE("a file is read up to the given size") {
  const Folder folder;
  CHECK(read_up_to(3, folder.write("f", "abcdef"), "policy").value() == "abc");
  CHECK(read_up_to(9, folder / "f", "policy").value() == "abcdef");
  CHECK(read_up_to(9, folder / "g", "policy").error().message == "no such policy");
}

TEST_CASE("symbolic links of this user are followed, even to a file that does not exist yet") {
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

TEST_CASE("symbolic links of other users are refused anywhere on the path") {
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

TEST_CASE("a file is read line by line, across block boundaries") {
  CHECK(lines_of("").empty());
  CHECK(lines_of("a\n\nb") == std::vector<std::string>{"a", "", "b"});
  const std::string long_line(200'000, 'x');
  CHECK(lines_of(long_line + "\nshort\n" + long_line) ==
        std::vector<std::string>{long_line, "short", long_line});
  std::string many;
  for (int i = 0; i < 100'000; ++i) many += std::to_string(i) + "\n";
  const auto read = lines_of(many);
  REQUIRE(read.size() == 100'000);
  CHECK(read.back() == "99999");
}

TEST_CASE("a last line without its line end is marked") {
  const Folder folder;
  auto reader = LineReader::open(folder.write("f", "a\nb"), "journal").value();
  CHECK(reader.next().value());
  CHECK_FALSE(reader.is_open_ended());
  CHECK(reader.next().value());
  CHECK(reader.is_open_ended());
  CHECK(reader.number() == 2);
  CHECK_FALSE(reader.next().value());
}

TEST_CASE("an endless line is an error and takes no more memory than the longest line") {
  const Folder folder;
  const auto path = folder.write("f", "first\n");
  std::filesystem::resize_file(path, std::uintmax_t{1} << 40U);
  auto reader = LineReader::open(path, "journal").value();
  CHECK(reader.next().value());
  const auto endless = reader.next();
  REQUIRE_FALSE(endless);
  CHECK(endless.error().message == "a line longer than 16 MiB");
  CHECK(endless.error().object == path.string() + ":2");
  CHECK(reader.text().capacity() <= 2 * kLongestLine);
}

TEST_CASE("the longest line is read") {
  const Folder folder;
  auto reader =
      LineReader::open(folder.write("f", std::string(kLongestLine, 'x') + "\n"), "journal").value();
  CHECK(reader.next().value());
  CHECK(reader.text().size() == kLongestLine);
}

TEST_CASE("a public file is one that every user may read, in folders that every user may search") {
  const Folder folder;
  const fs::path file = folder.write("policy.lua", "text");
  const auto opens = [](const fs::path& path) { return open_public(path, "policy").has_value(); };
  const auto code = [](const fs::path& path) { return open_public(path, "policy").error().code; };
  const auto set_mode = [](const fs::path& path, mode_t mode) {
    REQUIRE(::chmod(path.c_str(), mode) == 0);
  };
  set_mode(folder / "", 0755);
  set_mode(file, 0644);
  CHECK(opens(file));
  fs::create_symlink(file, folder / "link");
  CHECK(opens(folder / "link"));
  CHECK(code(folder / "none") == ErrorCode::not_found);
  CHECK(code(folder / "") == ErrorCode::invalid_input);
  CHECK(code("/dev/zero") == ErrorCode::invalid_input);

  set_mode(file, 0640);
  CHECK(code(file) == ErrorCode::permission_denied);
  CHECK(code(folder / "link") == ErrorCode::permission_denied);
  set_mode(file, 0644);
  // Whether a file exists in a folder is known only to those who may search the folder.
  set_mode(folder / "", 0700);
  CHECK(code(file) == ErrorCode::permission_denied);
  CHECK(code(folder / "none") == ErrorCode::permission_denied);
  // Any user may read its mode, but not the file.
  CHECK(code("/proc/self/maps") == ErrorCode::permission_denied);
}

TEST_CASE("the hint for a limit of open files is to raise it") {
  for (const int number : {EMFILE, ENFILE}) {
    const Error error = cannot_write("/tmp/a.prom", "", number).value();
    CHECK(error.code == ErrorCode::unavailable);
    CHECK(error.hint == "raise the limit of open files (ulimit -n)");
  }
  CHECK(cannot_write("/tmp/a.prom", "", EACCES).value().hint == "name a file that you may write");
}
