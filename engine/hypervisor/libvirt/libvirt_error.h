#pragma once
// libvirt's errors as values, and what they mean for memcoord. All functions are pure except
// LibvirtError::last(), libvirt_failure() and silence_libvirt().

#include <string>
#include <string_view>
#include <tl/expected.hpp>

#include "engine/core/decision.h"
#include "engine/core/error.h"

namespace memcoord::libvirt {

/// An error of libvirt's: its code (virErrorNumber), the part of libvirt that raised it
/// (virErrorDomain) and its message, cut to 1000 bytes.
struct LibvirtError {
  int code = 0;
  int domain = 0;
  std::string message;

  /// The calling thread's last error. Read it right after the call that failed: the next call of
  /// libvirt resets it.
  static LibvirtError last();
  /// For a call that failed without setting an error.
  static LibvirtError unexplained(std::string_view call);
  bool operator==(const LibvirtError&) const = default;
};

template <class T>
using LibvirtResult = tl::expected<T, LibvirtError>;
using LibvirtStatus = LibvirtResult<void>;

/// The calling thread's last error, as the failing branch of a result.
inline tl::unexpected<LibvirtError> libvirt_failure() {
  return tl::unexpected<LibvirtError>(LibvirtError::last());
}

/// Whether the connection itself is gone and must be opened again.
bool lost_connection(const LibvirtError& error);
/// Whether the domain no longer exists, or is not running.
bool domain_is_gone(const LibvirtError& error);
/// Whether the driver does not implement the call.
bool unsupported_call(const LibvirtError& error);

/// The code that callers branch on; `internal` for codes that memcoord does not know.
ErrorCode error_code(const LibvirtError& error);
/// The outcome of a balloon move that failed with this error.
Outcome::Kind outcome_kind(const LibvirtError& error);
/// The error for people: libvirt's message as one clause about `object`, with a hint where there is
/// one.
Error to_error(const LibvirtError& error, std::string object);
/// The error of opening `uri`, with a hint.
Error open_error(const LibvirtError& error, const std::string& uri);

/// Keeps libvirt from printing errors, in the whole process from now on. May be called again.
void silence_libvirt();

}  // namespace memcoord::libvirt
