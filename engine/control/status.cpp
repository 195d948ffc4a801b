#include <fmt/core.h>

#include <algorithm>

#include "engine/control/routes.h"
#include "engine/core/printable.h"
#include "engine/observers/explanation.h"

namespace memcoord::control {
namespace {

using observers::Json;

struct Problem {
  std::string domain;  ///< empty for a problem of the host or the run
  std::string text;
};

std::vector<Problem> problems_of(const RunState::View& view) {
  std::vector<Problem> problems;
  if (!view.newest) return problems;
  for (const auto* error : {&view.newest->sample_error, &view.newest->policy_error}) {
    if (*error) problems.push_back({"", (*error)->text()});
  }
  if (!view.sampled) return problems;
  for (const Domain& domain : view.sampled->snapshot.domains) {
    std::string text = observers::problem_of(*view.sampled, domain, view.earlier(domain));
    if (!text.empty()) problems.push_back({domain.name(), std::move(text)});
  }
  return problems;
}

std::string host_text(const Tick& tick) {
  const Host& host = tick.snapshot.host;
  const Units units = tick.limits.units;
  return host.total.text(units) + ", " + host.free.text(units) + " free, " +
         (host.available ? host.available->text(units) + " available, " : "") +
         tick.grantable.text(units) + " grantable";
}

std::string domains_text(const Tick& tick) {
  return fmt::format("{}, {} skipped", tick.snapshot.domains.size(), tick.skipped.size());
}

/// A sample's age, never negative: the wall clock may have been set.
double age_of(const Tick& tick, WallTime now) {
  return std::max(0.0, seconds_of(now - tick.snapshot.wall_time));
}

std::string tick_text(const RunState::View& view, WallTime now) {
  const Tick& tick = *view.newest;
  std::string text = std::to_string(tick.number);
  if (!tick.sample_error) text += fmt::format(", {:.1f} s ago", age_of(tick, now));
  return text + fmt::format(", took {:.0f} ms", seconds_of(tick.timings.total()) * 1000);
}

void add_status_line(std::string& text, const char* label, const std::string& line) {
  text += fmt::format("{:<10}{}\n", label, printable(line));
}

}  // namespace

std::string status_text(const RouteContext& context) {
  const RunState::View view = context.state.view();
  const WallTime now = context.now();
  std::string text = fmt::format("memcoord {} on {}, a tick every {:g} s, running for {}\n",
                                 context.version, context.connection, seconds_of(context.interval),
                                 observers::duration_text(now - context.started_at));
  if (!view.newest) return text + "no tick has ended yet\n";
  add_status_line(
      text, "policy",
      view.newest->policy + (view.newest->dry_run ? ", dry run: nothing is moved" : ""));
  add_status_line(text, "tick", tick_text(view, now));
  if (view.sampled) {
    add_status_line(text, "host", host_text(*view.sampled));
    add_status_line(text, "domains", domains_text(*view.sampled));
  }
  for (const RunState::Paused& paused : view.paused) add_status_line(text, "paused", paused.text);
  const std::vector<Problem> problems = problems_of(view);
  for (const Problem& problem : problems) {
    add_status_line(text, &problem == &problems.front() ? "problems" : "",
                    problem.domain.empty() ? problem.text : problem.domain + ": " + problem.text);
  }
  if (problems.empty()) add_status_line(text, "problems", "none");
  return text;
}

Json status_json(const RouteContext& context) {
  const RunState::View view = context.state.view();
  const WallTime now = context.now();
  Json out = Json::object({{"version", context.version},
                           {"connection", context.connection},
                           {"interval_s", seconds_of(context.interval)},
                           {"running_s", seconds_of(now - context.started_at)},
                           {"ready", view.sampled != nullptr}});
  if (!view.newest) return out;
  out.set("policy", view.newest->policy);
  out.set("dry_run", view.newest->dry_run);
  out.set("tick", view.newest->number);
  if (view.sampled) {
    const Tick& tick = *view.sampled;
    const Host& host = tick.snapshot.host;
    out.set("age_s", age_of(tick, now));
    out.set("host",
            Json::object({{"total_kib", host.total.kib()},
                          {"free_kib", host.free.kib()},
                          {"available_kib", host.available ? Json(host.available->kib()) : Json()},
                          {"grantable_kib", tick.grantable.kib()}}));
    out.set("domains", tick.snapshot.domains.size());
    out.set("skipped", tick.skipped.size());
  }
  Json paused = Json::array();
  for (const RunState::Paused& one : view.paused) paused.push_back(one.text);
  out.set("paused", std::move(paused));
  Json problems = Json::array();
  for (const Problem& problem : problems_of(view)) {
    problems.push_back(
        Json::object({{"domain", problem.domain.empty() ? Json() : Json(problem.domain)},
                      {"text", problem.text}}));
  }
  out.set("problems", std::move(problems));
  return out;
}

}  // namespace memcoord::control
