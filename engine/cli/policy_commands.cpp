// memcoord policies, check and test: list the bundled policies, check whether a policy is sound,
// and run its tests.

#include <algorithm>
#include <memory>

#include "bindings/lua_policy.h"
#include "bindings/testing/policy_check.h"
#include "bindings/testing/policy_tests.h"
#include "engine/cli/commands.h"
#include "engine/cli/help.h"
#include "engine/cli/policy_loader.h"
#include "engine/cli/run_options.h"
#include "engine/cli/terminal.h"
#include "engine/core/text_table.h"
#include "engine/observers/json.h"

namespace memcoord::cli {
namespace {

using namespace bindings::testing;
using bindings::LuaPolicy;
using bindings::PolicyInfo;
using observers::Json;

/// A policy's description of itself: name, path, API, summary, parameters.
Json policy_json(const PolicyInfo& info) {
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

// --- policies ---

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
  const BundledFiles files(BundledKind::policy, data_directories());
  if (const auto names = files.names(); !names) return fail(names.error());
  TextTable table({{"POLICY"}, {"SUMMARY"}, {"PARAMETERS"}});
  auto json = Json::array();
  ExitCode code = ExitCode::ok;
  for (const auto& path : files.list()) {
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

// --- check ---

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
                               {"description", situation.description},
                               {"proposals", situation.proposals()},
                               {"limited", situation.limited()},
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

// --- test ---

struct TestCommandOptions {
  std::vector<std::string> paths;
  bindings::testing::TestOptions tests;
  ColorChoice color = ColorChoice::automatic;
};

Result<ExitCode> test(TestCommandOptions& options) {
  options.tests.color = wants_color(options.color, Stream::output);
  const std::vector<std::filesystem::path> paths(options.paths.begin(), options.paths.end());
  const auto counts = bindings::testing::run_policy_tests(paths, options.tests, standard_output());
  if (!counts) return fail(counts.error());
  return counts->failed == 0 ? ExitCode::ok : ExitCode::failed;
}

}  // namespace

void add_policies_command(Command& program) {
  const auto options = std::make_shared<PoliciesOptions>();
  Command& command =
      program.add("policies", "List the bundled policies.", [options] { return list(*options); });
  add_flag(command, {"--json", "print JSON, with all parameters"}, options->json);
  add_color_option(command, options->color);
  command.footer = examples_text({
      {"memcoord policies", "list the policies to choose from"},
      {"memcoord check halving", "show one policy's parameters"},
  });
}

void add_check_command(Command& program) {
  const auto options = std::make_shared<CheckOptions>();
  Command& command = program.add("check",
                                 "Load policies, run them on typical situations of a host, and "
                                 "print their parameters and their "
                                 "decisions.",
                                 [options] { return check(*options); });
  add_list(command,
           {.names = "POLICY",
            .value = "POLICY",
            .description = "Lua files or bundled policies",
            .required = true},
           into_list(options->policies));
  add_set_option(command, options->settings);
  add_flag(command, {"--json", "print JSON"}, options->json);
  add_color_option(command, options->color);
  add_policy_limit_options(command, options->limits, "Limits");
  command.footer = examples_text({
      {"memcoord check halving", "show a bundled policy's parameters and decisions"},
      {"memcoord check mine.lua --set starved_below=200MiB",
       "check your own policy with a parameter"},
  });
}

void add_test_command(Command& program) {
  const auto options = std::make_shared<TestCommandOptions>();
  Command& command =
      program.add("test", "Run the tests of policies, which are in files named POLICY_test.lua.",
                  [options] { return test(*options); });
  add_list(command,
           {.names = "PATH",
            .value = "PATH",
            .description = "test files, policies with a test file in the same folder, or folders",
            .required = true},
           into_list(options->paths));
  add_option(command,
             {"--filter", "PATTERN",
              "run only tests whose name or file name contains the text or matches the glob"},
             into_text(options->tests.filter));
  add_option(command, {"--junit", "FILE", "also write the results as JUnit XML"},
             into_text(options->tests.junit));
  add_flag(command, {"-q,--quiet", "print no line for tests that pass"}, options->tests.quiet);
  add_color_option(command, options->color);
  command.footer = examples_text({
      {"memcoord test policies/", "run every test in a folder"},
      {"memcoord test mine.lua", "run a policy's tests, in mine_test.lua"},
      {"memcoord test policies/ --filter starved --junit results.xml",
       "run the tests whose names contain 'starved', and write the results for CI"},
  });
}

}  // namespace memcoord::cli
