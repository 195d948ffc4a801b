#include "engine/hypervisor/libvirt/handles.h"

#include <algorithm>
#include <filesystem>
#include <system_error>
#include <utility>
#include <vector>

#include "engine/core/names.h"
#include "engine/core/printable.h"

namespace memcoord::libvirt {
namespace {

constexpr std::string_view kExamples = "name one like qemu:///system or qemu:///session";

/// Decodes %20 and the like.
std::string unescaped(std::string_view text) {
  const auto digit = [](char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
  };
  std::string plain;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool escape =
        text[i] == '%' && i + 2 < text.size() && digit(text[i + 1]) >= 0 && digit(text[i + 2]) >= 0;
    if (escape) {
      plain += static_cast<char>(digit(text[i + 1]) * 16 + digit(text[i + 2]));
      i += 2;
    } else {
      plain += text[i];
    }
  }
  return plain;
}

/// libvirt would look for an unknown driver in a daemon and report a missing daemon.
Status check_driver(const ConnectionUri& uri, std::string_view text) {
  const std::vector<std::string> known = {
      "qemu", "test", "xen", "lxc", "ch",     "bhyve",  "vbox",      "vmwareplayer", "vmwarews",
      "esx",  "gsx",  "vpx", "vz",  "hyperv", "openvz", "parallels", "vmwarefusion", "remote"};
  if (std::find(known.begin(), known.end(), uri.driver) != known.end()) return {};
  const auto near = suggest_name(uri.driver, known);
  return fail(ErrorCode::invalid_input, std::string(text),
              "libvirt knows no such driver: '" + uri.driver + "'",
              near ? "did you mean '" + *near + "'?" : std::string(kExamples));
}

Status check_test_uri(const ConnectionUri& uri, std::string_view text) {
  if (!uri.transport.empty()) return {};
  if (!uri.server.empty()) {
    return fail(ErrorCode::invalid_input, std::string(text), "names a host, not a file",
                "the test driver takes test:///default or test:///ABSOLUTE/PATH.xml");
  }
  if (uri.path.empty() || uri.path == "/") {
    return fail(ErrorCode::invalid_input, std::string(text), "names no test host",
                "the test driver takes test:///default or test:///ABSOLUTE/PATH.xml");
  }
  if (uri.path == "/default") return {};
  // libxml2 prints a message of its own about a missing file, so check first.
  std::error_code error;
  const std::string file = unescaped(uri.path);
  if (!std::filesystem::is_regular_file(file, error)) {
    return fail(ErrorCode::not_found, std::string(text), "no file " + file,
                "the test driver takes test:///default or test:///ABSOLUTE/PATH.xml");
  }
  return {};
}

Status check_missing_slash(const ConnectionUri& uri, std::string_view text) {
  const bool mode = uri.server == "system" || uri.server == "session" || uri.server == "embed";
  if (!mode || (!uri.path.empty() && uri.path != "/")) return {};
  const std::string scheme = uri.transport.empty() ? uri.driver : uri.driver + "+" + uri.transport;
  return fail(ErrorCode::invalid_input, std::string(text),
              "a slash is missing: this names a host called '" + uri.server + "'",
              "did you mean " + scheme + ":///" + uri.server + "?");
}

/// `colon`: where the scheme ends.
ConnectionUri split(std::string_view text, std::size_t colon) {
  ConnectionUri uri;
  uri.driver = text.substr(0, colon);
  if (const std::size_t plus = uri.driver.find('+'); plus != std::string::npos) {
    uri.transport = uri.driver.substr(plus + 1);
    uri.driver.resize(plus);
  }
  std::string_view rest = text.substr(colon + 1);
  rest = rest.substr(0, rest.find('?'));
  if (rest.starts_with("//")) {
    rest.remove_prefix(2);
    const std::size_t slash = rest.find('/');
    std::string_view authority = rest.substr(0, slash);
    rest = slash == std::string_view::npos ? std::string_view{} : rest.substr(slash);
    if (const std::size_t at = authority.rfind('@'); at != std::string_view::npos) {
      authority.remove_prefix(at + 1);
    }
    uri.server = authority.substr(0, authority.rfind(':'));
  }
  uri.path = rest;
  return uri;
}

}  // namespace

Uuid uuid_of(virDomainPtr domain) {
  std::array<unsigned char, VIR_UUID_BUFLEN> raw{};
  (void)virDomainGetUUID(domain, raw.data());
  Uuid uuid;
  for (std::size_t i = 0; i < 8; ++i) uuid.high = uuid.high << 8U | raw[i];
  for (std::size_t i = 8; i < 16; ++i) uuid.low = uuid.low << 8U | raw[i];
  return uuid;
}

std::array<unsigned char, VIR_UUID_BUFLEN> raw_uuid(const Uuid& uuid) {
  std::array<unsigned char, VIR_UUID_BUFLEN> raw{};
  for (std::size_t i = 0; i < 8; ++i) {
    raw[i] = static_cast<unsigned char>(uuid.high >> (56 - 8 * i));
    raw[i + 8] = static_cast<unsigned char>(uuid.low >> (56 - 8 * i));
  }
  return raw;
}

std::string name_of(virDomainPtr domain) {
  constexpr std::size_t kLongestDomainName = 1000;
  const char* name = virDomainGetName(domain);
  return name == nullptr ? std::string() : excerpt(name, kLongestDomainName);
}

bool ConnectionUri::is_local() const {
  return server.empty() && (transport.empty() || transport == "unix");
}

bool ConnectionUri::is_in_process() const {
  return driver == "test" && server.empty() && transport.empty();
}

Result<ConnectionUri> parse_uri(std::string_view text) {
  const std::size_t colon = text.find(':');
  const bool scheme = colon != std::string_view::npos && colon > 0 &&
                      text.substr(0, colon).find('/') == std::string_view::npos;
  if (!scheme) {
    return fail(ErrorCode::invalid_input, std::string(text.empty() ? "''" : text),
                "not a connection URI", std::string(kExamples));
  }
  ConnectionUri uri = split(text, colon);
  if (const Status checked = check_driver(uri, text); !checked) return fail(checked.error());
  if (uri.driver == "test") {
    if (const Status checked = check_test_uri(uri, text); !checked) return fail(checked.error());
  }
  if (const Status checked = check_missing_slash(uri, text); !checked) return fail(checked.error());
  return uri;
}

LibvirtResult<OpenedHandle> open_handle(const std::string& uri, Access access) {
  ConnectHandle handle(virConnectOpenAuth(uri.c_str(), nullptr, 0));
  if (handle) return OpenedHandle{std::move(handle), false};
  LibvirtError refused = LibvirtError::last();
  const bool not_allowed = open_error(refused, uri).code == ErrorCode::permission_denied;
  if (access != Access::read_write_if_allowed || !not_allowed) {
    return tl::unexpected(std::move(refused));
  }
  handle.reset(virConnectOpenAuth(uri.c_str(), nullptr, VIR_CONNECT_RO));
  if (!handle) return libvirt_failure();
  return OpenedHandle{std::move(handle), true};
}

}  // namespace memcoord::libvirt
