#pragma once
// From a policy's name or path to a loaded policy, under the limits that the operator chose.

#include <memory>
#include <optional>
#include <string>

#include "bindings/lua_policy.h"
#include "engine/cli/bundled_files.h"
#include "engine/cli/policy_options.h"
#include "engine/core/error.h"

namespace memcoord::cli {

/// Whatever is wrong inside a policy's file, it is the file that cannot be used: an error of its
/// code while it is loaded becomes one of input.
Error as_bad_input(Error error);

class PolicyLoader {
 public:
  explicit PolicyLoader(const PolicyLimitOptions& limits);

  using Settings = bindings::LuaPolicy::Settings;
  using Loaded = Result<std::unique_ptr<bindings::LuaPolicy>>;
  /// Errors: not_found with the nearest name, permission_denied, invalid_input.
  [[nodiscard]] Loaded load(const std::string& path_or_name, const Settings& settings) const;

 private:
  BundledFiles files_;
  bindings::SandboxLimits limits_;
};

/// The policy that decides, and what it takes to load it again.
class ReloadablePolicy {
 public:
  ReloadablePolicy(const PolicyLoader& loader, std::string path_or_name,
                   PolicyLoader::Settings settings)
      : loader_(loader), path_or_name_(std::move(path_or_name)), settings_(std::move(settings)) {}

  /// Loads it for the first time.
  PolicyLoader::Loaded load();
  struct Reloaded {
    std::unique_ptr<bindings::LuaPolicy> policy;
    std::optional<Error> state_lost;  ///< why it starts without what the one before kept
  };
  /// Loads it again, with the state of the one loaded last; that one stays valid and is to be
  /// replaced by what is returned. Errors: as load(); nothing has changed then.
  Result<Reloaded> reload();

 private:
  const PolicyLoader& loader_;
  std::string path_or_name_;
  PolicyLoader::Settings settings_;
  bindings::LuaPolicy* current_ = nullptr;  // owned by whoever took it from load() or reload()
};

}  // namespace memcoord::cli
