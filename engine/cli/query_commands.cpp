// memcoord status, explain and events: query a run through its control socket.

#include <algorithm>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/cli/control_request.h"
#include "engine/cli/help.h"
#include "engine/cli/journal_reading.h"
#include "engine/cli/run_loop.h"
#include "engine/cli/run_output.h"
#include "engine/cli/system_time.h"
#include "engine/cli/terminal.h"
#include "engine/observers/events.h"
#include "engine/observers/json.h"

namespace memcoord::cli {
namespace {

using observers::Event;
using observers::Json;

// --- Actions ---

Result<ExitCode> query(const ControlOptions& options, std::string path,
                       std::map<std::string, std::string> parameters = {}) {
  if (!options.json) parameters["as"] = "text";
  const auto body = response_to(options, {"GET", std::move(path), std::move(parameters), {}, {}});
  if (!body) return fail(body.error());
  standard_output().lines(*body);
  return ExitCode::ok;
}

/// Draws a text over the one before it, as far as the terminal has room.
void redraw(std::string_view text, const TerminalSize& size) {
  TextOut out = standard_output();
  out.control("\x1b[H");
  for (int line = 1; line < size.lines && !text.empty(); ++line) {
    const std::size_t end = text.find('\n');
    out << fit(text.substr(0, end), static_cast<std::size_t>(size.columns), speaks_utf8());
    out.control("\x1b[K") << '\n';
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  }
  out.control("\x1b[J").flush();
}

/// Prints the status until a signal ends it: in place on a terminal, otherwise one after the other.
Result<ExitCode> watch_status(const ControlOptions& options) {
  constexpr Duration kDefaultWatch = std::chrono::seconds(2);
  const auto signals = Signals::listen();
  if (!signals) return fail(signals.error());
  std::map<std::string, std::string> parameters;
  if (!options.json) parameters["as"] = "text";
  while (!(*signals)->stop_requested() && !RunOutput::reader_is_gone()) {
    const auto body = response_to(options, {"GET", "/v1/status", parameters, {}, {}});
    if (!body) return fail(body.error());
    if (options.json) {
      const auto status = Json::parse(*body);
      if (!status) return unexpected_response(options);
      standard_output().lines(status->line()) << '\n';
    } else if (const auto size = terminal_size()) {
      redraw(*body, *size);
    } else {
      standard_output().lines(*body) << '\n';
    }
    standard_output().flush();
    (*signals)->wait_for(options.time.value_or(kDefaultWatch));
    (void)(*signals)->consume_reload();
  }
  return ExitCode::ok;
}

Result<ExitCode> status(const ControlOptions& options) {
  if (options.watch) return watch_status(options);
  if (options.time) return fail(ErrorCode::invalid_input, "--interval", "needs --watch");
  return query(options, "/v1/status");
}

void print_events(const std::vector<Event>& events, bool json) {
  for (std::size_t i = 0; json && i < events.size(); ++i) {
    standard_output().lines(observers::event_json(events[i]).line()) << '\n';
  }
  if (json) return;
  for (const std::string& line : observers::lines_of(events, true)) {
    standard_output() << line << '\n';
  }
}

/// Reads the events of a journal: of one domain, or of all.
class JournalEvents {
 public:
  /// `domain` is a name, a UUID, or empty.
  explicit JournalEvents(std::string domain) : domain_(std::move(domain)) {}

  void add(const Tick& tick) {
    newest_ = std::max(newest_, tick.snapshot.wall_time);
    if (!domain_.empty()) {
      for (const Domain& domain : tick.snapshot.domains) {
        const bool is_meant = domain.name() == domain_ || domain.uuid().text() == domain_;
        if (is_meant) names_.insert(domain.name());
      }
    }
    for (Event& event : finder_.events_of(tick)) {
      if (domain_.empty() || names_.contains(event.domain)) events_.push_back(std::move(event));
    }
  }
  [[nodiscard]] bool knows_domain() const { return domain_.empty() || !names_.empty(); }
  [[nodiscard]] WallTime newest() const { return newest_; }
  std::vector<Event> within(const TimeSpan& span) && {
    std::erase_if(events_, [&](const Event& event) { return !span.has(event.time); });
    return std::move(events_);
  }

 private:
  std::string domain_;
  std::set<std::string> names_;
  observers::EventFinder finder_;
  std::vector<Event> events_;
  WallTime newest_{};
};

Result<ExitCode> journal_events(const ControlOptions& options) {
  JournalEvents found(options.name);
  const Status read = read_journals({options.journal}, [&](const Tick& tick) {
    found.add(tick);
    return true;
  });
  if (!read) return fail(read.error());
  if (!found.knows_domain()) {
    return fail(ErrorCode::not_found, options.journal, "has no domain " + options.name);
  }
  const auto span = time_span(options.since, options.until, found.newest());
  if (!span) return fail(span.error());
  const std::vector<Event> events = std::move(found).within(*span);
  print_events(events, options.json);
  if (events.empty() && !options.json) {
    standard_output() << "(no events" << (options.name.empty() ? "" : " of " + options.name) << ")"
                      << '\n';
  }
  return ExitCode::ok;
}

/// The run's events as lines of JSON, as journal_events() prints them.
Result<ExitCode> run_events_as_json(const ControlOptions& options,
                                    const std::map<std::string, std::string>& parameters) {
  const auto response = json_response_to(options, {"GET", "/v1/events", parameters, {}, {}});
  if (!response) return fail(response.error());
  const auto events = response->find("events");
  const auto since = response->find("since");
  if (!events || !events->is_array() || !since || !since->is_string()) {
    return unexpected_response(options);
  }
  for (const Json& event : events->items()) standard_output().lines(event.line()) << '\n';
  if (response->find("complete") == Json(false)) {
    standard_error() << "memcoord: this run has no events from before " << since->string()
                     << "; a journal may have them: memcoord events --journal FILE" << '\n';
  }
  return ExitCode::ok;
}

Result<ExitCode> events(const ControlOptions& options) {
  if (!options.journal.empty()) return journal_events(options);
  std::map<std::string, std::string> parameters;
  const WallTime now = system_wall_time();
  const auto span = time_span(options.since, options.until, now);
  if (!span) return fail(span.error());
  if (span->since) {
    const double age = seconds_of(now - *span->since);
    if (age <= 0) return fail(ErrorCode::invalid_input, "--since", "is in the future");
    parameters["seconds"] = std::to_string(age);
  }
  if (span->until && *span->until < now) {
    parameters["until"] = std::to_string(seconds_of(now - *span->until));
  }
  if (!options.name.empty()) parameters["domain"] = options.name;
  if (options.json) return run_events_as_json(options, parameters);
  return query(options, "/v1/events", std::move(parameters));
}

// --- Commands ---

void add_status_command(Command& program) {
  const auto options = std::make_shared<ControlOptions>();
  Command& command = add_control_command(
      program, "status",
      "Show the state of a run: the host, its domains, those with a problem first.", options,
      [options] { return status(*options); });
  add_flag(command, {"--json", "print JSON"}, options->json);
  add_flag(command, {"-w,--watch", "print the status again and again, until Ctrl-C"},
           options->watch);
  add_option(command, {"-i,--interval", "TIME", "with --watch: the time in between; default 2s"},
             into(options->time, parse_duration));
  command.footer = examples_text({{"memcoord status --watch", "follow the state of a run"}});
}

void add_explain_command(Command& program) {
  const auto options = std::make_shared<ControlOptions>();
  Command& command = add_control_command(
      program, "explain",
      "Explain why a domain has the memory that it has: its figures, the policy's proposal, "
      "the guard's decision and the outcome.",
      options, [options] { return query(*options, "/v1/domains/" + options->name); });
  add_domain_argument(command, *options, true);
  add_flag(command, {"--json", "print JSON"}, options->json);
  command.footer = examples_text({{"memcoord explain web", "find out why web gets no memory"}});
}

void add_events_command(Command& program) {
  const auto options = std::make_shared<ControlOptions>();
  Command& command = add_control_command(
      program, "events", "List moves, shortages, skipped domains and errors of a run.", options,
      [options] { return events(*options); });
  add_domain_argument(command, *options, false);
  add_option(
      command,
      {"--since", "TIME",
       "only events from TIME on: a time of day (22:00), a date and time (\"2026-01-31 "
       "22:00\"), or a span before now (8h, 7d); with --journal: before the journal's newest "
       "tick"},
      into(options->since, parse_past_moment));
  add_option(command,
             {"--until", "TIME", "only events up to TIME; --since then counts back from there"},
             into(options->until, parse_past_moment));
  add_option(command,
             {"--journal", "PATH", "read the events from a journal instead, a file or a folder"},
             into_text(options->journal));
  add_flag(command, {"--json", "print a line of JSON an event"}, options->json);
  command.footer = examples_text({
      {"memcoord events --since 22:00", "list what happened since ten in the evening"},
      {"memcoord events --since 22:00 --until 06:00 --journal ticks.jsonl",
       "list what happened in the night"},
      {"memcoord events web --journal ticks.jsonl", "list a domain's events from a journal"},
  });
}

}  // namespace

void add_query_commands(Command& program) {
  add_status_command(program);
  add_explain_command(program);
  add_events_command(program);
}

}  // namespace memcoord::cli
