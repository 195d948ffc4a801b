#pragma once
// Errors are values: a code, the object concerned and a sentence. No exception leaves a module.

#include <string>
#include <tl/expected.hpp>
#include <utility>

namespace memcoord {

/// The kind of a failure. Callers branch on it, never on the text.
enum class ErrorCode {
  invalid_input,      ///< a value, file or option is unusable as given
  not_found,          ///< no such file, policy, scenario or domain
  permission_denied,  ///< the operating system or libvirt refuses
  unavailable,        ///< a connection is down or a device is missing: may come back
  timed_out,          ///< no answer within the deadline
  policy_failed,      ///< the policy's own code raised an error
  limit_exceeded,     ///< a policy exceeded its time, instruction or memory limit
  unsupported,        ///< the other side does not know this call
  internal,           ///< a bug in memcoord
};

/// One failure, with everything that its reader needs to act: where, what, and what to do.
struct Error {
  ErrorCode code = ErrorCode::internal;
  std::string object;   ///< where: a path ("a.lua:3"), an option, a domain's name
  std::string message;  ///< what: one clause in lower case, no full stop
  std::string hint;     ///< what to do; may be empty
  std::string detail;   ///< further lines, such as a traceback; may be empty

  /// "object: message; hint", one line, without the detail.
  [[nodiscard]] std::string text() const {
    std::string line = object.empty() ? message : object + ": " + message;
    if (!hint.empty()) line += "; " + hint;
    return line;
  }
  bool operator==(const Error&) const = default;
};

/// A value, or the error that prevented it (as C++23's std::expected).
template <class T>
using Result = tl::expected<T, Error>;
using Status = Result<void>;

/// Makes an error to return: return fail(ErrorCode::not_found, "a.lua", "no such policy");
inline tl::unexpected<Error> fail(ErrorCode code, std::string object, std::string message,
                                  std::string hint = {}) {
  return tl::unexpected<Error>(
      Error{code, std::move(object), std::move(message), std::move(hint), {}});
}
inline tl::unexpected<Error> fail(Error error) {
  return tl::unexpected<Error>(std::move(error));
}

}  // namespace memcoord
