// memcoord check POLICY...: is it sound, what can be set, what would it do.

#include <algorithm>
#include <memory>

#include "bindings/testing/policy_check.h"
#include "engine/cli/bundled_files.h"
#include "engine/cli/commands.h"
#include "engine/cli/help.h"
#include "engine/cli/options.h"
#include "engine/cli/policy_json.h"
#include "engine/cli/policy_loader.h"
#include "engine/cli/policy_options.h"
#include "engine/cli/report.h"
#include "engine/cli/terminal.h"

namespace memcoord::cli {
namespace {

using namespace bindings::testing;
using observers::Json;

struct CheckOptions {
  std::vector<std::string> policies;
  std::map<std::string, std::string> settings;
  PolicyLimitOptions limits;
  bool json = false;
  ColorChoice color = ColorChoice::automatic;
};

Json check_json(const PolicyCheck& check) {
  auto situations = Json::array();
  for (const CheckedSituation& situation : check.situations) {
    Json entry = Json::object({{"situation", situation.name},
                               {"what", situation.what},
                               {"proposals", situation.proposals()},
                               {"held_back", situation.held_back()},
                               {"log", situation.log()}});
    if (situation.error() != nullptr) entry.set("error", situation.error()->text());
    situations.push_back(std::move(entry));
  }
  Json json = policy_json(check.info);
  json.set("headroom", to_text(check.headroom));
  json.set("sound", check.passed());
  json.set("situations", std::move(situations));
  return json;
}

Result<PolicyCheck> check_one(const std::string& policy, const BundledFiles& files,
                              const CheckOptions& options) {
  const auto path = files.find(policy);
  if (!path) return fail(path.error());
  auto checked = check_policy(*path, options.settings, sandbox_limits(options.limits));
  if (!checked) return fail(as_bad_input(checked.error()));
  return checked;
}

Result<ExitCode> check(const CheckOptions& options) {
  const BundledFiles files(BundledKind::policy, data_directories());
  auto json = Json::array();
  ExitCode code = ExitCode::ok;
  bool first = true;
  for (const std::string& policy : options.policies) {
    const auto checked = check_one(policy, files, options);
    if (!checked) {
      report(checked.error());
      code = std::max(code, exit_code_for(checked.error()));
      continue;
    }
    if (!checked->passed()) code = std::max(code, ExitCode::failed);
    if (options.json) {
      json.push_back(check_json(*checked));
      continue;
    }
    if (!std::exchange(first, false)) standard_output() << '\n';
    print_check(*checked, wants_color(options.color, Stream::output), standard_output());
  }
  if (options.json) standard_output().lines(json.text()) << '\n';
  return code;
}

}  // namespace

void add_check_command(Command& program) {
  const auto options = std::make_shared<CheckOptions>();
  Command& command = program.add(
      "check",
      "Load policies, run them on situations that hosts meet, print their parameters and what they "
      "would do.",
      [options] { return check(*options); });
  add_list(command,
           {.names = "POLICY",
            .value = "POLICY",
            .description = "Lua files, or names of bundled policies",
            .required = true},
           into_list(options->policies));
  add_set_option(command, options->settings);
  add_flag(command, {"--json", "print JSON"}, options->json);
  add_color_option(command, options->color);
  add_policy_limit_options(command, options->limits, "Limits");
  command.footer = examples_text({
      {"memcoord check halving", "a bundled policy's parameters, and what it does"},
      {"memcoord check mine.lua --set starved_below=200MiB", "your own, with a parameter"},
  });
}

}  // namespace memcoord::cli
