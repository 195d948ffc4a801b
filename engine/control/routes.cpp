#include "engine/control/routes.h"

#include <fmt/core.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <exception>
#include <future>
#include <mutex>

#include "engine/control/live.h"
#include "engine/control/peer.h"
#include "engine/control/reserve_routes.h"
#include "engine/control/responses.h"
#include "engine/core/printable.h"
#include "engine/observers/amounts.h"
#include "engine/observers/explanation.h"
#include "engine/observers/tick_json.h"

namespace memcoord::control {
namespace {

using observers::Event;
using observers::Json;

constexpr std::string_view kDomains = "/v1/domains/";
constexpr std::chrono::seconds kLongestWait{1};
constexpr double kMaxSeconds = 366 * 24 * 3600.0;

// --- Requests and responses ---

/// The response to a change that is queued.
Response done_response(const std::string& text) {
  return json_response(Json::object({{"done", text}}));
}

std::optional<double> number_in(const std::string& text) {
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size() || !std::isfinite(number)) return {};
  return number;
}

/// The body of a POST: an object, or nothing.
Result<Json> body_of(const Request& request) {
  if (request.body.empty()) return Json::object();
  auto body = Json::parse(request.body);
  if (body && body->is_object()) return body;
  return fail(ErrorCode::invalid_input, "", "the request's body is not a JSON object");
}

/// No error message shows a user what a file holds that only memcoord may read.
files::Readable readable_for(const std::optional<Peer>& peer) {
  const bool trusted = peer && (peer->user == 0 || peer->user == ::geteuid());
  return trusted ? files::Readable::by_memcoord : files::Readable::by_everyone;
}

// --- GET ---

std::string explanation_text(const observers::Explanation& explanation,
                             const std::vector<Event>& events, bool local_time) {
  std::string text = printable(explanation.name + "  " + explanation.state) + "\n" +
                     printable(explanation.answer) + "\n\n";
  const auto add = [&](const char* label, const std::string& line) {
    if (!line.empty()) text += fmt::format("{:<11}{}\n", label, printable(line));
  };
  const auto add_all = [&](const char* label, const std::vector<std::string>& lines) {
    for (const std::string& line : lines) add(&line == &lines.front() ? label : "", line);
  };
  add_all("figures", explanation.figures);
  add("policy", explanation.policy);
  add_all("guard", explanation.guard);
  add("outcome", explanation.outcome);
  add("next move", explanation.next_move);
  std::vector<std::string> lines;
  lines.reserve(events.size());
  for (const Event& event : events) {
    const std::string kind(to_text(event.kind));
    const std::string clause = event.text.starts_with(kind) ? event.text : kind + ": " + event.text;
    lines.push_back(observers::time_text(event.time, local_time, false) + "  " + clause);
  }
  add_all("events", lines);
  return text;
}

Json events_json(const std::vector<Event>& events) {
  Json list = Json::array();
  for (const Event& event : events) list.push_back(observers::event_json(event));
  return list;
}

Response list_domains(const RouteContext& context) {
  Json names = Json::array();
  if (const RunState::View view = context.state.view(); view.sampled) {
    for (const Domain& domain : view.sampled->snapshot.domains) names.push_back(domain.name());
  }
  return json_response(names);
}

Response explain_domain(const RouteContext& context, const Request& request) {
  constexpr std::ptrdiff_t kShownEvents = 8;
  const std::string name = request.path.substr(kDomains.size());
  const RunState::View view = context.state.view();
  const Domain* domain = view.find(name);
  if (domain == nullptr) return no_such_domain(view, name);
  const auto explanation = observers::explain(*view.sampled, *domain, view.earlier(*domain));
  std::vector<Event> events = context.state.events(WallTime(), domain->name());
  if (std::ssize(events) > kShownEvents) events.erase(events.begin(), events.end() - kShownEvents);
  if (wants_text(request)) {
    return text_response(explanation_text(explanation, events, context.local_time));
  }
  return json_response(
      Json::object({{"name", explanation.name},
                    {"uuid", domain->uuid().text()},
                    {"state", explanation.state},
                    {"answer", explanation.answer},
                    {"figures", explanation.figures},
                    {"sizes", sizes_json(observers::domain_tick(*view.sampled, *domain, nullptr))},
                    {"policy", explanation.policy},
                    {"guard", explanation.guard},
                    {"outcome", explanation.outcome},
                    {"next_move", explanation.next_move},
                    {"events", events_json(events)}}));
}

/// The moment that lies as many seconds back as the query says; no value where it says nothing.
/// Errors: invalid_input.
Result<std::optional<WallTime>> moment_in(const Request& request, const char* name, WallTime now) {
  const std::string text = query_value(request, name);
  if (text.empty()) return std::nullopt;
  const auto seconds = number_in(text);
  if (!seconds || *seconds < 0 || *seconds > kMaxSeconds) {
    return fail(ErrorCode::invalid_input, "",
                std::string(name) + "=" + printable(text, 40) + " is not a time in seconds");
  }
  return now - std::chrono::milliseconds(static_cast<std::int64_t>(*seconds * 1000));
}

Response list_events(const RouteContext& context, const Request& request) {
  const WallTime now = context.now();
  const auto from = moment_in(request, "seconds", now);
  if (!from) return error_response_to(400, from.error().message);
  const auto until = moment_in(request, "until", now);
  if (!until) return error_response_to(400, until.error().message);
  const WallTime since = from->value_or(WallTime());
  std::string name = query_value(request, "domain");
  const RunState::View view = context.state.view();
  if (const Domain* domain = name.empty() ? nullptr : view.find(name)) {
    name = domain->name();
  } else if (!name.empty() && context.state.events(WallTime(), name).empty()) {
    return no_such_domain(view, name);
  }
  auto events = context.state.events(since, name);
  if (*until) std::erase_if(events, [&](const Event& event) { return event.time > **until; });
  const WallTime kept = context.state.forgotten_until().value_or(context.started_at);
  const bool complete = since == WallTime() || since >= kept;
  if (!wants_text(request)) {
    return json_response(Json::object({{"since", observers::iso_text(kept)},
                                       {"complete", complete},
                                       {"events", events_json(events)}}));
  }
  std::string text;
  if (!complete) {
    text = "(this run has no events from before " +
           observers::time_text(kept, context.local_time, true) +
           "; a journal may have them: memcoord events --journal FILE)\n";
  }
  for (const std::string& line : observers::lines_of(events, context.local_time)) {
    text += printable(line) + "\n";
  }
  if (events.empty()) text += "(no events" + (name.empty() ? "" : " of " + printable(name)) + ")\n";
  return text_response(std::move(text));
}

/// The newest tick as JSON, which is made once however many clients ask for it.
class NewestTick {
 public:
  Response response(const RouteContext& context) {
    const auto newest = context.state.view().newest;
    if (!newest) return error_response_to(503, "no tick has ended yet", "try again");
    const std::lock_guard lock(mutex_);
    if (tick_ != newest) text_ = observers::to_json_line(*newest);
    tick_ = newest;
    return json_line_response(text_);
  }

 private:
  std::mutex mutex_;
  std::shared_ptr<const Tick> tick_;  // under mutex_
  std::string text_;                  // under mutex_
};

// --- POST ---

/// Why a domain that is not paused is skipped nevertheless; empty if it is not.
std::string other_skip(const RunState::View& view, const Domain& domain) {
  if (domain.settings().exclude) return "it stays excluded by its settings";
  for (const SkippedDomain& skipped : view.sampled->skipped) {
    if (skipped.domain != domain.uuid() || skipped.paused_by_operator()) continue;
    return "it stays skipped: " + skipped.why;
  }
  return {};
}

/// What comes of resuming a domain.
std::string resumed_text(const RouteContext& context, const RunState::View& view,
                         const Domain& domain) {
  const bool was_paused = context.changes.pauses(domain.uuid())
                              .value_or(std::any_of(view.paused.begin(), view.paused.end(),
                                                    [&](const RunState::Paused& paused) {
                                                      return paused.domain == domain.uuid();
                                                    }));
  if (!was_paused) return domain.name() + " was not paused";
  const std::string skip = other_skip(view, domain);
  return domain.name() + (skip.empty() ? " is balanced again" : " is not paused any more; " + skip);
}

Response pause_or_resume(const RouteContext& context, const Request& request, const Json& body,
                         Change::Kind kind) {
  const bool pause = kind == Change::Kind::pause;
  Change change{.kind = kind, .who = name_of(request.peer)};
  if (const auto seconds = body.find("seconds"); seconds && pause) {
    const double number = seconds->number();
    if (!(number > 0) || number > kMaxSeconds) {
      return error_response_to(400, "seconds is out of range");
    }
    change.time = std::chrono::duration_cast<Duration>(std::chrono::duration<double>(number));
  }
  std::string text =
      pause ? "every domain is paused from the next tick on" : "every domain is balanced again";
  if (const auto name = body.find("domain")) {
    const RunState::View view = context.state.view();
    const Domain* domain = view.find(name->string());
    if (domain == nullptr) return no_such_domain(view, name->string());
    const auto is_all = [](const RunState::Paused& paused) { return paused.all; };
    if (!pause && std::any_of(view.paused.begin(), view.paused.end(), is_all)) {
      return error_response_to(409, "every domain is paused", "resume them all");
    }
    change.domain = domain->uuid();
    change.domain_name = domain->name();
    text = pause ? domain->name() + " is paused from the next tick on"
                 : resumed_text(context, view, *domain);
  }
  if (change.time) text += ", for " + observers::set_time_text(*change.time);
  context.changes.push(std::move(change));
  return done_response(text);
}

Response change_policy(const RouteContext& context, const Request& request, const Json& body) {
  const auto name = body.find("name");
  if (!name) return error_response_to(400, "no policy named", R"(send {"name": "band"})");
  std::map<std::string, std::string> settings;
  if (const auto set = body.find("set")) {
    for (const std::string& key : set->names()) settings.emplace(key, set->at(key).string());
  }
  const bool fallback = body.find("fallback") == Json(true);
  Change change{.kind = fallback ? Change::Kind::fallback : Change::Kind::policy,
                .who = name_of(request.peer)};
  if (fallback && name->string() == "none") {
    context.changes.push(std::move(change));
    return done_response("no fallback policy from the next tick on");
  }
  const auto& load = fallback ? context.load_fallback : context.load_policy;
  auto policy = load(name->string(), settings, readable_for(request.peer));
  if (!policy) return error_response_to(policy.error());
  change.policy = *std::move(policy);
  const std::string text =
      fallback ? "policy " + change.policy->name() + " decides if the main policy fails"
               : "policy " + change.policy->name() + " decides from the next tick on";
  context.changes.push(std::move(change));
  return done_response(text);
}

/// A policy that does not load does not keep the journal from being opened anew.
Response reload(const RouteContext& context, const Request& request) {
  Change change{.kind = Change::Kind::reload,
                .who = name_of(request.peer),
                .result = std::make_shared<std::promise<std::string>>()};
  auto policy = context.reload_policy();
  std::optional<Error> error;
  if (policy) {
    change.policy = *std::move(policy);
  } else {
    error = policy.error();
    change.problem = error->text();
  }
  auto result = change.result->get_future();
  context.changes.push(std::move(change));
  const bool made = result.wait_for(context.patience) == std::future_status::ready;
  const std::string text =
      made ? result.get() : "the run reloads after the tick that it is in; see memcoord events";
  if (!error) return done_response(text);
  error->message += "; " + text;
  return error_response_to(*error);
}

Response set_dry_run(const RouteContext& context, const Request& request, const Json& body) {
  const auto on = body.find("on");
  if (!on || (*on != Json(true) && *on != Json(false))) {
    return error_response_to(400, "on is not true or false", R"(send {"on": true})");
  }
  const bool wanted = *on == Json(true);
  context.changes.push({.kind = Change::Kind::dry_run, .on = wanted, .who = name_of(request.peer)});
  return done_response(wanted ? "dry run: nothing is moved from the next tick on"
                              : "balloons are moved from the next tick on");
}

// --- Routes ---

/// What GET answers from, beside the context.
struct Getters {
  explicit Getters(const RouteContext& context) : live(context) {}
  NewestTick newest;
  MetricsRoute metrics;
  LiveRoutes live;
};

Response get(const RouteContext& context, Getters& getters, const Request& request) {
  if (request.path == "/v1/status") {
    return wants_text(request) ? text_response(status_text(context))
                               : json_response(status_json(context));
  }
  if (request.path == "/v1/events") return list_events(context, request);
  if (request.path == "/v1/tick") return getters.newest.response(context);
  if (request.path == "/v1/domains") return list_domains(context);
  if (request.path.starts_with(kDomains)) return explain_domain(context, request);
  if (request.path == "/metrics" && context.metrics) {
    return getters.metrics.respond(context, request);
  }
  if (auto response = getters.live.respond(request)) return *std::move(response);
  if (auto file = context.page ? context.page(request.path) : std::nullopt) return *std::move(file);
  return error_response_to(404, "no such path: " + printable(request.path, 100));
}

Response post(const RouteContext& context, const Request& request) {
  // A page of any site may send changes to a port that is forwarded to the socket. Browsers say so.
  if (request.headers.contains("origin")) {
    return error_response_to(403, "a browser may not change a run", "use memcoord's commands");
  }
  const auto body = body_of(request);
  if (!body) return error_response_to(body.error());
  if (!context.changes.wait_for_room(kLongestWait)) {
    return error_response_to(503, "memcoord has not made the changes before this one yet",
                             "try again");
  }
  if (request.path == "/v1/pause") {
    return pause_or_resume(context, request, *body, Change::Kind::pause);
  }
  if (request.path == "/v1/resume") {
    return pause_or_resume(context, request, *body, Change::Kind::resume);
  }
  if (request.path == "/v1/policy") return change_policy(context, request, *body);
  if (request.path == "/v1/reload") return reload(context, request);
  if (request.path == "/v1/dry-run") return set_dry_run(context, request, *body);
  if (request.path == "/v1/reserve") return reserve_response(context, request, *body);
  if (request.path == "/v1/release") return release_response(context, request, *body);
  return error_response_to(404, "no such path for POST: " + printable(request.path, 100));
}

}  // namespace

Handler make_handler(const RouteContext& context) {
  return [&context, getters = std::make_shared<Getters>(context)](const Request& request) {
    try {
      if (request.method == "GET" || request.method == "HEAD") {
        return get(context, *getters, request);
      }
      if (request.method == "POST") return post(context, request);
      return error_response_to(405, "no such method: " + printable(request.method, 20),
                               "use GET or POST");
    } catch (const std::exception& exception) {
      // A member of the wrong kind; the message says which.
      return error_response_to(400, printable(exception.what(), 200));
    }
  };
}

}  // namespace memcoord::control
