#include "engine/hypervisor/libvirt/libvirt_error.h"

#include <doctest/doctest.h>
#include <libvirt/virterror.h>

#include "tests/text.h"

using namespace memcoord;
using namespace memcoord::libvirt;

TEST_CASE("an error of the transport means that the connection is lost") {
  const std::string text = "End of file while reading data";
  for (const int code : {VIR_ERR_INTERNAL_ERROR, VIR_ERR_NO_CONNECT, VIR_ERR_INVALID_CONN,
                         VIR_ERR_SYSTEM_ERROR, VIR_ERR_RPC}) {
    CHECK(lost_connection({code, VIR_FROM_RPC, text}));
    CHECK(lost_connection({code, VIR_FROM_REMOTE, text}));
    CHECK_FALSE(lost_connection({code, VIR_FROM_QEMU, text}));
  }
  CHECK_FALSE(lost_connection({VIR_ERR_NO_DOMAIN, VIR_FROM_RPC, text}));
}

TEST_CASE("libvirt's codes become those that callers branch on") {
  const auto code = [](int lv, const char* message = "") {
    return error_code({lv, VIR_FROM_QEMU, message});
  };
  CHECK(code(VIR_ERR_NO_DOMAIN) == ErrorCode::not_found);
  CHECK(code(VIR_ERR_OPERATION_DENIED) == ErrorCode::permission_denied);
  CHECK(code(VIR_ERR_ACCESS_DENIED) == ErrorCode::permission_denied);
  CHECK(code(VIR_ERR_AUTH_UNAVAILABLE) == ErrorCode::permission_denied);
  CHECK(code(VIR_ERR_OPERATION_TIMEOUT) == ErrorCode::timed_out);
  CHECK(code(VIR_ERR_INVALID_ARG) == ErrorCode::invalid_input);
  CHECK(code(VIR_ERR_OVERFLOW) == ErrorCode::invalid_input);
  CHECK(code(VIR_ERR_NO_SUPPORT) == ErrorCode::unsupported);
  CHECK(code(VIR_ERR_INTERNAL_ERROR) == ErrorCode::internal);
  CHECK(code(VIR_ERR_OPERATION_INVALID, "domain is not running") == ErrorCode::not_found);
  CHECK(code(VIR_ERR_OPERATION_INVALID, "no balloon") == ErrorCode::unsupported);
  CHECK(code(12345) == ErrorCode::internal);
}

TEST_CASE("the outcome of a move follows from its error") {
  const auto kind = [](int lv, const char* message = "") {
    return outcome_kind({lv, VIR_FROM_QEMU, message});
  };
  CHECK(kind(VIR_ERR_NO_DOMAIN) == Outcome::Kind::vanished);
  CHECK(kind(VIR_ERR_OPERATION_INVALID,
             "Requested operation is not valid: domain is not running") == Outcome::Kind::vanished);
  CHECK(kind(VIR_ERR_OPERATION_TIMEOUT) == Outcome::Kind::skipped);
  CHECK(kind(VIR_ERR_OPERATION_INVALID, "without the balloon device") == Outcome::Kind::failed);
  CHECK(kind(VIR_ERR_INVALID_ARG) == Outcome::Kind::failed);
  CHECK(outcome_kind({VIR_ERR_SYSTEM_ERROR, VIR_FROM_RPC, "EOF"}) == Outcome::Kind::failed);
}

TEST_CASE("an error for people is one clause with a hint") {
  const Error told = to_error({VIR_ERR_OPERATION_DENIED, VIR_FROM_DOM,
                               "Operation not permitted for read only access.\nmore"},
                              "a");
  CHECK(told.object == "a");
  CHECK(told.message == "operation not permitted for read only access. more");
  CHECK(contains(told.hint, "libvirt group"));
}

TEST_CASE("the errors of connecting have hints") {
  const auto told = [](int code, int domain, const char* message) {
    return open_error({code, domain, message}, "qemu:///system");
  };
  const Error none = told(VIR_ERR_SYSTEM_ERROR, VIR_FROM_RPC,
                          "Failed to connect socket to '/var/run/libvirt/libvirt-sock': No such "
                          "file or directory");
  CHECK(none.code == ErrorCode::unavailable);
  CHECK(contains(none.text(), "no libvirt daemon answers"));
  CHECK(contains(none.hint, "systemctl start libvirtd"));

  const Error socket = told(VIR_ERR_SYSTEM_ERROR, VIR_FROM_RPC,
                            "Failed to connect socket to '/run/libvirt/libvirt-sock': Permission "
                            "denied");
  CHECK(socket.code == ErrorCode::permission_denied);
  CHECK(contains(socket.hint, "usermod -aG libvirt"));

  const Error polkit = told(VIR_ERR_AUTH_UNAVAILABLE, VIR_FROM_RPC,
                            "authentication unavailable: no polkit agent available to authenticate "
                            "action 'org.libvirt.unix.manage'");
  CHECK(polkit.code == ErrorCode::permission_denied);
  CHECK(contains(polkit.text(), "not allowed to manage domains"));
  CHECK(contains(polkit.hint, "usermod -aG libvirt"));

  const Error driver =
      told(VIR_ERR_NO_CONNECT, VIR_FROM_NONE, "no connection driver available for foo:///system");
  CHECK(driver.code == ErrorCode::invalid_input);
  CHECK(contains(driver.text(), "no such driver"));

  const Error other = told(VIR_ERR_INTERNAL_ERROR, VIR_FROM_RPC, "Unable to resolve address");
  CHECK(other.code == ErrorCode::unavailable);
  CHECK(contains(other.hint, "virsh -c qemu:///system list"));
}
