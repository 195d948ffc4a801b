// What completion finds on this host: bundled files, parameters of policies, and the domains of a
// run.

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <system_error>

#include "bindings/lua_policy.h"
#include "engine/cli/completion.h"
#include "engine/cli/policy_loader.h"
#include "engine/cli/run_control.h"
#include "engine/cli/run_options.h"
#include "engine/control/http.h"
#include "engine/core/names.h"
#include "engine/observers/json.h"
#include "engine/workbench/scenario_file.h"

namespace memcoord::cli {
namespace {

namespace fs = std::filesystem;

/// The user waits for the answer with a finger on the tab key.
constexpr std::chrono::milliseconds kDomainsTimeout{500};

/// The bundled files, with their summaries. A file that does not load has none.
std::vector<Candidate> bundled_policies() {
  std::vector<Candidate> policies;
  for (const fs::path& path : BundledFiles(BundledKind::policy, data_directories()).list()) {
    const auto policy = bindings::LuaPolicy::load(path);
    policies.push_back({path.stem().string(), policy ? (*policy)->info().summary : ""});
  }
  return policies;
}

std::vector<Candidate> bundled_scenarios() {
  std::vector<Candidate> scenarios;
  for (const fs::path& path : BundledFiles(BundledKind::scenario, data_directories()).list()) {
    const auto scenario = workbench::load_scenario(path);
    scenarios.push_back({path.stem().string(), scenario ? scenario->summary : ""});
  }
  return scenarios;
}

/// A policy's description of itself. Its file runs in the sandbox, as for `memcoord check`.
std::vector<CompletedParameter> parameters_of(const std::string& policy) {
  const auto path = BundledFiles(BundledKind::policy, data_directories()).find(policy);
  std::error_code unreadable;
  if (!path || !fs::is_regular_file(*path, unreadable)) return {};
  const auto loaded = bindings::LuaPolicy::load(*path);
  if (!loaded) return {};
  std::vector<CompletedParameter> parameters;
  for (const bindings::ParameterInfo& info : (*loaded)->info().parameters) {
    std::vector<std::string> choices = info.choices;
    if (info.type == "boolean") choices = {"true", "false"};
    parameters.push_back({info.name, info.default_text, info.doc, std::move(choices)});
  }
  return parameters;
}

std::vector<std::string> domains_of(const std::string& socket) {
  const auto response = control::send_request(control_socket(socket),
                                              {"GET", "/v1/domains", {}, {}, {}}, kDomainsTimeout);
  if (!response || response->status != 200) return {};
  const auto names = observers::Json::parse(response->body);
  if (!names || !names->is_array()) return {};
  std::vector<std::string> domains;
  for (const observers::Json& name : names->items()) domains.push_back(name.string());
  return domains;
}

struct FolderListing {
  std::vector<std::string> matching;
  std::vector<std::string> others;
};

/// The files of a folder whose names begin with a text; their paths begin with `before`.
FolderListing list_folder(const fs::path& folder, const std::string& before,
                          const std::string& begun, const std::string& glob) {
  FolderListing listing;
  std::error_code error;
  for (fs::directory_iterator entry(folder, error), end; !error && entry != end;
       entry.increment(error)) {
    const std::string name = entry->path().filename().string();
    const bool hidden = name.starts_with('.') && !begun.starts_with('.');
    if (hidden || !name.starts_with(begun)) continue;
    std::error_code unreadable;
    const bool is_folder = entry->is_directory(unreadable);
    const bool matches = is_folder || glob_matches(glob, name);
    (matches ? listing.matching : listing.others).push_back(before + name + (is_folder ? "/" : ""));
  }
  return listing;
}

std::vector<std::string> find_files(const FileQuery& query) {
  const std::size_t name = query.begun.rfind('/') + 1;  // 0 without a "/"
  const std::string before = query.begun.substr(0, name);
  std::string folder = before.empty() ? "." : before;
  if (query.tilde && folder.starts_with("~/")) {
    const char* home = std::getenv("HOME");
    folder.replace(0, 1, home == nullptr ? "" : home);
  }
  FolderListing listing = list_folder(folder, before, query.begun.substr(name), query.glob);
  std::vector<std::string> files =
      listing.matching.empty() ? std::move(listing.others) : std::move(listing.matching);
  std::sort(files.begin(), files.end());
  return files;
}

}  // namespace

CompletionSources completion_sources() {
  return {.default_policy = std::string(kDefaultPolicy),
          .policies = bundled_policies,
          .scenarios = bundled_scenarios,
          .parameters = parameters_of,
          .domains = domains_of,
          .files = find_files};
}

}  // namespace memcoord::cli
