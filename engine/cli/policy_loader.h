#pragma once
// Finds policies and scenarios by name or path, adds the options that every command with a policy
// has, and loads policies.

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "bindings/lua_policy.h"
#include "bindings/sandbox.h"
#include "engine/core/error.h"
#include "engine/core/memory_size.h"
#include "engine/core/time.h"
#include "engine/files/open_file.h"
#include "engine/hypervisor/simulated/scenario.h"

namespace memcoord::cli {

struct Command;
struct Option;

// --- Bundled files ---

enum class BundledKind { policy, scenario };

/// Whether a policy or a scenario is given as a file: it has a slash, or ends in ".lua".
bool is_path(const std::string& path_or_name);

/// The existing directories that may hold `policies` and `scenarios`, in search order:
/// $MEMCOORD_DATA_DIR, the build tree of the running program, the prefix it is installed under,
/// the prefix it was built for.
std::vector<std::filesystem::path> data_directories();

/// Finds bundled files by name, and leaves paths as they are.
class BundledFiles {
 public:
  BundledFiles(BundledKind kind, std::vector<std::filesystem::path> data_directories);

  /// `path_or_name` is a path (with a "/" or ending in ".lua") or the name of a bundled file
  /// ("halving"). Errors: not_found with the nearest name; invalid_input for a directory, and for a
  /// file that is called by its name alone and does not end in ".lua".
  [[nodiscard]] Result<std::filesystem::path> find(const std::string& path_or_name) const;
  /// Every bundled file, sorted by name; the first directory wins where two have the same name.
  [[nodiscard]] std::vector<std::filesystem::path> list() const;
  /// The names of list(). Errors: not_found if there are none.
  [[nodiscard]] Result<std::vector<std::string>> names() const;

 private:
  [[nodiscard]] std::string what() const;
  [[nodiscard]] std::string folder_name() const;
  [[nodiscard]] std::string where_to_look() const;  ///< a hint for when there are no files
  [[nodiscard]] std::vector<std::string> stems() const;
  [[nodiscard]] Error is_a_folder(const std::string& path) const;
  [[nodiscard]] Error is_not_lua(const std::string& path) const;
  [[nodiscard]] Error no_such_file(const std::string& path) const;
  [[nodiscard]] Error no_such_name(const std::string& name) const;

  BundledKind kind_;
  std::vector<std::filesystem::path> directories_;
};

/// Whether a word names a file or a bundled file that the option takes: a policy, a scenario, a
/// trace or a journal.
bool is_bundled_or_file(const Option& option, const std::string& word);

/// A bundled scenario or a file. Errors: those of load_scenario(); not_found with the nearest name.
Result<simulated::Scenario> find_scenario(const std::string& path_or_name);

// --- Options ---

/// The limits of a policy in one tick; unset limits are the sandbox's defaults.
struct PolicyLimitOptions {
  std::optional<Duration> time = {};
  std::optional<std::int64_t> instructions = {};
  std::optional<MemorySize> memory = {};
};
bindings::SandboxLimits sandbox_limits(const PolicyLimitOptions& options);

/// The limits of a simulated run: unless the user sets a time limit, it is 10 s, so that the run
/// does not depend on the speed and the load of the machine.
PolicyLimitOptions with_simulation_time(PolicyLimitOptions limits);
/// That default as the help shows it.
inline constexpr const char* kSimulationTimeText = "10s";

/// Adds --set NAME=VALUE, repeatable. `settings` must outlive the command, and so must `limits`.
void add_set_option(Command& command, std::map<std::string, std::string>& settings,
                    const std::string& group = "Options");
/// Adds --policy-time, --policy-instructions and --policy-memory under a heading of the help, which
/// shows `default_time` as the default of --policy-time.
void add_policy_limit_options(Command& command, PolicyLimitOptions& limits,
                              const std::string& group, const std::string& default_time = "100ms");

// --- Loading ---

/// While a policy is loaded, an error of its code is an error of the user's input.
Error as_bad_input(Error error);

class PolicyLoader {
 public:
  explicit PolicyLoader(const PolicyLimitOptions& limits);

  using Settings = bindings::LuaPolicy::Settings;
  using Loaded = Result<std::unique_ptr<bindings::LuaPolicy>>;
  /// Errors: not_found with the nearest name, permission_denied, invalid_input.
  [[nodiscard]] Loaded load(const std::string& path_or_name, const Settings& settings,
                            files::Readable readable = files::Readable::by_memcoord) const;

 private:
  BundledFiles files_;
  bindings::SandboxLimits limits_;
};

/// The policy of a run, which SIGHUP and the control socket load again or change. Any thread may
/// load a policy; one thread puts them in place.
class ReloadablePolicy {
 public:
  ReloadablePolicy(const PolicyLoader& loader, std::string path_or_name,
                   PolicyLoader::Settings settings)
      : loader_(loader), path_or_name_(std::move(path_or_name)), settings_(std::move(settings)) {}

  /// Loads the run's policy: for the first time or again. Reads no file that change_to() would not.
  [[nodiscard]] PolicyLoader::Loaded load() const;
  /// Loads another policy, which load() loads from then on. Errors: those of load(); then nothing
  /// has changed.
  PolicyLoader::Loaded change_to(const std::string& path_or_name,
                                 const PolicyLoader::Settings& settings, files::Readable readable);
  /// Loads a policy that does not become the run's. Errors: those of load().
  [[nodiscard]] PolicyLoader::Loaded load_other(const std::string& path_or_name,
                                                const PolicyLoader::Settings& settings,
                                                files::Readable readable) const {
    return loader_.load(path_or_name, settings, readable);
  }
  /// Whether a policy is the same text from the same file as the current one. Call it in the thread
  /// of take_over().
  [[nodiscard]] bool is_current(const bindings::LuaPolicy& policy) const {
    return current_ != nullptr && current_->info().path == policy.info().path &&
           current_->source() == policy.source();
  }
  /// Makes a loaded policy the current one. It copies the state of the policy before it, which must
  /// still exist, if both are the same file. Returns why the policy starts with an empty ctx.state
  /// although it should not.
  std::optional<Error> take_over(bindings::LuaPolicy& policy);

 private:
  const PolicyLoader& loader_;
  mutable std::mutex mutex_;
  std::string path_or_name_;                                 // under mutex_
  PolicyLoader::Settings settings_;                          // under mutex_
  files::Readable readable_ = files::Readable::by_memcoord;  // under mutex_
  bindings::LuaPolicy* current_ = nullptr;                   // owned by the caller of take_over()
};

}  // namespace memcoord::cli
