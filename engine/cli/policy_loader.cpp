#include "engine/cli/policy_loader.h"

namespace memcoord::cli {

Error as_bad_input(Error error) {
  const bool by_code =
      error.code == ErrorCode::policy_failed || error.code == ErrorCode::limit_exceeded;
  if (by_code) error.code = ErrorCode::invalid_input;
  return error;
}

PolicyLoader::PolicyLoader(const PolicyLimitOptions& limits)
    : files_(BundledKind::policy, data_directories()), limits_(sandbox_limits(limits)) {}

PolicyLoader::Loaded PolicyLoader::load(const std::string& path_or_name,
                                        const Settings& settings) const {
  const auto path = files_.find(path_or_name);
  if (!path) return fail(path.error());
  auto loaded = bindings::LuaPolicy::load(*path, settings, limits_);
  if (loaded) return loaded;
  return fail(as_bad_input(loaded.error()));
}

PolicyLoader::Loaded ReloadablePolicy::load() {
  auto loaded = loader_.load(path_or_name_, settings_);
  if (loaded) current_ = loaded->get();
  return loaded;
}

Result<ReloadablePolicy::Reloaded> ReloadablePolicy::reload() {
  auto loaded = loader_.load(path_or_name_, settings_);
  if (!loaded) return fail(loaded.error());
  Reloaded reloaded{*std::move(loaded), std::nullopt};
  if (current_ != nullptr) {
    Status adopted = reloaded.policy->adopt_state(*current_);
    if (!adopted) reloaded.state_lost = adopted.error();
  }
  current_ = reloaded.policy.get();
  return reloaded;
}

}  // namespace memcoord::cli
