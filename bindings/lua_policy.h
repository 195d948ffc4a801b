#pragma once
// A policy written in Lua: policy API version 1 (docs/policy-api.md).

#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "bindings/parameters.h"
#include "bindings/policy_context.h"
#include "bindings/sandbox.h"
#include "engine/core/policy.h"

namespace memcoord::bindings {

/// What a policy says of itself.
struct PolicyInfo {
  std::string path;
  std::string name;  ///< the file's name without ".lua"
  std::string summary;
  int api = 1;
  std::vector<ParameterInfo> parameters;
};

/// One loaded policy with a Lua state of its own. One thread at a time.
class LuaPolicy final : public Policy {
 public:
  using Settings = std::map<std::string, std::string>;

  /// Errors, one clear line each: not_found, permission_denied, invalid_input (no policy, wrong
  /// `api`, parameters), policy_failed and limit_exceeded (the file's own code).
  static Result<std::unique_ptr<LuaPolicy>> load(const std::filesystem::path& path,
                                                 const Settings& settings = {},
                                                 SandboxLimits limits = {});
  /// The same from text; `path` is what errors and info() call it.
  static Result<std::unique_ptr<LuaPolicy>> load_text(std::string source, const std::string& path,
                                                      const Settings& settings = {},
                                                      SandboxLimits limits = {});

  [[nodiscard]] std::string name() const override { return info_.name; }
  [[nodiscard]] const PolicyInfo& info() const { return info_; }
  /// Errors: policy_failed, limit_exceeded; nothing is proposed then.
  Result<PolicyAnswer> decide(const Situation& situation) override;
  /// Takes over what is plain data in the other's ctx.state; for a reload of the same policy.
  /// Errors: policy_failed (tables within themselves), limit_exceeded (more than can be read within
  /// a tick's limits); this policy then starts without.
  Status adopt_state(LuaPolicy& old);
  /// The same as the text of a Lua file, for another process. Errors: as adopt_state().
  Result<std::string> state_text();
  Status adopt_state_text(const std::string& text);

 private:
  LuaPolicy(std::string source, SandboxLimits limits);
  Status open();
  Status start_anew(Meter::Time deadline);
  Status evaluate(std::optional<Meter::Time> deadline = std::nullopt);
  Status read_returned(const Value& returned);
  Result<Value> plain_state();
  void recover(Error& error, Meter::Time deadline);

  std::string source_;
  SandboxLimits limits_;
  Settings settings_;
  PolicyInfo info_;
  Parameters parameters_;
  PolicyContext context_;
  std::unique_ptr<Sandbox> sandbox_;
  bool dropped_ = false;  ///< what was kept was too much: the next tick starts anew
};

}  // namespace memcoord::bindings
