// memcoord policies: what is bundled.

#include <memory>

#include "bindings/lua_policy.h"
#include "engine/cli/bundled_files.h"
#include "engine/cli/commands.h"
#include "engine/cli/help.h"
#include "engine/cli/options.h"
#include "engine/cli/policy_json.h"
#include "engine/cli/report.h"
#include "engine/cli/run_options.h"
#include "engine/cli/terminal.h"
#include "engine/core/text_table.h"

namespace memcoord::cli {
namespace {

using bindings::LuaPolicy;
using bindings::PolicyInfo;
using observers::Json;

struct PoliciesOptions {
  bool json = false;
  ColorChoice color = ColorChoice::automatic;
};

Json listed_policy_json(const PolicyInfo& info) {
  Json json = policy_json(info);
  json.set("default", info.name == kDefaultPolicy);
  return json;
}

std::vector<std::string> policy_row(const PolicyInfo& info) {
  std::string parameters;
  for (const bindings::ParameterInfo& parameter : info.parameters) {
    parameters += (parameters.empty() ? "" : ", ") + parameter.name;
  }
  const bool chosen = info.name == kDefaultPolicy;
  return {info.name, info.summary + (chosen ? " (the default)" : ""), parameters};
}

Result<ExitCode> list(const PoliciesOptions& options) {
  const auto paths = BundledFiles(BundledKind::policy, data_directories()).list();
  if (paths.empty()) {
    return fail(ErrorCode::not_found, "policies", "none are installed",
                "set MEMCOORD_DATA_DIR to the folder that holds a folder policies");
  }
  TextTable table({{"POLICY"}, {"SUMMARY"}, {"PARAMETERS"}});
  auto json = Json::array();
  ExitCode code = ExitCode::ok;
  for (const auto& path : paths) {
    const auto policy = LuaPolicy::load(path);
    if (policy) {
      table.add_row(policy_row((*policy)->info()));
      json.push_back(listed_policy_json((*policy)->info()));
    } else {
      report(policy.error());
      code = ExitCode::failed;
    }
  }
  if (options.json) {
    standard_output().lines(json.text()) << '\n';
  } else {
    table.print(standard_output(), wants_color(options.color, Stream::output));
  }
  return code;
}

}  // namespace

void add_policies_command(Command& program) {
  const auto options = std::make_shared<PoliciesOptions>();
  Command& command = program.add("policies", "List the policies that come with memcoord.",
                                 [options] { return list(*options); });
  add_flag(command, {"--json", "print JSON, with every parameter"}, options->json);
  add_color_option(command, options->color);
  command.footer = examples_text({
      {"memcoord policies", "what there is to choose from"},
      {"memcoord check halving", "one policy's parameters"},
  });
}

}  // namespace memcoord::cli
