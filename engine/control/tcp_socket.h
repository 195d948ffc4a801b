#pragma once
// The TCP socket that the metrics server listens on.

#include "engine/control/tcp_address.h"
#include "engine/core/error.h"
#include "engine/files/open_file.h"

namespace memcoord::control {

/// A listening, non-blocking socket. "[::]" takes connections of IPv4 too. Errors: unavailable (the
/// port is taken), invalid_input (this host does not have the address), permission_denied.
Result<files::OpenFile> listen_on(const TcpAddress& address);

}  // namespace memcoord::control
