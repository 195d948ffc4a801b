#include "engine/fleet/host_list.h"

#include <algorithm>
#include <cstddef>
#include <map>
#include <utility>

#include "engine/core/printable.h"
#include "engine/files/open_file.h"

namespace memcoord::fleet {
namespace {

namespace fs = std::filesystem;

constexpr auto kUnusable = ErrorCode::invalid_input;
constexpr std::size_t kLongestFile = std::size_t{4} << 20U;
constexpr const char* kLineHint =
    "expected http://HOST:PORT or a socket's path, then name=NAME and token-file=FILE as needed";

std::string in_quotes(std::string_view text) {
  return "'" + excerpt(text, 60) + "'";
}

bool is_url(std::string_view word) {
  return word.find("://") != std::string_view::npos;
}

/// "kvm1:9798": a URL that lacks its beginning.
bool lacks_scheme(std::string_view word) {
  const std::size_t colon = word.rfind(':');
  return colon != std::string_view::npos && colon > 0 && colon + 1 < word.size() &&
         word.find('/') == std::string_view::npos &&
         word.find_first_not_of("0123456789", colon + 1) == std::string_view::npos;
}

std::vector<std::string> words_in(std::string_view line) {
  constexpr const char* kBlanks = " \t\r\v\f";
  std::vector<std::string> words;
  for (;;) {
    const std::size_t first = line.find_first_not_of(kBlanks);
    if (first == std::string_view::npos) return words;
    line.remove_prefix(first);
    if (line.starts_with('#')) return words;
    const std::size_t size = std::min(line.find_first_of(kBlanks), line.size());
    words.emplace_back(line.substr(0, size));
    line.remove_prefix(size);
  }
}

/// Errors without an object.
Result<FleetHost> host_at_url(const std::string& word) {
  auto url = control::server_url(word);
  if (!url) {
    Error error = url.error();
    error.message = in_quotes(word) + " " + error.message;
    return fail(std::move(error));
  }
  FleetHost host;
  host.name = url->substr(url->find("://") + 3);
  host.server.url = *std::move(url);
  return host;
}

FleetHost host_at_socket(const fs::path& path) {
  FleetHost host;
  host.name = path.string();
  host.server.socket = path;
  return host;
}

tl::unexpected<Error> without_scheme(const std::string& word) {
  return fail(kUnusable, "", in_quotes(word) + " is not an address", "write http://" + word);
}

/// Errors without an object.
Result<FleetHost> host_at(const std::string& word, const fs::path& folder) {
  if (is_url(word)) return host_at_url(word);
  if (lacks_scheme(word)) return without_scheme(word);
  if (word.find('/') == std::string::npos && !word.ends_with(".sock")) {
    return fail(kUnusable, "", in_quotes(word) + " is not an address", kLineHint);
  }
  return host_at_socket(folder / word);
}

/// Reads "name=kvm1" and "token-file=kvm1.token". Errors without an object.
Status apply_setting(const std::string& word, const fs::path& folder, FleetHost& host) {
  const std::size_t equals = word.find('=');
  const std::string key = word.substr(0, equals);
  const std::string value = equals == std::string::npos ? "" : word.substr(equals + 1);
  if (key != "name" && key != "token-file") {
    return fail(kUnusable, "", in_quotes(word) + " is no setting of a host", kLineHint);
  }
  if (value.empty()) return fail(kUnusable, "", in_quotes(key) + " has no value", kLineHint);
  if (key == "name") {
    host.name = value;
  } else {
    host.token_file = folder / value;
  }
  return {};
}

/// Errors without an object.
Result<FleetHost> host_in(const std::vector<std::string>& words, const fs::path& folder) {
  auto host = host_at(words.front(), folder);
  if (!host) return host;
  for (std::size_t i = 1; i < words.size(); ++i) {
    if (const Status applied = apply_setting(words[i], folder, *host); !applied) {
      return fail(applied.error());
    }
  }
  return host;
}

/// Refuses a name that two hosts have: rows and alerts could not tell them apart.
class UniqueNames {
 public:
  Status add(const FleetHost& host) {
    const auto [first, is_new] = places_.try_emplace(host.name, host.place);
    if (is_new) return {};
    const std::string where = first->second == host.place ? "" : " (" + first->second + ")";
    return fail(kUnusable, host.place,
                "the name " + in_quotes(host.name) + " is given twice" + where,
                "give each host a name of its own, with name=NAME in a fleet file");
  }

 private:
  std::map<std::string, std::string> places_;
};

Result<std::vector<FleetHost>> read_fleet(const std::string& path) {
  const auto text = files::read_up_to(kLongestFile + 1, path, "fleet file");
  if (!text) return fail(text.error());
  if (text->size() > kLongestFile) {
    return fail(kUnusable, path, "is too long for a fleet file: it has more than 4 MiB");
  }
  return parse_fleet(*text, path);
}

Result<std::vector<FleetHost>> hosts_at(const std::string& word) {
  std::error_code ignored;
  const auto kind = fs::status(word, ignored).type();
  if (is_url(word) || kind == fs::file_type::socket) {
    auto host = is_url(word) ? host_at_url(word) : Result<FleetHost>(host_at_socket(word));
    if (!host) return fail(host.error());
    host->place = word;
    return std::vector<FleetHost>{*std::move(host)};
  }
  if (kind != fs::file_type::not_found) return read_fleet(word);
  if (lacks_scheme(word)) return without_scheme(word);
  if (!word.ends_with(".sock")) {
    return fail(ErrorCode::not_found, word, "no such fleet file or socket");
  }
  FleetHost host = host_at_socket(word);
  host.place = word;
  return std::vector<FleetHost>{std::move(host)};
}

}  // namespace

Result<std::vector<FleetHost>> parse_fleet(std::string_view text, const std::string& path) {
  const fs::path folder = fs::path(path).parent_path();
  std::vector<FleetHost> hosts;
  UniqueNames names;
  std::size_t number = 0;
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    const std::vector<std::string> words = words_in(text.substr(0, end));
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    ++number;
    if (words.empty()) continue;
    const std::string place = path + ":" + std::to_string(number);
    auto host = host_in(words, folder);
    if (!host) {
      Error error = host.error();
      error.object = place;
      return fail(std::move(error));
    }
    host->place = place;
    if (const Status unique = names.add(*host); !unique) return fail(unique.error());
    hosts.push_back(*std::move(host));
  }
  if (hosts.empty()) return fail(kUnusable, path, "lists no host", kLineHint);
  return hosts;
}

Result<std::vector<FleetHost>> hosts_of(const std::vector<std::string>& words) {
  std::vector<FleetHost> all;
  UniqueNames names;
  for (const std::string& word : words) {
    auto hosts = hosts_at(word);
    if (!hosts) return hosts;
    for (FleetHost& host : *hosts) {
      if (const Status unique = names.add(host); !unique) return fail(unique.error());
      all.push_back(std::move(host));
    }
  }
  return all;
}

}  // namespace memcoord::fleet
