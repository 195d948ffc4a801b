// memcoord pause, resume, policy, reload and dry-run: change a run through its control socket.

#include <filesystem>
#include <memory>
#include <utility>

#include "engine/cli/commands.h"
#include "engine/cli/control_request.h"
#include "engine/cli/help.h"
#include "engine/cli/policy_loader.h"
#include "engine/cli/run_control.h"
#include "engine/cli/terminal.h"
#include "engine/observers/json.h"

namespace memcoord::cli {
namespace {

namespace fs = std::filesystem;
using observers::Json;

// --- Actions ---

Result<ExitCode> change(const ControlOptions& options, std::string path, const Json& parameters) {
  const auto body = response_to(options, {"POST", std::move(path), {}, parameters.line(), {}});
  if (!body) return fail(body.error());
  const auto done = control::done_text(*body, control_socket(options.socket));
  if (!done) return fail(done.error());
  standard_output() << *done << '\n';
  return ExitCode::ok;
}

/// The domain and the time, as far as given.
Json pause_parameters(const ControlOptions& options) {
  Json parameters = Json::object();
  if (!options.name.empty()) parameters.set("domain", options.name);
  if (options.time) parameters.set("seconds", seconds_of(*options.time));
  return parameters;
}

Result<ExitCode> change_policy(const ControlOptions& options) {
  // The run has another working directory.
  const std::string policy =
      is_path(options.name) ? fs::absolute(options.name).string() : options.name;
  Json settings = Json::object();
  for (const auto& [name, value] : options.settings) settings.set(name, value);
  return change(
      options, "/v1/policy",
      Json::object(
          {{"name", policy}, {"set", std::move(settings)}, {"fallback", options.fallback}}));
}

Result<ExitCode> set_dry_run(const ControlOptions& options) {
  if (options.name != "on" && options.name != "off") {
    return fail(ErrorCode::invalid_input, options.name, "is neither on nor off");
  }
  return change(options, "/v1/dry-run", Json::object({{"on", options.name == "on"}}));
}

// --- Commands ---

void add_pause_and_resume_commands(Command& program) {
  const auto options = std::make_shared<ControlOptions>();
  Command& pause = add_control_command(
      program, "pause", "Skip a domain, or every domain, until it is resumed.", options,
      [options] { return change(*options, "/v1/pause", pause_parameters(*options)); });
  add_domain_argument(pause, *options, false);
  add_option(pause, {"--for", "TIME", "resume after TIME, such as 10m or 2h"},
             into(options->time, parse_duration));
  pause.footer = examples_text({{"memcoord pause web --for 10m", "skip web for ten minutes"}});

  const auto resumed = std::make_shared<ControlOptions>();
  Command& resume = add_control_command(
      program, "resume", "Balance a paused domain, or every domain, again.", resumed,
      [resumed] { return change(*resumed, "/v1/resume", pause_parameters(*resumed)); });
  add_domain_argument(resume, *resumed, false);
}

void add_policy_and_reload_commands(Command& program) {
  const auto options = std::make_shared<ControlOptions>();
  Command& policy =
      add_control_command(program, "policy",
                          "Change the policy of a run. A policy that cannot be loaded changes "
                          "nothing.",
                          options, [options] { return change_policy(*options); });
  add_argument(policy,
               {.names = "POLICY",
                .value = "FILE|NAME",
                .description = "a Lua file, or a bundled policy",
                .required = true},
               options->name);
  add_set_option(policy, options->settings);
  add_flag(policy,
           {"--fallback",
            "change the policy that decides while the main one fails; POLICY none: no policy does"},
           options->fallback);
  policy.footer = examples_text(
      {{"memcoord policy band --set low=120MiB", "change to a bundled policy with a parameter"},
       {"memcoord policy gradual --fallback", "let gradual decide while the policy fails"}});

  const auto reloaded = std::make_shared<ControlOptions>();
  add_control_command(program, "reload",
                      "Load the policy of a run again, and open its journal anew.", reloaded,
                      [reloaded] { return change(*reloaded, "/v1/reload", Json::object()); });
}

void add_dry_run_command(Command& program) {
  const auto options = std::make_shared<ControlOptions>();
  Command& command = add_control_command(
      program, "dry-run",
      "Turn the dry run on, in which a run decides and reports but moves nothing, or off.", options,
      [options] { return set_dry_run(*options); });
  add_argument(command,
               {.names = "STATE", .value = "on|off", .description = "on or off", .required = true},
               options->name);
}

}  // namespace

void add_control_commands(Command& program) {
  add_query_commands(program);
  add_pause_and_resume_commands(program);
  add_policy_and_reload_commands(program);
  add_dry_run_command(program);
}

}  // namespace memcoord::cli
