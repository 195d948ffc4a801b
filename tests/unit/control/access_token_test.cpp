#include "engine/control/access_token.h"

#include <doctest/doctest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <string>

#include "tests/integration/cli/scratch_files.h"
#include "tests/text.h"
#include "tests/unit/files/folder.h"

using namespace memcoord;
using namespace memcoord::control;
using memcoord::testing::ScratchFiles;

namespace {

constexpr const char* kToken = "0123456789abcdef";

std::string no_token(const std::string& text) {
  const auto token = token_in(text);
  REQUIRE_FALSE(token);
  CHECK(contains(token.error().hint, "openssl rand -hex 32"));
  return token.error().message;
}

std::string token_file(const ScratchFiles& files, const std::string& text, mode_t mode) {
  const std::string path = files.write("token", text);
  ::chmod(path.c_str(), mode);
  return path;
}

}  // namespace

TEST_CASE("a token is one line of 16 visible characters or more") {
  CHECK(token_in(kToken) == kToken);
  CHECK(token_in(std::string(kToken) + "\n") == kToken);
  CHECK(token_in(std::string(kToken) + "\r\n") == kToken);
  CHECK(no_token("") == "the token file is empty");
  CHECK(no_token("\n") == "the token file is empty");
  CHECK(no_token("short") == "the token has 5 characters, it needs 16 to 1024");
  CHECK(contains(no_token(std::string(1025, 'x')), "1025 characters"));
  CHECK(no_token(std::string(kToken) + "\n\n") == "the token file has several lines");
  CHECK(no_token(std::string(kToken) + "\n" + kToken) == "the token file has several lines");
  CHECK(contains(no_token("0123456789 abcdef"), "a space"));
  CHECK(contains(no_token("0123456789äbcdef"), "not ASCII"));
  CHECK(contains(no_token(std::string(kToken) + std::string(1, '\0')), "not ASCII"));
  CHECK_FALSE(contains(no_token("secret"), "secret"));
}

TEST_CASE("a token file that others can read or change is refused") {
  const ScratchFiles files;
  for (const mode_t mode : {0600U, 0640U, 0400U, 0440U}) {
    CAPTURE(mode);
    CHECK(read_token(token_file(files, kToken, mode)) == kToken);
  }
  for (const mode_t mode : {0644U, 0604U, 0642U, 0660U, 0641U}) {
    CAPTURE(mode);
    const auto token = read_token(token_file(files, kToken, mode));
    REQUIRE_FALSE(token);
    CHECK(token.error().code == ErrorCode::invalid_input);
    CHECK(contains(token.error().text(), "token: users other than its owner and its group can"));
  }
}

TEST_CASE("a token comes from a regular file") {
  const ScratchFiles files;
  CHECK(read_token(files.path("none")).error().text() ==
        files.path("none") + ": no such token file; write one with: openssl rand -hex 32");
  CHECK(contains(read_token(files.path("")).error().text(), "folder"));
  CHECK(contains(read_token("/dev/zero").error().text(), "device"));
  const std::string fifo = files.path("fifo");
  REQUIRE(::mkfifo(fifo.c_str(), 0600) == 0);
  CHECK_FALSE(read_token(fifo));
  const std::string large = token_file(files, std::string(1 << 20, 'x'), 0600);
  CHECK(contains(read_token(large).error().text(), "it needs 16 to 1024"));
}

TEST_CASE("a token is read again, and stays if the file is bad") {
  const ScratchFiles files;
  const std::string path = token_file(files, kToken, 0600);
  AccessToken token(path, read_token(path).value());
  files.write("token", "fedcba9876543210\n");
  CHECK(token.read_again());
  CHECK(token.text() == "fedcba9876543210");
  files.write("token", "bad");
  CHECK_FALSE(token.read_again());
  CHECK(token.text() == "fedcba9876543210");
}

TEST_CASE("a token file of another user is refused, and so is another user's link to one") {
  const memcoord::test::Folder folder;
  const auto path = folder.write("token", kToken);
  ::chmod(path.c_str(), 0600);
  std::filesystem::create_symlink("token", folder / "own");
  CHECK(read_token(folder / "own") == kToken);
  // Only root may give a file away.
  if (!folder.make_foreign_link("foreign", "token")) return;
  CHECK(read_token(folder / "foreign").error().text() ==
        (folder / "foreign").string() +
            ": a symbolic link on the way to the token file belongs to another user; name the file "
            "itself");
  REQUIRE(::chown(path.c_str(), 12345, 12345) == 0);
  CHECK(read_token(path).error().text() ==
        path.string() +
            ": the token file belongs to user 12345, who can change it; chown the file to root, or "
            "to the user of the run");
}

TEST_CASE("a loop of symbolic links is no missing token file") {
  const memcoord::test::Folder folder;
  std::filesystem::create_symlink("loop", folder / "loop");
  CHECK(read_token(folder / "loop").error().message ==
        "cannot be read: Too many levels of symbolic links");
}
