// memcoord status, explain, events, pause, resume, policy, reload and dry-run: query and change a
// run through its control socket.

#include <algorithm>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <utility>

#include "engine/cli/commands.h"
#include "engine/cli/help.h"
#include "engine/cli/policy_loader.h"
#include "engine/cli/run_control.h"
#include "engine/cli/run_options.h"
#include "engine/cli/terminal.h"
#include "engine/control/http.h"
#include "engine/observers/events.h"
#include "engine/observers/journal.h"
#include "engine/observers/json.h"

namespace memcoord::cli {
namespace {

namespace fs = std::filesystem;
using control::Request;
using observers::Event;
using observers::Json;

struct ControlOptions {
  std::string socket;
  std::string name;  ///< of the domain or the policy; "on" or "off"
  bool json = false;
  std::optional<Duration> time;  ///< --for, --since
  std::map<std::string, std::string> settings;
  std::string journal;
};
using SharedOptions = std::shared_ptr<ControlOptions>;

// --- Requests ---

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

Result<std::string> response_to(const ControlOptions& options, const Request& request) {
  const fs::path socket = control_socket(options.socket);
  auto response = control::send_request(socket, request);
  if (!response) return fail(response.error());
  if (response->status != 200) return fail(error_in(*response, socket));
  return std::move(response->body);
}

Result<ExitCode> query(const ControlOptions& options, std::string path,
                       std::map<std::string, std::string> parameters = {}) {
  if (!options.json) parameters["as"] = "text";
  const auto body = response_to(options, {"GET", std::move(path), std::move(parameters), {}, {}});
  if (!body) return fail(body.error());
  standard_output().lines(*body);
  return ExitCode::ok;
}

Result<ExitCode> change(const ControlOptions& options, std::string path, const Json& parameters) {
  const auto body = response_to(options, {"POST", std::move(path), {}, parameters.line(), {}});
  if (!body) return fail(body.error());
  const auto response = Json::parse(*body);
  if (!response) return fail(response.error());
  standard_output() << response->at("done").string() << '\n';
  return ExitCode::ok;
}

// --- Actions ---

Result<ExitCode> journal_events(const ControlOptions& options) {
  auto reader = observers::JournalReader::open(options.journal);
  if (!reader) return fail(reader.error());
  observers::EventFinder finder;
  std::vector<Event> events;
  WallTime newest{};
  for (;;) {
    const auto tick = reader->next();
    if (!tick) return fail(tick.error());
    if (!*tick) break;
    newest = std::max(newest, (*tick)->snapshot.wall_time);
    for (Event& event : finder.events_of(**tick)) {
      if (options.name.empty() || event.domain == options.name) events.push_back(std::move(event));
    }
  }
  if (options.time) {
    const WallTime since = newest - std::chrono::floor<WallTime::duration>(*options.time);
    std::erase_if(events, [&](const Event& event) { return event.time < since; });
  }
  TextOut out = standard_output();
  for (const Event& event : events) out << observers::line_of(event, true, true) << '\n';
  return ExitCode::ok;
}

Result<ExitCode> events(const ControlOptions& options) {
  if (!options.journal.empty()) return journal_events(options);
  std::map<std::string, std::string> parameters;
  if (options.time) parameters["seconds"] = std::to_string(seconds_of(*options.time));
  if (!options.name.empty()) parameters["domain"] = options.name;
  return query(options, "/v1/events", std::move(parameters));
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
  const bool is_file =
      options.name.find('/') != std::string::npos || options.name.ends_with(".lua");
  Json settings = Json::object();
  for (const auto& [name, value] : options.settings) settings.set(name, value);
  return change(
      options, "/v1/policy",
      Json::object({{"name", is_file ? fs::absolute(options.name).string() : options.name},
                    {"set", std::move(settings)}}));
}

Result<ExitCode> set_dry_run(const ControlOptions& options) {
  if (options.name != "on" && options.name != "off") {
    return fail(ErrorCode::invalid_input, options.name, "is neither on nor off");
  }
  return change(options, "/v1/dry-run", Json::object({{"on", options.name == "on"}}));
}

// --- Commands ---

Command& add(Command& program, const char* name, const char* description,
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

void add_status_command(Command& program) {
  const auto options = std::make_shared<ControlOptions>();
  Command& command =
      add(program, "status", "Show the state of a run: the host, its domains and problems.",
          options, [options] { return query(*options, "/v1/status"); });
  add_flag(command, {"--json", "print JSON"}, options->json);
}

void add_explain_command(Command& program) {
  const auto options = std::make_shared<ControlOptions>();
  Command& command =
      add(program, "explain",
          "Explain why a domain has the memory that it has: its figures, the policy's proposal, "
          "the guard's decision and the outcome.",
          options, [options] { return query(*options, "/v1/domains/" + options->name); });
  add_domain_argument(command, *options, true);
  add_flag(command, {"--json", "print JSON"}, options->json);
  command.footer = examples_text({{"memcoord explain web", "find out why web gets no memory"}});
}

void add_events_command(Command& program) {
  const auto options = std::make_shared<ControlOptions>();
  Command& command =
      add(program, "events", "List moves, shortages, skipped domains and errors of a run.", options,
          [options] { return events(*options); });
  add_domain_argument(command, *options, false);
  add_option(command, {"--since", "TIME", "only events of the last TIME, such as 8h or 30m"},
             into(options->time, parse_duration));
  add_option(command, {"--journal", "FILE", "read the events from a journal instead"},
             into_text(options->journal));
  add_flag(command, {"--json", "print JSON", "Options", "--journal"}, options->json);
  command.footer = examples_text({
      {"memcoord events --since 8h", "list what happened in the last eight hours"},
      {"memcoord events web --journal ticks.jsonl", "list a domain's events from a journal"},
  });
}

void add_pause_and_resume_commands(Command& program) {
  const auto options = std::make_shared<ControlOptions>();
  Command& pause =
      add(program, "pause", "Skip a domain, or every domain, until it is resumed.", options,
          [options] { return change(*options, "/v1/pause", pause_parameters(*options)); });
  add_domain_argument(pause, *options, false);
  add_option(pause, {"--for", "TIME", "resume after TIME, such as 10m or 2h"},
             into(options->time, parse_duration));
  pause.footer = examples_text({{"memcoord pause web --for 10m", "skip web for ten minutes"}});

  const auto resumed = std::make_shared<ControlOptions>();
  Command& resume =
      add(program, "resume", "Balance a paused domain, or every domain, again.", resumed,
          [resumed] { return change(*resumed, "/v1/resume", pause_parameters(*resumed)); });
  add_domain_argument(resume, *resumed, false);
}

void add_policy_and_reload_commands(Command& program) {
  const auto options = std::make_shared<ControlOptions>();
  Command& policy = add(program, "policy",
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
  policy.footer = examples_text(
      {{"memcoord policy band --set low=120MiB", "change to a bundled policy with a parameter"}});

  const auto reloaded = std::make_shared<ControlOptions>();
  add(program, "reload", "Load the policy of a run again, and open its journal anew.", reloaded,
      [reloaded] { return change(*reloaded, "/v1/reload", Json::object()); });
}

void add_dry_run_command(Command& program) {
  const auto options = std::make_shared<ControlOptions>();
  Command& command =
      add(program, "dry-run",
          "Turn the dry run on, in which a run decides and reports but moves nothing, or off.",
          options, [options] { return set_dry_run(*options); });
  add_argument(command,
               {.names = "STATE", .value = "on|off", .description = "on or off", .required = true},
               options->name);
}

}  // namespace

void add_control_commands(Command& program) {
  add_status_command(program);
  add_explain_command(program);
  add_events_command(program);
  add_pause_and_resume_commands(program);
  add_policy_and_reload_commands(program);
  add_dry_run_command(program);
}

}  // namespace memcoord::cli
