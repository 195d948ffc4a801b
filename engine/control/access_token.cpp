#include "engine/control/access_token.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

#include "engine/files/open_file.h"

namespace memcoord::control {
namespace {

constexpr std::size_t kShortestToken = 16;
constexpr std::size_t kLongestToken = 1024;
constexpr const char* kHowToWrite = "write one with: openssl rand -hex 32";

Status check_file(int descriptor, const std::string& path) {
  struct stat status {};
  if (::fstat(descriptor, &status) != 0 || !S_ISREG(status.st_mode)) {
    return fail(ErrorCode::invalid_input, path, "is not a regular file");
  }
  if (status.st_uid != 0 && status.st_uid != ::geteuid()) {
    return fail(
        ErrorCode::invalid_input, path,
        "the token file belongs to user " + std::to_string(status.st_uid) + ", who can change it",
        "chown the file to root, or to the user of the run");
  }
  if ((status.st_mode & (S_IRWXO | S_IWGRP)) != 0) {
    return fail(ErrorCode::invalid_input, path,
                "users other than its owner and its group can read the token, or change it",
                "chmod 0640 the file, and write a new token if others may have read it");
  }
  return {};
}

/// Checks that no other user chooses the file by a symbolic link. The file has been opened, so that
/// nothing else on the way is refused.
Status check_links(const std::filesystem::path& path) {
  const auto place = files::place_to_write(path, "");
  if (place || place.error().code != ErrorCode::permission_denied) return {};
  return fail(ErrorCode::invalid_input, path.string(),
              "a symbolic link on the way to the token file belongs to another user",
              "name the file itself");
}

}  // namespace

Result<std::string> token_in(std::string_view text) {
  const auto no_token = [](const std::string& why) {
    return fail(ErrorCode::invalid_input, "", why, kHowToWrite);
  };
  if (text.ends_with('\n')) text.remove_suffix(1);
  if (text.ends_with('\r')) text.remove_suffix(1);
  if (text.empty()) return no_token("the token file is empty");
  if (text.find_first_of("\r\n") != std::string_view::npos) {
    return no_token("the token file has several lines");
  }
  if (text.size() < kShortestToken || text.size() > kLongestToken) {
    return no_token("the token has " + std::to_string(text.size()) + " characters, it needs " +
                    std::to_string(kShortestToken) + " to " + std::to_string(kLongestToken));
  }
  if (!std::all_of(text.begin(), text.end(), [](char c) { return '!' <= c && c <= '~'; })) {
    return no_token("the token has a space or a character that is not ASCII");
  }
  return std::string(text);
}

Result<std::string> read_token(const std::filesystem::path& path) {
  const auto file = files::open_to_read(path, "token file");
  if (!file) {
    Error error = file.error();
    if (error.code == ErrorCode::not_found) error.hint = kHowToWrite;
    return fail(std::move(error));
  }
  if (Status links = check_links(path); !links) return fail(links.error());
  if (Status checked = check_file(file->get(), path.string()); !checked) {
    return fail(checked.error());
  }
  std::array<char, kLongestToken + 3> text{};  // a longer one is too long anyway
  const ssize_t size = ::read(file->get(), text.data(), text.size());
  if (size < 0) {
    return fail(ErrorCode::invalid_input, path.string(),
                std::string("cannot be read: ") + std::strerror(errno));
  }
  auto token = token_in({text.data(), static_cast<std::size_t>(size)});
  if (token) return token;
  Error error = token.error();
  error.object = path.string();
  return fail(std::move(error));
}

std::string AccessToken::text() const {
  const std::lock_guard lock(mutex_);
  return token_;
}

Status AccessToken::read_again() {
  auto token = read_token(path_);
  if (!token) return fail(token.error());
  const std::lock_guard lock(mutex_);
  token_ = *std::move(token);
  return {};
}

}  // namespace memcoord::control
