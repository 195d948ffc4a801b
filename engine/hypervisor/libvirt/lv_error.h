#pragma once
// libvirt's errors as values, and what they mean for memcoord.

#include <string>
#include <string_view>
#include <tl/expected.hpp>

#include "engine/core/error.h"
#include "engine/core/tick_parts.h"

namespace memcoord::libvirt {

/// One of libvirt's errors: a code (virErrorNumber), the part of libvirt that raised it
/// (virErrorDomain) and its message.
struct LvError {
  int code = 0;
  int domain = 0;
  std::string message;

  /// The calling thread's last error. To be taken at once after the call that failed: the next
  /// call of libvirt resets it.
  static LvError last();
  /// An error of our own making, for a call that failed without setting one.
  static LvError unexplained(std::string_view call);
  bool operator==(const LvError&) const = default;
};

template <class T>
using LvResult = tl::expected<T, LvError>;
using LvStatus = LvResult<void>;

/// The calling thread's last error, as the failing branch of a result.
inline tl::unexpected<LvError> lv_failure() {
  return tl::unexpected<LvError>(LvError::last());
}

/// Whether the connection itself is gone, so that everything on it has to be opened again.
bool lost_connection(const LvError& error);
/// Whether the domain is not there any more, or not running.
bool domain_is_gone(const LvError& error);
/// Whether the driver does not know this call at all.
bool unsupported_call(const LvError& error);

/// What kind of thing went wrong.
ErrorCode error_code(const LvError& error);
/// What became of a balloon move that failed so.
Outcome::Kind outcome_kind(const LvError& error);
/// The error for people: libvirt's message as one clause, about `object`, with what to do.
Error to_error(const LvError& error, std::string object);
/// The error of opening `uri`, told so that the reader knows what to do next.
Error open_error(const LvError& error, const std::string& uri);

/// From here on libvirt prints nothing by itself. May be called again.
void silence_libvirt();

}  // namespace memcoord::libvirt
