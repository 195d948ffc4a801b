#pragma once
// JSON as subcommands print it.

#include <nlohmann/json.hpp>
#include <string>

namespace memcoord::cli {

/// Indented, for people as well. Names come from libvirt and files: bytes that are no UTF-8 are
/// replaced rather than thrown on.
inline std::string json_text(const nlohmann::ordered_json& json) {
  return json.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

}  // namespace memcoord::cli
