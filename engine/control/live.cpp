#include "engine/control/live.h"

#include <utility>
#include <vector>

#include "engine/control/responses.h"
#include "engine/control/run_problems.h"
#include "engine/core/host_stack.h"
#include "engine/observers/explanation.h"
#include "engine/observers/memory_use.h"
#include "engine/observers/table_view.h"

namespace memcoord::control {
namespace {

using observers::DomainTick;
using observers::Json;

double unix_seconds(WallTime time) {
  return seconds_of(time.time_since_epoch());
}

void set_size(Json& json, const char* name, const std::optional<MemorySize>& size) {
  if (size) json.set(name, size->bytes());
}

Json host_json(const Tick& tick, Duration interval) {
  const Host& host = tick.snapshot.host;
  const HostStack stack = stack_of(tick);
  const HostHeadroom headroom = headroom_at(tick, interval);
  Json json = Json::object({{"memory", host.total.bytes()},
                            {"free", host.free.bytes()},
                            {"used", stack.used.bytes()},
                            {"backed", stack.backed.bytes()},
                            {"unbacked", stack.unbacked.bytes()},
                            {"grantable", stack.grantable.bytes()},
                            {"reserved", stack.reserved.bytes()},
                            {"floor", stack.floor.bytes()},
                            {"uncovered", stack.uncovered.bytes()},
                            {"committed", tick.account.committed.bytes()},
                            {"shortfall", tick.account.shortfall.bytes()},
                            {"reclaimable", tick.account.reclaimable.bytes()},
                            {"held", headroom.reserved.bytes()},
                            {"headroom_10", headroom.within.at(1).bytes()},
                            {"headroom_all", headroom.in_all().bytes()}});
  set_size(json, "available", host.available);
  set_size(json, "swap_free", host.swap_free);
  set_size(json, "budget", tick.limits.host_memory);
  return json;
}

/// A word or two; empty where nothing is wrong. A paused domain is no trouble: an operator paused
/// it.
std::string trouble_word(const DomainTick& about) {
  switch (observers::trouble_of(about)) {
    case observers::Trouble::short_of_memory:
      return "short";
    case observers::Trouble::unreachable:
      if (about.domain.state == DomainState::paused) return {};
      if (about.domain.state != DomainState::running) {
        return std::string(to_text(about.domain.state));
      }
      if (about.move_failed()) return "move failed";
      return about.reports ? "skipped" : "silent";
    case observers::Trouble::none:
      break;
  }
  return {};
}

std::vector<std::string> rule_names(const observers::DomainTick& about) {
  std::vector<std::string> names;
  if (about.decision == nullptr) return names;
  for (const RuleHit& hit : about.decision->rules) names.emplace_back(to_text(hit.rule));
  return names;
}

Json domain_json(const DomainTick& about) {
  const Domain& domain = about.domain;
  Json json = Json::object({{"uuid", domain.uuid().text()},
                            {"name", domain.name()},
                            {"state", to_text(domain.state)},
                            {"weight", domain.settings().weight},
                            {"priority", domain.settings().priority},
                            {"trouble", trouble_word(about)},
                            {"decision", observers::answer_of(about)},
                            {"rules", rule_names(about)},
                            {"skipped", about.skipped ? about.skipped->why : std::string()},
                            {"reporting", about.reports}});
  json.update(sizes_json(about));
  return json;
}

std::vector<DomainTick> domains_of(const RunState::View& view) {
  return observers::domain_ticks(*view.sampled,
                                 [&](const Domain& domain) { return view.earlier(domain); });
}

Json problems_json(const RouteContext& context, const RunState::View& view) {
  Json list = Json::array();
  const WallTime now = context.now();
  for (const Problem& problem : run_problems(view, now, context.interval)) {
    list.push_back(problem.text + since_text(problem.since, now, context.local_time));
  }
  return list;
}

Json run_json(const RouteContext& context, const RunState::View& view) {
  Json paused = Json::array();
  for (const RunState::Paused& one : view.paused) paused.push_back(one.text);
  Json json = Json::object({{"version", context.version},
                            {"connection", context.connection},
                            {"interval_seconds", seconds_of(context.interval)},
                            {"now", unix_seconds(context.now())},
                            {"started_at", unix_seconds(context.started_at)},
                            {"policies", context.policies},
                            {"paused", std::move(paused)},
                            {"problems", problems_json(context, view)},
                            {"tick", Json()},
                            {"host", Json()}});
  if (!view.newest) return json;
  json.set("policy", view.newest->policy);
  json.set("fallback", view.newest->fallback);
  json.set("dry_run", view.newest->dry_run);
  return json;
}

void set_sampled(Json& json, const Tick& tick, const observers::HostVerdict& verdict,
                 Duration interval) {
  json.set("tick", Json::object({{"number", tick.number},
                                 {"time", unix_seconds(tick.snapshot.wall_time)},
                                 {"seconds", seconds_of(tick.timings.total())}}));
  json.set("state", to_text(verdict.state));
  json.set("state_text", verdict.text);
  json.set("host", host_json(tick, interval));
}

}  // namespace

Json sizes_json(const DomainTick& about) {
  const Domain& domain = about.domain;
  const MemorySize target = about.moves() ? about.decision->target : domain.actual;
  Json json = Json::object({{"actual", domain.actual.bytes()},
                            {"maximum", domain.maximum.bytes()},
                            {"target", target.bytes()}});
  set_size(json, "rss", domain.rss);
  if (!about.reports) return json;
  if (const auto use = observers::use_of(domain)) {
    json.set("used", use->used.bytes());
    json.set("cache", use->cache.bytes());
    json.set("free", use->free.bytes());
  }
  set_size(json, "headroom", headroom_of(domain, about.tick.limits.headroom));
  return json;
}

std::optional<Response> LiveRoutes::respond(const Request& request) {
  if (request.path == "/v1/live") return live();
  if (request.path == "/v1/history") return history_response(context_, request);
  if (request.path == "/v1/headroom") return headroom_response(context_, request);
  if (request.path == "/v1/fit") return fit_response(context_, request);
  if (request.path == "/v1/what-if") return what_if_.respond(request);
  return std::nullopt;
}

Response LiveRoutes::live() {
  const RunState::View view = context_.state.view();
  Json run = run_json(context_, view);
  if (!view.sampled) {
    run.set("state_text", "memcoord has not sampled the host yet.");
    run.set("domains", Json::array());
    return json_line_response(run.line());
  }
  const std::lock_guard lock(mutex_);
  evaluate(view);
  set_sampled(run, *view.sampled, verdict_, context_.interval);
  std::string text = run.line();
  text.back() = ',';
  return json_line_response(text + "\"domains\":" + domains_ + "}");
}

void LiveRoutes::evaluate(const RunState::View& view) {
  if (tick_.lock() == view.sampled) return;
  const std::vector<DomainTick> domains = domains_of(view);
  Json list = Json::array();
  for (const DomainTick& about : domains) list.push_back(domain_json(about));
  domains_ = list.line();
  verdict_ = observers::verdict_on(*view.sampled, domains);
  tick_ = view.sampled;
}

}  // namespace memcoord::control
