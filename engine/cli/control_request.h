#pragma once
// What the commands that query and change a run have in common: their options, and requests to the
// run's control socket.

#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "engine/cli/command.h"
#include "engine/cli/past_moment.h"
#include "engine/control/http.h"
#include "engine/core/error.h"
#include "engine/core/time.h"
#include "engine/observers/json.h"

namespace memcoord::cli {

struct ControlOptions {
  std::string socket;
  std::string name;  ///< of the domain or the policy; "on" or "off"
  bool json = false;
  std::optional<Duration> time;     ///< --for, --interval
  std::optional<PastMoment> since;  ///< of events, both
  std::optional<PastMoment> until;
  std::map<std::string, std::string> settings;
  std::string journal;
  bool watch = false;
  bool fallback = false;
};
using SharedOptions = std::shared_ptr<ControlOptions>;

/// The body of the run's response. Errors: those of control::send_request() and of
/// control::response_body().
Result<std::string> response_to(const ControlOptions& options, const control::Request& request);
/// The run's response as a JSON object. Errors: those of response_to(), and of
/// unexpected_response().
Result<observers::Json> json_response_to(const ControlOptions& options,
                                         const control::Request& request);
/// The error for a response that no memcoord gives: the socket is another program's.
tl::unexpected<Error> unexpected_response(const ControlOptions& options);
/// Adds --control PATH.
void add_control_option(Command& command, std::string& socket);
/// Adds a command with --control.
Command& add_control_command(Command& program, const char* name, const char* description,
                             const SharedOptions& options, Action action);
/// Adds the argument DOMAIN.
void add_domain_argument(Command& command, ControlOptions& options, bool required);

/// Adds status, explain and events (query_commands.cpp).
void add_query_commands(Command& program);

}  // namespace memcoord::cli
