#include "engine/control/responses.h"

#include <utility>
#include <vector>

#include "engine/core/names.h"
#include "engine/core/printable.h"

namespace memcoord::control {

using observers::Json;

Response json_response(const Json& json, int status) {
  return {status, json.text() + "\n", "application/json"};
}

Response json_line_response(std::string line) {
  line += '\n';
  return {200, std::move(line), "application/json"};
}

Response text_response(std::string text) {
  return {200, std::move(text), "text/plain; charset=utf-8"};
}

Response error_response_to(int status, const std::string& error, const std::string& hint) {
  Json json = Json::object({{"error", error}});
  if (!hint.empty()) json.set("hint", hint);
  return json_response(json, status);
}

Response error_response_to(const Error& error) {
  const bool missing = error.code == ErrorCode::not_found;
  const std::string what =
      error.object.empty() ? error.message : error.object + ": " + error.message;
  return error_response_to(missing ? 404 : 400, what, error.hint);
}

Response no_sample_yet() {
  return error_response_to(503, "memcoord has not sampled the host yet", "try again");
}

Response no_such_domain(const RunState::View& view, const std::string& name) {
  if (!view.sampled) return no_sample_yet();
  std::vector<std::string> names;
  names.reserve(view.sampled->snapshot.domains.size());
  for (const Domain& domain : view.sampled->snapshot.domains) names.push_back(domain.name());
  const auto nearest = suggest_name(name, names);
  const std::string hint = nearest ? "did you mean " + printable(*nearest, 100) + "? " : "";
  return error_response_to(404, "no active domain " + printable(name, 100),
                           hint + "'virsh list --all' lists the domains");
}

std::string query_value(const Request& request, const std::string& name) {
  const auto found = request.query.find(name);
  return found == request.query.end() ? std::string() : found->second;
}

bool wants_text(const Request& request) {
  return query_value(request, "as") == "text";
}

}  // namespace memcoord::control
