#pragma once
// Requests taken apart, and responses put together: what the routes share.

#include <string>

#include "engine/control/http.h"
#include "engine/control/run_state.h"
#include "engine/core/error.h"
#include "engine/observers/json.h"

namespace memcoord::control {

/// Indented, for people and programs.
Response json_response(const observers::Json& json, int status = 200);
/// On one line, for programs that ask often. `line` has no line end.
Response json_line_response(std::string line);
Response text_response(std::string text);
/// {"error": ..., "hint": ...}; without a hint if that is empty.
Response error_response_to(int status, const std::string& error, const std::string& hint = {});
/// The status is 404 for ErrorCode::not_found, otherwise 400.
Response error_response_to(const Error& error);
/// 404 with the nearest name, or 503 before the first sample.
Response no_such_domain(const RunState::View& view, const std::string& name);
/// 503: there is nothing to answer from yet.
Response no_sample_yet();

/// A parameter of the query; empty without it.
std::string query_value(const Request& request, const std::string& name);
/// Whether the request has as=text.
bool wants_text(const Request& request);

}  // namespace memcoord::control
