#include "engine/control/response_headers.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <utility>

#include "engine/control/gzip.h"

namespace memcoord::control {
namespace {

constexpr std::array<std::pair<const char*, const char*>, 5> kSecurityHeaders{{
    {"Content-Security-Policy",
     "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
     "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"},
    {"X-Content-Type-Options", "nosniff"},
    {"X-Frame-Options", "DENY"},
    {"Referrer-Policy", "no-referrer"},
    {"Cross-Origin-Resource-Policy", "same-origin"},
}};

std::string_view without_spaces(std::string_view text) {
  const std::size_t first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

bool is_compressible(const Response& response) {
  return response.body.size() >= kSmallestCompressed &&
         !response.headers.contains("Content-Encoding") && !response.type.starts_with("image/png");
}

/// The weight in ";q=0.5", the parameters of "gzip;q=0.5"; 1 without one.
double weight_of(std::string_view parameters) {
  while (!parameters.empty()) {
    parameters.remove_prefix(1);
    const std::string_view parameter = parameters.substr(0, parameters.find(';'));
    parameters.remove_prefix(parameter.size());
    const std::size_t equals = parameter.find('=');
    if (equals == std::string_view::npos) continue;
    const std::string_view name = without_spaces(parameter.substr(0, equals));
    if (name != "q" && name != "Q") continue;
    const std::string_view value = without_spaces(parameter.substr(equals + 1));
    double weight = 0;
    std::from_chars(value.data(), value.data() + value.size(), weight);
    return weight;
  }
  return 1;
}

bool is_gzip(std::string_view name) {
  constexpr std::string_view kName = "gzip";
  return std::equal(name.begin(), name.end(), kName.begin(), kName.end(), [](char one, char other) {
    return one == other || ('A' <= one && one <= 'Z' && one - 'A' + 'a' == other);
  });
}

}  // namespace

bool accepts_gzip(std::string_view accepted) {
  std::optional<bool> any;
  while (!accepted.empty()) {
    const std::string_view entry = accepted.substr(0, accepted.find(','));
    accepted.remove_prefix(std::min(entry.size() + 1, accepted.size()));
    const std::size_t end = std::min(entry.find(';'), entry.size());
    const std::string_view name = without_spaces(entry.substr(0, end));
    const bool wanted = weight_of(entry.substr(end)) > 0;
    if (is_gzip(name)) return wanted;
    if (name == "*") any = wanted;
  }
  return any.value_or(false);
}

Response compressed(Response response, std::string_view accepted) {
  if (!is_compressible(response)) return response;
  response.headers.emplace("Vary", "Accept-Encoding");
  if (!accepts_gzip(accepted)) return response;
  if (auto smaller = gzip(response.body)) {
    response.body = *std::move(smaller);
    response.headers["Content-Encoding"] = "gzip";
  }
  return response;
}

Response completed(Response response, std::string_view accepted) {
  for (const auto& [name, value] : kSecurityHeaders) response.headers[name] = value;
  response.headers.emplace("Cache-Control", "no-store");
  return compressed(std::move(response), accepted);
}

}  // namespace memcoord::control
