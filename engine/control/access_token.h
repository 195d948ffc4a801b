#pragma once
// The token that clients over TCP send, in a file of its own.

#include <filesystem>
#include <mutex>
#include <string>
#include <string_view>

#include "engine/core/error.h"

namespace memcoord::control {

/// The token in the text of its file: one line of 16 to 1,024 visible ASCII characters. Errors,
/// without an object and without a part of the text: invalid_input.
Result<std::string> token_in(std::string_view text);

/// Reads a token from a regular file of root or of the run's user that only its owner and its group
/// may read, and only its owner may write. Follows symbolic links of these users only. Errors:
/// those of open_to_read(); invalid_input (others may read or write the file or choose it, it is no
/// regular file, or it has no token).
Result<std::string> read_token(const std::filesystem::path& path);

/// The token of a file that may change. Any thread may call it.
class AccessToken {
 public:
  AccessToken(std::filesystem::path path, std::string token)
      : path_(std::move(path)), token_(std::move(token)) {}
  [[nodiscard]] std::string text() const;
  /// Reads the file again. After an error the token stays. Errors: those of read_token().
  Status read_again();

 private:
  std::filesystem::path path_;
  mutable std::mutex mutex_;
  std::string token_;  // under mutex_
};

}  // namespace memcoord::control
