#pragma once
// Which memcoords a fleet has, as administrators write them.
//
// A fleet file has a host a line:
//
//   # the rack in room 2
//   http://kvm1:9798
//   http://kvm2:9798             name=kvm2  token-file=kvm2.token
//   /run/user/1000/kvm3.sock     name=kvm3

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "engine/control/http.h"
#include "engine/core/error.h"

namespace memcoord::fleet {

struct FleetHost {
  std::string name;        ///< as given, or the address: "kvm1:9798", "/run/user/1000/kvm3.sock"
  control::Server server;  ///< without the token
  std::filesystem::path token_file;  ///< empty: none of its own
  std::string place;                 ///< where it was named: "hosts.txt:3", or the address
};

/// The hosts in the text of a fleet file. `path` names the file in errors; sockets and token files
/// are relative to its folder. Errors, with "PATH:LINE" as the object: invalid_input (an address
/// that is none, a setting that is unknown or has no value, a name given twice, no host at all).
Result<std::vector<FleetHost>> parse_fleet(std::string_view text, const std::string& path);

/// The hosts that the words of a command line name: URLs, sockets, and fleet files. A word that
/// names nothing and ends in ".sock" is a socket that does not exist yet. Errors: those of
/// parse_fleet() and files::open_to_read(); not_found; invalid_input (a host named twice, a word
/// that is no address).
Result<std::vector<FleetHost>> hosts_of(const std::vector<std::string>& words);

}  // namespace memcoord::fleet
