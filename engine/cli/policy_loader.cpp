#include "engine/cli/policy_loader.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cstdlib>
#include <limits>
#include <map>
#include <system_error>
#include <utility>

#include "engine/cli/command.h"
#include "engine/cli/version.h"
#include "engine/core/names.h"
#include "engine/workbench/scenario_file.h"

namespace memcoord::cli {
namespace {

namespace fs = std::filesystem;

/// Whether the file of an error ("README.md:1") has an extension other than ".lua".
bool is_of_other_kind(const std::string& object) {
  const fs::path extension = fs::path(object.substr(0, object.find_last_of(':'))).extension();
  return !extension.empty() && extension != ".lua";
}

// Tests and files for editors (memcoord.meta.lua) stand beside the policies.
bool is_bundled(const fs::path& path) {
  const std::string stem = path.stem().string();
  return path.extension() == ".lua" && !stem.ends_with("_test") &&
         stem.find('.') == std::string::npos;
}

PolicyLoader::Loaded load_file(const Result<fs::path>& path, const PolicyLoader::Settings& settings,
                               const bindings::SandboxLimits& limits) {
  if (!path) return fail(path.error());
  return bindings::LuaPolicy::load(*path, settings, limits);
}

/// From a file that every user may read.
PolicyLoader::Loaded load_public(const std::string& path, const PolicyLoader::Settings& settings,
                                 const bindings::SandboxLimits& limits) {
  const auto file = files::open_public(path, "policy");
  if (!file) return fail(file.error());
  auto source = bindings::read_script("/proc/self/fd/" + std::to_string(file->get()), "policy");
  if (source) return bindings::LuaPolicy::load_text(*std::move(source), path, settings, limits);
  source.error().object = path;
  return fail(source.error());
}

}  // namespace

bool is_path(const std::string& path_or_name) {
  return path_or_name.find('/') != std::string::npos || path_or_name.ends_with(".lua");
}

std::vector<fs::path> data_directories() {
  std::vector<fs::path> candidates;
  if (const char* set = std::getenv("MEMCOORD_DATA_DIR"); set != nullptr && *set != '\0') {
    candidates.emplace_back(set);
  }
  std::error_code ignored;
  const fs::path here = fs::read_symlink("/proc/self/exe", ignored).parent_path();
  if (!here.empty()) {
    candidates.push_back(here / "share" / "memcoord");
    candidates.push_back(here.parent_path() / "share" / "memcoord");
  }
  candidates.emplace_back(kInstalledData);
  std::erase_if(candidates, [](const fs::path& path) {
    std::error_code missing;
    return !fs::is_directory(path, missing);
  });
  return candidates;
}

BundledFiles::BundledFiles(BundledKind kind, std::vector<fs::path> data_directories)
    : kind_(kind), directories_(std::move(data_directories)) {
  for (fs::path& directory : directories_) {
    directory /= folder_name();
  }
}

Result<fs::path> BundledFiles::find(const std::string& path_or_name) const {
  std::error_code missing;
  const bool exists = fs::exists(path_or_name, missing);
  if (is_path(path_or_name)) {
    if (fs::is_directory(path_or_name, missing)) return fail(is_a_folder(path_or_name));
    if (exists) return fs::path(path_or_name);
    return fail(no_such_file(path_or_name));
  }
  for (const fs::path& path : list()) {
    if (path.stem() == path_or_name) return path;
  }
  if (fs::is_directory(path_or_name, missing)) return fail(is_a_folder(path_or_name));
  if (exists) return fail(is_not_lua(path_or_name));
  return fail(no_such_name(path_or_name));
}

std::string BundledFiles::what() const {
  return kind_ == BundledKind::policy ? "policy" : "scenario";
}

std::string BundledFiles::folder_name() const {
  return kind_ == BundledKind::policy ? "policies" : "scenarios";
}

std::string BundledFiles::where_to_look() const {
  return "set MEMCOORD_DATA_DIR to a folder that has a folder " + folder_name();
}

Error BundledFiles::is_a_folder(const std::string& path) const {
  return {ErrorCode::invalid_input, path, "is a directory",
          "give the path of a " + what() + " file", ""};
}

Error BundledFiles::is_not_lua(const std::string& path) const {
  if (fs::path(path).has_extension()) {
    return {ErrorCode::invalid_input, path, "is not a Lua file",
            "a " + what() + " is a file whose name ends in .lua, or a bundled one", ""};
  }
  return {ErrorCode::invalid_input, path,
          "is neither a bundled " + what() + " nor a file whose name ends in .lua",
          "to load it as Lua, write ./" + path, ""};
}

Error BundledFiles::no_such_file(const std::string& path) const {
  const auto nearest = suggest_name(fs::path(path).stem().string(), stems());
  return {ErrorCode::not_found, path, "no such file",
          nearest ? "did you mean the bundled " + what() + " " + *nearest + "?" : "", ""};
}

Error BundledFiles::no_such_name(const std::string& name) const {
  const std::vector<std::string> names = stems();
  if (names.empty()) {
    return {ErrorCode::not_found, name,
            "no such " + what() + ", because no folder with bundled files is found",
            where_to_look(), ""};
  }
  const auto nearest = suggest_name(name, names);
  const std::string all = kind_ == BundledKind::policy
                              ? "'memcoord policies' lists them"
                              : fmt::format("the bundled ones are {}", fmt::join(names, ", "));
  return {ErrorCode::not_found, name, "no such " + what(),
          nearest ? "did you mean " + *nearest + "? " + all : all, ""};
}

std::vector<std::string> BundledFiles::stems() const {
  std::vector<std::string> stems;
  for (const fs::path& path : list()) stems.push_back(path.stem().string());
  return stems;
}

std::vector<fs::path> BundledFiles::list() const {
  std::map<std::string, fs::path> found;
  for (const fs::path& directory : directories_) {
    std::error_code unreadable;
    for (const auto& entry : fs::directory_iterator(directory, unreadable)) {
      if (is_bundled(entry.path())) found.emplace(entry.path().stem().string(), entry.path());
    }
  }
  std::vector<fs::path> paths;
  paths.reserve(found.size());
  for (auto& [name, path] : found) paths.push_back(path);
  return paths;
}

Result<std::vector<std::string>> BundledFiles::names() const {
  std::vector<std::string> names = stems();
  if (!names.empty()) return names;
  return fail(ErrorCode::not_found, folder_name(), "no bundled files found", where_to_look());
}

bool is_bundled_or_file(const Option& option, const std::string& word) {
  const std::string name = option.name();
  const auto bundled = [&](BundledKind kind) {
    const auto names = BundledFiles(kind, data_directories()).names();
    return names && std::find(names->begin(), names->end(), word) != names->end();
  };
  if (name == "--policy" || name == "--policies") {
    return word.ends_with(".lua") || bundled(BundledKind::policy);
  }
  if (name.starts_with("--scenario")) return bundled(BundledKind::scenario);
  if (name == "--traces") return word.ends_with(".csv");
  return name == "--journal" && word.ends_with(".jsonl");
}

Result<simulated::Scenario> find_scenario(const std::string& path_or_name) {
  const auto path = BundledFiles(BundledKind::scenario, data_directories()).find(path_or_name);
  if (!path) return fail(path.error());
  auto scenario = workbench::load_scenario(*path);
  if (scenario) return scenario;
  Error error = as_bad_input(scenario.error());
  if (error.code == ErrorCode::invalid_input && error.hint.empty()) {
    error.hint =
        "a scenario is a Lua file that returns a table of plain data; a policy goes behind "
        "--policy";
  }
  return fail(std::move(error));
}

bindings::SandboxLimits sandbox_limits(const PolicyLimitOptions& options) {
  bindings::SandboxLimits limits;
  if (options.time) limits.time = *options.time;
  if (options.instructions) limits.instructions = static_cast<std::uint64_t>(*options.instructions);
  if (options.memory) limits.memory_bytes = (*options.memory * 1024).kib();
  return limits;
}

PolicyLimitOptions with_simulation_time(PolicyLimitOptions limits) {
  if (!limits.time) limits.time = std::chrono::seconds(10);
  return limits;
}

void add_set_option(Command& command, std::map<std::string, std::string>& settings,
                    const std::string& group) {
  add_repeated_option(
      command, {"-s,--set", "NAME=VALUE", "set a parameter of the policy; repeatable", group},
      [&settings](const std::string& text) -> Status {
        auto assignment = parse_assignment(text);
        if (!assignment) return fail(assignment.error());
        settings.insert_or_assign(assignment->first, assignment->second);
        return {};
      });
}

void add_policy_limit_options(Command& command, PolicyLimitOptions& limits,
                              const std::string& group, const std::string& default_time) {
  const auto instructions = [](const std::string& text) {
    return parse_whole_number(text, {1000, std::numeric_limits<std::int64_t>::max()});
  };
  add_option(command,
             {"--policy-time", "TIME",
              "the policy's time limit in one tick; default " + default_time, group},
             into(limits.time, parse_duration));
  add_option(command,
             {"--policy-instructions", "N",
              "the policy's limit of Lua instructions in one tick; default 20000000", group},
             into(limits.instructions, instructions));
  add_option(command,
             {"--policy-memory", "SIZE", "the policy's memory limit; default 64MiB", group},
             into(limits.memory, parse_size));
}

Error as_bad_input(Error error) {
  const bool by_code =
      error.code == ErrorCode::policy_failed || error.code == ErrorCode::limit_exceeded;
  if (by_code) error.code = ErrorCode::invalid_input;
  if (error.code == ErrorCode::invalid_input && error.hint.empty() &&
      is_of_other_kind(error.object)) {
    error.hint = "it must be a Lua file";
  }
  return error;
}

PolicyLoader::PolicyLoader(const PolicyLimitOptions& limits)
    : files_(BundledKind::policy, data_directories()), limits_(sandbox_limits(limits)) {}

PolicyLoader::Loaded PolicyLoader::load(const std::string& path_or_name, const Settings& settings,
                                        files::Readable readable) const {
  const bool checked = readable == files::Readable::by_everyone && is_path(path_or_name);
  auto loaded = checked ? load_public(path_or_name, settings, limits_)
                        : load_file(files_.find(path_or_name), settings, limits_);
  if (loaded) return loaded;
  return fail(as_bad_input(loaded.error()));
}

PolicyLoader::Loaded ReloadablePolicy::load() const {
  std::unique_lock lock(mutex_);
  const std::string path_or_name = path_or_name_;
  const PolicyLoader::Settings settings = settings_;
  const files::Readable readable = readable_;
  lock.unlock();
  return loader_.load(path_or_name, settings, readable);
}

PolicyLoader::Loaded ReloadablePolicy::change_to(const std::string& path_or_name,
                                                 const PolicyLoader::Settings& settings,
                                                 files::Readable readable) {
  auto loaded = loader_.load(path_or_name, settings, readable);
  if (!loaded) return loaded;
  const std::lock_guard lock(mutex_);
  path_or_name_ = path_or_name;
  settings_ = settings;
  readable_ = readable;
  return loaded;
}

std::optional<Error> ReloadablePolicy::take_over(bindings::LuaPolicy& policy) {
  bindings::LuaPolicy* before = std::exchange(current_, &policy);
  if (before == nullptr || before->info().path != policy.info().path) return std::nullopt;
  Status adopted = policy.adopt_state(*before);
  if (adopted) return std::nullopt;
  return adopted.error();
}

}  // namespace memcoord::cli
