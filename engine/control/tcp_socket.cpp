#include "engine/control/tcp_socket.h"

#include <cerrno>
#include <cstring>

namespace memcoord::control {
namespace {

Error listen_error(const TcpAddress& address, int code) {
  const auto error = [&](ErrorCode kind, const std::string& what, const std::string& hint) {
    return Error{kind, address.text(), what, hint, {}};
  };
  switch (code) {
    case EADDRINUSE:
      return error(ErrorCode::unavailable, "another program uses this port",
                   "give another port with --metrics; 'ss -ltnp' shows the program");
    case EADDRNOTAVAIL:
      return error(ErrorCode::invalid_input, "this host does not have this address",
                   "'ip address' lists its addresses");
    case EACCES:
    case EPERM:
      return error(ErrorCode::permission_denied, "this user may not serve this port",
                   "give a port from 1024 on");
    default:
      return error(ErrorCode::unavailable, std::string("cannot be served: ") + std::strerror(code),
                   "give another address with --metrics");
  }
}

}  // namespace

Result<files::OpenFile> listen_on(const TcpAddress& address) {
  sockaddr_storage target{};
  const socklen_t size = write_socket_address(address, target);
  files::OpenFile socket(::socket(target.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (socket.get() < 0) return fail(listen_error(address, errno));
  const int yes = 1;
  const int no = 0;
  // Otherwise a restarted run could not serve the port while its old connections fade.
  ::setsockopt(socket.get(), SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  if (address.is_ipv6()) ::setsockopt(socket.get(), IPPROTO_IPV6, IPV6_V6ONLY, &no, sizeof no);
  if (::bind(socket.get(), reinterpret_cast<const sockaddr*>(&target), size) != 0 ||
      ::listen(socket.get(), SOMAXCONN) != 0) {
    return fail(listen_error(address, errno));
  }
  return socket;
}

}  // namespace memcoord::control
