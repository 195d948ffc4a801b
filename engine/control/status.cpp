#include <fmt/core.h>

#include <algorithm>

#include "engine/control/routes.h"
#include "engine/control/run_problems.h"
#include "engine/core/printable.h"
#include "engine/core/reserve_book.h"
#include "engine/core/text_table.h"
#include "engine/observers/amounts.h"
#include "engine/observers/events.h"
#include "engine/observers/table_view.h"
#include "engine/observers/tick_json.h"

namespace memcoord::control {
namespace {

using observers::Json;

/// A domain of the newest sample, and its problem.
struct DomainStatus {
  const Domain* domain = nullptr;
  bool reports = true;
  std::string problem;  ///< empty if it has none
  std::optional<WallTime> since;
};

/// Since when a domain has its problem, if that is known.
std::optional<WallTime> since_of(const observers::DomainTick& about, const RunState::View& view) {
  const bool is_hung = about.domain.state == DomainState::hung;
  if (about.is_short || is_hung) return view.since->of(about.domain);
  const bool awaits_report = about.skipped && about.skipped->rule == Rule::fresh_stats;
  if (about.reports || !awaits_report) return std::nullopt;
  return about.domain.guest.last_update;
}

/// The domains by name, those with a problem first.
std::vector<DomainStatus> domain_statuses(const RunState::View& view) {
  std::vector<DomainStatus> statuses;
  if (!view.sampled) return statuses;
  const auto earlier = [&](const Domain& domain) { return view.earlier(domain); };
  for (const observers::DomainTick& about : observers::domain_ticks(*view.sampled, earlier)) {
    DomainStatus status{&about.domain, about.reports, observers::trouble_text(about), {}};
    if (!status.problem.empty()) status.since = since_of(about, view);
    statuses.push_back(std::move(status));
  }
  std::stable_partition(statuses.begin(), statuses.end(),
                        [](const DomainStatus& status) { return !status.problem.empty(); });
  return statuses;
}

std::string host_text(const Tick& tick) {
  const Host& host = tick.snapshot.host;
  const Units units = tick.limits.units;
  const MemorySize reserved = reserved_in(tick.snapshot);
  return host.total.text(units) + ", " + host.free.text(units) + " free, " +
         (host.available ? host.available->text(units) + " available, " : "") +
         tick.grantable.text(units) + " grantable" +
         (reserved.is_zero() ? ""
                             : ", " + reserved.text(units) + " reserved for guests that start");
}

std::string domains_text(const Tick& tick, const std::vector<DomainStatus>& domains) {
  const auto in_trouble = std::count_if(domains.begin(), domains.end(),
                                        [](const auto& status) { return !status.problem.empty(); });
  std::string text = fmt::format("{}, {} skipped", domains.size(), tick.skipped.size());
  return in_trouble == 0 ? text : text + fmt::format(", {} with a problem", in_trouble);
}

/// A sample's age, never negative: the wall clock may have been set.
double age_of(const Tick& tick, WallTime now) {
  return std::max(0.0, seconds_of(now - tick.snapshot.wall_time));
}

std::string tick_text(const RunState::View& view, WallTime now) {
  const Tick& tick = *view.newest;
  std::string text = std::to_string(tick.number);
  if (!tick.sample_error) text += fmt::format(", {:.1f} s ago", age_of(tick, now));
  text += fmt::format(", took {:.0f} ms", seconds_of(tick.timings.total()) * 1000);
  return tick.again ? text + ", asks for an early one" : text;
}

std::string since_text(const std::optional<WallTime>& since, const RouteContext& context) {
  return control::since_text(since, context.now(), context.local_time);
}

std::string policy_text(const RunState::View& view, const RouteContext& context) {
  const Tick& tick = *view.newest;
  std::string text = tick.policy;
  if (!tick.fallback.empty()) {
    text += "; it fails, and the fallback policy " + tick.fallback + " decides" +
            since_text(view.since->fallback, context);
  } else if (!view.fallback.empty()) {
    text += ", fallback " + view.fallback;
  }
  return text + (tick.dry_run ? "; dry run: nothing is moved" : "");
}

/// Of the newest report; none if that is old.
std::optional<MemorySize> headroom_in(const DomainStatus& status, const Limits& limits) {
  if (!status.reports) return std::nullopt;
  return headroom_of(*status.domain, limits.headroom);
}

std::string headroom_text(const DomainStatus& status, const Limits& limits) {
  const auto headroom = headroom_in(status, limits);
  return headroom ? headroom->text(limits.units) : "-";
}

std::string domain_table(const Tick& tick, const std::vector<DomainStatus>& domains,
                         const RouteContext& context) {
  if (domains.empty()) return {};
  using Align = TextTable::Align;
  TextTable table(
      {{"DOMAIN"}, {"STATE"}, {"ACTUAL", Align::right}, {"HEADROOM", Align::right}, {"PROBLEM"}});
  for (const DomainStatus& status : domains) {
    const Domain& domain = *status.domain;
    table.add_row({printable(domain.name()), std::string(to_text(domain.state)),
                   domain.actual.text(tick.limits.units), headroom_text(status, tick.limits),
                   printable(status.problem + since_text(status.since, context))});
  }
  return "\n" + table.text(false);
}

void add_status_line(std::string& text, const char* label, const std::string& line) {
  text += fmt::format("{:<10}{}\n", label, printable(line));
}

Json time_json(const std::optional<WallTime>& time) {
  return time ? Json(observers::iso_text(*time)) : Json();
}

Json domains_json(const Tick& tick, const std::vector<DomainStatus>& domains) {
  Json list = Json::array();
  for (const DomainStatus& status : domains) {
    const Domain& domain = *status.domain;
    const auto headroom = headroom_in(status, tick.limits);
    list.push_back(
        Json::object({{"name", domain.name()},
                      {"uuid", domain.uuid().text()},
                      {"state", to_text(domain.state)},
                      {"actual_kib", domain.actual.kib()},
                      {"headroom_kib", headroom ? Json(headroom->kib()) : Json()},
                      {"problem", status.problem.empty() ? Json() : Json(status.problem)},
                      {"since", time_json(status.since)}}));
  }
  return list;
}

Json all_problems_json(const RunState::View& view, const std::vector<DomainStatus>& domains,
                       const RouteContext& context) {
  std::vector<Problem> problems = run_problems(view, context.now(), context.interval);
  for (const DomainStatus& status : domains) {
    if (status.problem.empty()) continue;
    problems.push_back({status.domain->name(), status.problem, status.since});
  }
  Json list = Json::array();
  for (const Problem& problem : problems) {
    list.push_back(Json::object({{"domain", problem.domain.empty() ? Json() : Json(problem.domain)},
                                 {"text", problem.text},
                                 {"since", time_json(problem.since)}}));
  }
  return list;
}

}  // namespace

std::string status_text(const RouteContext& context) {
  const RunState::View view = context.state.view();
  const WallTime now = context.now();
  std::string text = fmt::format(
      "memcoord {} on {}, a tick every {}, running for {}{}\n", context.version, context.connection,
      observers::set_time_text(context.interval),
      observers::duration_text(now - context.started_at), since_text(context.started_at, context));
  if (!view.newest) return text + "no tick has ended yet\n";
  const std::vector<DomainStatus> domains = domain_statuses(view);
  add_status_line(text, "policy", policy_text(view, context));
  add_status_line(text, "tick", tick_text(view, now));
  if (view.sampled) {
    add_status_line(text, "host", host_text(*view.sampled));
    add_status_line(text, "domains", domains_text(*view.sampled, domains));
  }
  for (const RunState::Paused& paused : view.paused) add_status_line(text, "paused", paused.text);
  const std::vector<Problem> problems = run_problems(view, context.now(), context.interval);
  for (const Problem& problem : problems) {
    add_status_line(text, &problem == &problems.front() ? "problems" : "",
                    problem.text + since_text(problem.since, context));
  }
  const bool all_well = problems.empty() && (domains.empty() || domains.front().problem.empty());
  if (all_well) add_status_line(text, "problems", "none");
  return view.sampled ? text + domain_table(*view.sampled, domains, context) : text;
}

Json status_json(const RouteContext& context) {
  const RunState::View view = context.state.view();
  const WallTime now = context.now();
  Json out = Json::object({{"version", context.version},
                           {"connection", context.connection},
                           {"interval_s", seconds_of(context.interval)},
                           {"started", observers::iso_text(context.started_at)},
                           {"running_s", seconds_of(now - context.started_at)},
                           {"ready", view.sampled != nullptr}});
  if (!view.newest) return out;
  const std::vector<DomainStatus> domains = domain_statuses(view);
  out.set("policy", view.newest->policy);
  out.set("fallback", view.fallback.empty() ? Json() : Json(view.fallback));
  out.set("fallback_decides", !view.newest->fallback.empty());
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
                          {"grantable_kib", tick.grantable.kib()},
                          {"reserved_kib", reserved_in(tick.snapshot).kib()}}));
    out.set("domain_count", domains.size());
    out.set("skipped_count", tick.skipped.size());
    out.set("domains", domains_json(tick, domains));
  }
  Json paused = Json::array();
  for (const RunState::Paused& one : view.paused) paused.push_back(one.text);
  out.set("paused", std::move(paused));
  out.set("problems", all_problems_json(view, domains, context));
  return out;
}

}  // namespace memcoord::control
