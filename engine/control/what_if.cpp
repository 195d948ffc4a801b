#include "engine/control/what_if.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "engine/control/responses.h"
#include "engine/core/names.h"
#include "engine/core/printable.h"
#include "engine/core/recorded_tick.h"
#include "engine/observers/explanation.h"
#include "engine/observers/shortage.h"

namespace memcoord::control {
namespace {

using observers::DomainTick;
using observers::Json;

/// The tick as it would have been, up to the guard's decisions.
Tick with_decisions(const Tick& tick, const std::string& policy, Reconsideration result) {
  Tick other = tick;
  other.policy = policy;
  other.fallback.clear();
  other.proposals = std::move(result.proposals);
  other.decisions = std::move(result.decisions);
  other.policy_error = std::move(result.policy_error);
  other.outcomes.clear();
  other.late_outcomes.clear();
  return other;
}

MemorySize size_after(const DomainTick& about) {
  return about.decision ? about.decision->target : about.domain.actual;
}

Json both_decisions(const DomainTick& decided, const DomainTick& instead) {
  return Json::object({{"uuid", decided.domain.uuid().text()},
                       {"name", decided.domain.name()},
                       {"decided", observers::answer_of(decided)},
                       {"instead", observers::answer_of(instead)},
                       {"from", decided.domain.actual.bytes()},
                       {"decided_to", size_after(decided).bytes()},
                       {"instead_to", size_after(instead).bytes()}});
}

/// The policy that decided on the tick.
const std::string& deciding_policy(const Tick& tick) {
  return tick.fallback.empty() ? tick.policy : tick.fallback;
}

std::string summary(const Tick& tick, const std::string& policy, std::size_t different) {
  const std::size_t all = tick.snapshot.domains.size();
  return "On tick " + std::to_string(tick.number) + ", " + policy + " instead of " +
         deciding_policy(tick) + " would give another size to " + std::to_string(different) +
         " of " + std::to_string(all) + (all == 1 ? " domain" : " domains") + ". The policy " +
         policy +
         " has observed only two ticks here. A policy that looks further back may decide otherwise "
         "after a while.";
}

std::string list_of(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "" : ", ") + name;
  return text;
}

}  // namespace

Response WhatIf::respond(const Request& request) {
  const std::string name = query_value(request, "policy");
  const auto& known = context_.policies;
  const std::string bundled = "the bundled policies: " + list_of(known);
  if (name.empty()) return error_response_to(400, "no policy named", bundled);
  if (std::find(known.begin(), known.end(), name) == known.end()) {
    const auto nearest = suggest_name(name, known);
    return error_response_to(404, "no bundled policy " + printable(name, 100),
                             nearest ? "did you mean " + *nearest + "?" : bundled);
  }
  const RunState::View view = context_.state.view();
  if (!view.sampled) return no_sample_yet();
  if (name == deciding_policy(*view.sampled)) {
    return error_response_to(409, "the policy " + name + " decides now", "ask for another one");
  }
  const std::lock_guard lock(mutex_);
  if (tick_.lock() != view.sampled) responses_.clear();
  tick_ = view.sampled;
  const auto found = responses_.find(name);
  if (found != responses_.end()) return found->second;
  return responses_[name] = evaluate(view, name);
}

Response WhatIf::evaluate(const RunState::View& view, const std::string& name) const {
  auto policy = context_.load_bundled(name);
  if (!policy) return error_response_to(policy.error());
  const Tick& tick = *view.sampled;
  Reconsideration result = reconsider(view.before.get(), tick, **policy);
  if (result.policy_error) {
    return error_response_to(409, "policy " + name + " fails on this tick: " +
                                      printable(result.policy_error->text(), 500));
  }
  const Tick other = with_decisions(tick, name, std::move(result));
  const auto decided =
      observers::domain_ticks(tick, [&](const Domain& domain) { return view.earlier(domain); });
  // The domains of `other` are those of `tick`, in its order.
  std::size_t place = 0;
  const auto instead =
      observers::domain_ticks(other, [&](const Domain&) { return decided[place++].before; });
  Json domains = Json::array();
  std::size_t different = 0;
  for (std::size_t i = 0; i < decided.size(); ++i) {
    if (size_after(decided[i]) != size_after(instead[i])) ++different;
    domains.push_back(both_decisions(decided[i], instead[i]));
  }
  const Json body = Json::object({{"policy", name},
                                  {"tick", tick.number},
                                  {"text", summary(tick, name, different)},
                                  {"domains", std::move(domains)}});
  return json_line_response(body.line());
}

}  // namespace memcoord::control
