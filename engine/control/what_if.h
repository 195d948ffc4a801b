#pragma once
// What another policy would decide on the newest tick.

#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "engine/control/http.h"
#include "engine/control/routes.h"
#include "engine/control/run_state.h"
#include "engine/core/tick.h"

namespace memcoord::control {

/// Answers /v1/what-if, in any thread. Evaluates one policy at a time, each at most once a tick,
/// with the sandbox's limits. It changes nothing in the run. The context must outlive it.
class WhatIf {
 public:
  explicit WhatIf(const RouteContext& context) : context_(context) {}
  Response respond(const Request& request);

 private:
  [[nodiscard]] Response evaluate(const RunState::View& view, const std::string& name) const;

  const RouteContext& context_;
  std::mutex mutex_;
  std::weak_ptr<const Tick> tick_;             // under mutex_
  std::map<std::string, Response> responses_;  // under mutex_: on tick_, by policy
};

}  // namespace memcoord::control
