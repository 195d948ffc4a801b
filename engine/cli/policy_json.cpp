#include "engine/cli/policy_json.h"

namespace memcoord::cli {

nlohmann::ordered_json policy_json(const bindings::PolicyInfo& info) {
  auto parameters = nlohmann::ordered_json::array();
  for (const bindings::ParameterInfo& parameter : info.parameters) {
    parameters.push_back({{"name", parameter.name},
                          {"type", parameter.type},
                          {"default", parameter.default_text},
                          {"value", parameter.value_text},
                          {"doc", parameter.doc},
                          {"choices", parameter.choices}});
  }
  return {{"name", info.name},
          {"path", info.path},
          {"api", info.api},
          {"summary", info.summary},
          {"parameters", std::move(parameters)}};
}

}  // namespace memcoord::cli
