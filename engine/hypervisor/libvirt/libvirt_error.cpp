#include "engine/hypervisor/libvirt/libvirt_error.h"

#include <libvirt/libvirt.h>
#include <libvirt/virterror.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <utility>

#include "engine/core/printable.h"

namespace memcoord::libvirt {
namespace {

constexpr std::string_view kJoinGroup =
    "add yourself to the libvirt group (sudo usermod -aG libvirt $USER, then log in again) or run "
    "with sudo";
constexpr std::string_view kStartDaemon =
    "start it (sudo systemctl start libvirtd), or name another connection with --connect";

struct Meaning {
  int code;
  ErrorCode error;
  Outcome::Kind outcome;
};

// libvirt's codes in memcoord's terms. Any other code is internal and failed.
constexpr std::array kMeanings{
    Meaning{VIR_ERR_NO_SUPPORT, ErrorCode::unsupported, Outcome::Kind::failed},
    Meaning{VIR_ERR_NO_CONNECT, ErrorCode::unavailable, Outcome::Kind::failed},
    Meaning{VIR_ERR_INVALID_CONN, ErrorCode::unavailable, Outcome::Kind::failed},
    Meaning{VIR_ERR_RPC, ErrorCode::unavailable, Outcome::Kind::failed},
    Meaning{VIR_ERR_INVALID_ARG, ErrorCode::invalid_input, Outcome::Kind::failed},
    Meaning{VIR_ERR_OVERFLOW, ErrorCode::invalid_input, Outcome::Kind::failed},
    Meaning{VIR_ERR_XML_ERROR, ErrorCode::invalid_input, Outcome::Kind::failed},
    Meaning{VIR_ERR_XML_DETAIL, ErrorCode::invalid_input, Outcome::Kind::failed},
    Meaning{VIR_ERR_OPERATION_DENIED, ErrorCode::permission_denied, Outcome::Kind::failed},
    Meaning{VIR_ERR_AUTH_FAILED, ErrorCode::permission_denied, Outcome::Kind::failed},
    Meaning{VIR_ERR_AUTH_CANCELLED, ErrorCode::permission_denied, Outcome::Kind::failed},
    Meaning{VIR_ERR_AUTH_UNAVAILABLE, ErrorCode::permission_denied, Outcome::Kind::failed},
    Meaning{VIR_ERR_ACCESS_DENIED, ErrorCode::permission_denied, Outcome::Kind::failed},
    Meaning{VIR_ERR_NO_DOMAIN, ErrorCode::not_found, Outcome::Kind::vanished},
    Meaning{VIR_ERR_OPERATION_TIMEOUT, ErrorCode::timed_out, Outcome::Kind::skipped},
    Meaning{VIR_ERR_AGENT_UNRESPONSIVE, ErrorCode::timed_out, Outcome::Kind::skipped},
    Meaning{VIR_ERR_OPERATION_ABORTED, ErrorCode::unavailable, Outcome::Kind::skipped},
    Meaning{VIR_ERR_OPERATION_INVALID, ErrorCode::unsupported, Outcome::Kind::failed},
    Meaning{VIR_ERR_OPERATION_UNSUPPORTED, ErrorCode::unsupported, Outcome::Kind::failed},
    Meaning{VIR_ERR_ARGUMENT_UNSUPPORTED, ErrorCode::unsupported, Outcome::Kind::failed},
    Meaning{VIR_ERR_CONFIG_UNSUPPORTED, ErrorCode::unsupported, Outcome::Kind::failed},
};

const Meaning* meaning_of(int code) {
  const auto* found = std::find_if(kMeanings.begin(), kMeanings.end(),
                                   [&](const Meaning& known) { return known.code == code; });
  return found == kMeanings.end() ? nullptr : found;
}

bool contains(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

/// A message in memcoord's style: one line, no capital letter at the start, no full stop.
std::string clause(std::string text) {
  std::replace(text.begin(), text.end(), '\n', ' ');
  while (!text.empty() && (text.back() == '.' || text.back() == ' ')) text.pop_back();
  const bool word = text.size() > 1 && std::islower(static_cast<unsigned char>(text[1])) != 0;
  if (word) text[0] = static_cast<char>(std::tolower(static_cast<unsigned char>(text[0])));
  return text;
}

}  // namespace

LibvirtError LibvirtError::last() {
  const virError* error = virGetLastError();
  if (error == nullptr || error->code == VIR_ERR_OK) return unexplained("a call");
  constexpr std::size_t kLongestMessage = 1000;  // it may quote names and metadata
  return {error->code, error->domain,
          error->message == nullptr ? "" : excerpt(error->message, kLongestMessage)};
}

LibvirtError LibvirtError::unexplained(std::string_view call) {
  return {VIR_ERR_INTERNAL_ERROR, VIR_FROM_NONE,
          std::string(call) + " of libvirt failed without saying why"};
}

bool lost_connection(const LibvirtError& error) {
  if (error.domain != VIR_FROM_RPC && error.domain != VIR_FROM_REMOTE) return false;
  return error.code == VIR_ERR_INTERNAL_ERROR || error.code == VIR_ERR_NO_CONNECT ||
         error.code == VIR_ERR_INVALID_CONN || error.code == VIR_ERR_SYSTEM_ERROR ||
         error.code == VIR_ERR_RPC;
}

bool domain_is_gone(const LibvirtError& error) {
  if (error.code == VIR_ERR_NO_DOMAIN) return true;
  return error.code == VIR_ERR_OPERATION_INVALID && contains(error.message, "not running");
}

bool unsupported_call(const LibvirtError& error) {
  return error.code == VIR_ERR_NO_SUPPORT || error.code == VIR_ERR_ARGUMENT_UNSUPPORTED ||
         error.code == VIR_ERR_OPERATION_UNSUPPORTED;
}

ErrorCode error_code(const LibvirtError& error) {
  if (lost_connection(error)) return ErrorCode::unavailable;
  if (domain_is_gone(error)) return ErrorCode::not_found;
  const Meaning* meaning = meaning_of(error.code);
  return meaning == nullptr ? ErrorCode::internal : meaning->error;
}

Outcome::Kind outcome_kind(const LibvirtError& error) {
  if (lost_connection(error)) return Outcome::Kind::failed;
  if (domain_is_gone(error)) return Outcome::Kind::vanished;
  const Meaning* meaning = meaning_of(error.code);
  return meaning == nullptr ? Outcome::Kind::failed : meaning->outcome;
}

Error to_error(const LibvirtError& error, std::string object) {
  Error result{error_code(error), std::move(object), clause(error.message), {}, {}};
  if (result.code == ErrorCode::permission_denied) result.hint = kJoinGroup;
  if (contains(error.message, "without the balloon device")) {
    result.hint = "give the domain a <memballoon model='virtio'> device";
  }
  return result;
}

Error open_error(const LibvirtError& error, const std::string& uri) {
  const std::string& message = error.message;
  if (error.code == VIR_ERR_NO_CONNECT && contains(message, "no connection driver")) {
    return {ErrorCode::invalid_input,
            uri,
            "libvirt knows no such driver",
            "name one like qemu:///system or qemu+ssh://user@host/system",
            {}};
  }
  const bool socket = contains(message, "Failed to connect socket");
  if (socket && contains(message, "Permission denied")) {
    return {ErrorCode::permission_denied,
            uri,
            "not allowed to use the libvirt daemon's socket",
            std::string(kJoinGroup),
            {}};
  }
  if (socket) {
    return {ErrorCode::unavailable,
            uri,
            "no libvirt daemon answers: " + clause(message),
            std::string(kStartDaemon),
            {}};
  }
  Error result = to_error(error, uri);
  if (result.code == ErrorCode::permission_denied) {
    result.message = "not allowed to manage domains: " + result.message;
  } else if (result.code == ErrorCode::internal || error.code == VIR_ERR_SYSTEM_ERROR) {
    result.code = ErrorCode::unavailable;
  }
  if (result.hint.empty()) result.hint = "check it with: virsh -c " + shell_word(uri) + " list";
  return result;
}

void silence_libvirt() {
  virSetErrorFunc(nullptr, [](void*, virErrorPtr) {});
}

}  // namespace memcoord::libvirt
