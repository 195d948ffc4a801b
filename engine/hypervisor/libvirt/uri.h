#pragma once
// Connection URIs: taken apart, and the usual mistakes found before libvirt makes a riddle of them.

#include <string>
#include <string_view>

#include "engine/core/error.h"

namespace memcoord::libvirt {

/// driver[+transport]://[user@][server][:port]/path[?query]
struct ConnectionUri {
  std::string driver;
  std::string transport;
  std::string server;
  std::string path;
  /// On this machine: no server, and no transport that leaves it.
  [[nodiscard]] bool is_local() const;
};

/// Takes a URI apart. Errors: invalid_input (no scheme, a slash missing as in qemu://system, a test
/// file that is not named by an absolute path), not_found (the test driver's file).
Result<ConnectionUri> parse_uri(std::string_view text);

}  // namespace memcoord::libvirt
