#include "engine/hypervisor/libvirt/uri.h"

#include <algorithm>
#include <filesystem>
#include <system_error>
#include <vector>

#include "engine/core/names.h"

namespace memcoord::libvirt {
namespace {

constexpr std::string_view kExamples = "name one like qemu:///system or qemu:///session";

/// %20 and the like, as they stand in file names.
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

/// The drivers that libvirt has had; an unknown one would be taken for one of a daemon's.
Status check_driver(const ConnectionUri& uri, std::string_view text) {
  const std::vector<std::string> known = {
      "qemu", "test", "xen", "lxc", "ch",     "bhyve",  "vbox",      "vmwareplayer", "vmwarews",
      "esx",  "gsx",  "vpx", "vz",  "hyperv", "openvz", "parallels", "vmwarefusion", "remote"};
  if (std::find(known.begin(), known.end(), uri.driver) != known.end()) return {};
  const auto near = nearest_name(uri.driver, known);
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
  // libxml2 prints by itself where a file is missing, so look first.
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

}  // namespace

bool ConnectionUri::is_local() const {
  return server.empty() && (transport.empty() || transport == "unix");
}

Result<ConnectionUri> parse_uri(std::string_view text) {
  const std::size_t colon = text.find(':');
  const bool scheme = colon != std::string_view::npos && colon > 0 &&
                      text.substr(0, colon).find('/') == std::string_view::npos;
  if (!scheme) {
    return fail(ErrorCode::invalid_input, std::string(text.empty() ? "''" : text),
                "not a connection URI", std::string(kExamples));
  }
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
  if (const Status checked = check_driver(uri, text); !checked) return fail(checked.error());
  if (uri.driver == "test") {
    if (const Status checked = check_test_uri(uri, text); !checked) return fail(checked.error());
  }
  if (const Status checked = check_missing_slash(uri, text); !checked) return fail(checked.error());
  return uri;
}

}  // namespace memcoord::libvirt
