#pragma once
// A policy's description of itself as JSON.

#include "bindings/lua_policy.h"
#include "engine/observers/json.h"

namespace memcoord::cli {

/// Name, path, api, summary and parameters.
observers::Json policy_json(const bindings::PolicyInfo& info);

}  // namespace memcoord::cli
