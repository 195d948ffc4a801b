#include "engine/cli/control_request.h"

#include <utility>

#include "engine/cli/run_control.h"
#include "engine/cli/run_options.h"

namespace memcoord::cli {

Result<std::string> response_to(const ControlOptions& options, const control::Request& request) {
  auto response = control::send_request(control_socket(options.socket), request);
  if (!response) return fail(response.error());
  return control::response_body(*std::move(response));
}

Result<observers::Json> json_response_to(const ControlOptions& options,
                                         const control::Request& request) {
  const auto body = response_to(options, request);
  if (!body) return fail(body.error());
  auto json = observers::Json::parse(*body);
  if (!json || !json->is_object()) return unexpected_response(options);
  return json;
}

tl::unexpected<Error> unexpected_response(const ControlOptions& options) {
  return fail(ErrorCode::internal, control_socket(options.socket).string(),
              "is not a memcoord's control socket: unexpected response");
}

void add_control_option(Command& command, std::string& socket) {
  add_option(command,
             {"--control", "PATH",
              "the run's control socket; default: of the user's own run, otherwise " +
                  std::string(kServiceSocket)},
             into_text(socket));
}

Command& add_control_command(Command& program, const char* name, const char* description,
                             const SharedOptions& options, Action action) {
  Command& command = program.add(name, description, std::move(action));
  add_control_option(command, options->socket);
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
