#pragma once
// A policy's description of itself as JSON.

#include <nlohmann/json.hpp>

#include "bindings/lua_policy.h"

namespace memcoord::cli {

/// Name, path, api, summary and parameters.
nlohmann::ordered_json policy_json(const bindings::PolicyInfo& info);

}  // namespace memcoord::cli
