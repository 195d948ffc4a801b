#include "engine/cli/policy_loader.h"

namespace memcoord::cli {

bindings::SandboxLimits sandbox_limits(const PolicyLimitOptions& options) {
  bindings::SandboxLimits limits;
  if (options.time) limits.time = *options.time;
  if (options.instructions) limits.instructions = static_cast<std::uint64_t>(*options.instructions);
  if (options.memory) limits.memory_bytes = (*options.memory * 1024).kib();
  return limits;
}

PolicyLoader::PolicyLoader(const PolicyLimitOptions& limits)
    : files_(BundledKind::policy, data_directories()), limits_(sandbox_limits(limits)) {}

PolicyLoader::Loaded PolicyLoader::load(const std::string& path_or_name,
                                        const Settings& settings) const {
  const auto path = files_.find(path_or_name);
  if (!path) return fail(path.error());
  auto loaded = bindings::LuaPolicy::load(*path, settings, limits_);
  if (loaded) return loaded;
  // Whatever is wrong inside the file, it is the file that cannot be used.
  Error error = loaded.error();
  const bool by_code =
      error.code == ErrorCode::policy_failed || error.code == ErrorCode::limit_exceeded;
  if (by_code) error.code = ErrorCode::invalid_input;
  return fail(std::move(error));
}

PolicyLoader::Loaded ReloadablePolicy::load() {
  auto loaded = loader_.load(path_or_name_, settings_);
  if (loaded) current_ = loaded->get();
  return loaded;
}

PolicyLoader::Loaded ReloadablePolicy::reload() {
  auto loaded = loader_.load(path_or_name_, settings_);
  if (!loaded) return loaded;
  if (current_ != nullptr) {
    if (Status adopted = (*loaded)->adopt_state(*current_); !adopted) return fail(adopted.error());
  }
  current_ = loaded->get();
  return loaded;
}

}  // namespace memcoord::cli
