#include <algorithm>
#include <charconv>
#include <optional>
#include <utility>

#include "engine/control/response_headers.h"
#include "engine/control/responses.h"
#include "engine/control/routes.h"
#include "engine/core/printable.h"

namespace memcoord::control {
namespace {

std::string_view trimmed(std::string_view text) {
  const std::size_t first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

/// Removes the part up to the separator from the text, and returns it.
std::string_view next_part(std::string_view& text, char separator) {
  const std::size_t end = std::min(text.find(separator), text.size());
  const std::string_view part = trimmed(text.substr(0, end));
  text.remove_prefix(std::min(end + 1, text.size()));
  return part;
}

bool same_word(std::string_view a, std::string_view b) {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [&](char one, char other) { return lower(one) == lower(other); });
}

/// One media range of an Accept header: "text/plain;version=0.0.4;q=0.5".
struct MediaRange {
  std::string_view type;
  std::string_view version;  ///< empty where the range names none
  double quality = 1;        ///< from 0, "not acceptable", to 1
};

MediaRange media_range(std::string_view text) {
  MediaRange range{next_part(text, ';'), {}};
  while (!text.empty()) {
    std::string_view value = next_part(text, ';');
    const std::string_view name = next_part(value, '=');
    if (same_word(name, "version")) range.version = value;
    if (!same_word(name, "q")) continue;
    const auto [end, error] =
        std::from_chars(value.data(), value.data() + value.size(), range.quality);
    const bool number = error == std::errc() && range.quality >= 0 && range.quality <= 1;
    if (!number) range.quality = 0;
  }
  return range;
}

}  // namespace

bool prefers_openmetrics(std::string_view accept) {
  double openmetrics = 0;
  double text = 0;
  while (!accept.empty()) {
    const MediaRange range = media_range(next_part(accept, ','));
    const bool known_version = range.version.empty() || range.version == "1.0.0";
    if (same_word(range.type, "application/openmetrics-text") && known_version) {
      openmetrics = std::max(openmetrics, range.quality);
    } else if (same_word(range.type, "text/plain") || same_word(range.type, "text/*") ||
               range.type == "*/*") {
      text = std::max(text, range.quality);
    }
  }
  return openmetrics > 0 && openmetrics >= text;
}

Response MetricsRoute::respond(const RouteContext& context, const Request& request) {
  Form form;
  const auto accept = request.headers.find("accept");
  form.openmetrics = accept != request.headers.end() && prefers_openmetrics(accept->second);
  const auto domains = request.query.find("domains");
  const std::string choice = domains == request.query.end() ? "on" : domains->second;
  if (choice != "on" && choice != "off") {
    return error_response_to(400, "domains: '" + printable(choice, 60) + "' is neither on nor off",
                             "domains=off leaves out the families about single domains");
  }
  form.domains = choice == "on";
  const auto encodings = request.headers.find("accept-encoding");
  form.compressed = encodings != request.headers.end() && accepts_gzip(encodings->second);
  const auto make = [&] {
    Response response{200, context.metrics(form.openmetrics, form.domains),
                      form.openmetrics
                          ? "application/openmetrics-text; version=1.0.0; charset=utf-8"
                          : "text/plain; version=0.0.4; charset=utf-8"};
    return compressed(std::move(response), form.compressed ? "gzip" : "");
  };
  if (!context.metrics_revision) return make();
  const std::lock_guard lock(mutex_);
  const std::uint64_t revision = context.metrics_revision();  // before the text, which may be newer
  if (revision != revision_) newest_.clear();
  revision_ = revision;
  const auto known = newest_.find(form);
  return known != newest_.end() ? known->second : newest_.emplace(form, make()).first->second;
}

}  // namespace memcoord::control
