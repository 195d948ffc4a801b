#include "engine/cli/policy_json.h"

namespace memcoord::cli {

using observers::Json;

Json policy_json(const bindings::PolicyInfo& info) {
  auto parameters = Json::array();
  for (const bindings::ParameterInfo& parameter : info.parameters) {
    parameters.push_back(Json::object({{"name", parameter.name},
                                       {"type", parameter.type},
                                       {"default", parameter.default_text},
                                       {"value", parameter.value_text},
                                       {"doc", parameter.doc},
                                       {"choices", parameter.choices}}));
  }
  return Json::object({{"name", info.name},
                       {"path", info.path},
                       {"api", info.api},
                       {"summary", info.summary},
                       {"parameters", std::move(parameters)}});
}

}  // namespace memcoord::cli
