#include "engine/cli/control_request.h"

#include <utility>

#include "engine/cli/run_control.h"
#include "engine/cli/run_options.h"
#include "engine/observers/json.h"

namespace memcoord::cli {
namespace {

namespace fs = std::filesystem;
using control::Request;
using observers::Json;

/// The error in a response that is not the status 200.
Error error_in(const control::Response& response, const fs::path& socket) {
  const ErrorCode code = response.status < 500 ? ErrorCode::invalid_input : ErrorCode::unavailable;
  const auto body = Json::parse(response.body);
  if (!body || !body->is_object()) {
    return {ErrorCode::internal,
            socket.string(),
            "unexpected response, status " + std::to_string(response.status),
            "",
            {}};
  }
  Error error{code, "", "", "", {}};
  for (const std::string& name : body->names()) {
    if (name == "error") error.message = body->at(name).string();
    if (name == "hint") error.hint = body->at(name).string();
  }
  return error;
}

}  // namespace

Result<std::string> response_to(const ControlOptions& options, const Request& request) {
  const fs::path socket = control_socket(options.socket);
  auto response = control::send_request(socket, request);
  if (!response) return fail(response.error());
  if (response->status != 200) return fail(error_in(*response, socket));
  return std::move(response->body);
}

Command& add_control_command(Command& program, const char* name, const char* description,
                             const SharedOptions& options, Action action) {
  Command& command = program.add(name, description, std::move(action));
  add_option(command,
             {"--control", "PATH",
              "the run's control socket; default: of the user's own run, otherwise " +
                  std::string(kServiceSocket)},
             into_text(options->socket));
  return command;
}

void add_domain_argument(Command& command, ControlOptions& options, bool required) {
  add_argument(command,
               {.names = "DOMAIN",
                .value = "DOMAIN",
                .description = required ? "the domain's name or UUID"
                                        : "a domain's name or UUID; default: every domain",
                .required = required},
               options.name);
}

}  // namespace memcoord::cli
