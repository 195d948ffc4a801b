#pragma once
// A policy written in Lua: policy API version 1 (docs/policy-api.md).

#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "bindings/policy_context.h"
#include "bindings/sandbox.h"
#include "bindings/value.h"
#include "engine/core/policy.h"

namespace memcoord::bindings {

/// One declared parameter.
struct ParameterInfo {
  std::string name;
  std::string type;  ///< "size", "integer", "number", "boolean" or "string"
  std::string default_text;
  std::string value_text;  ///< with --set applied
  std::string doc;
  std::vector<std::string> choices;  ///< the strings that it takes; empty: any
};

/// A policy's `params` table: declarations and values.
struct Parameters {
  std::vector<ParameterInfo> infos;  ///< by name
  Value values;                      ///< the table that becomes ctx.params
};

/// The policy that declares parameters.
struct PolicySource {
  const std::string& path;
  std::string_view text;  ///< errors name its lines
};

/// A number without a unit, set as the value of a parameter that is a size. Administrators must
/// write the unit; in policy tests, as in policies, a number counts KiB.
enum class NumberAsSize { refused, kib };

/// Reads `params` and applies settings. A default determines the type: "150MiB" is a size, 3 an
/// integer, 0.5 a number, true a boolean, any other string a string. Errors: invalid_input, also
/// for a malformed size; the object is the policy's path, with the line of a default, or "--set
/// name" for a setting.
Result<Parameters> read_parameters(const Value& declared, const PolicySource& policy,
                                   const std::map<std::string, std::string>& settings,
                                   NumberAsSize number);

/// A policy's description of itself.
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

  /// Errors, one line each: not_found, permission_denied, invalid_input (not a policy, a wrong
  /// `api`, wrong parameters), policy_failed and limit_exceeded (the file's own code).
  static Result<std::unique_ptr<LuaPolicy>> load(const std::filesystem::path& path,
                                                 const Settings& settings = {},
                                                 SandboxLimits limits = {},
                                                 NumberAsSize number = NumberAsSize::refused);
  /// The same from a text; `path` stands for the file in errors and in info().
  static Result<std::unique_ptr<LuaPolicy>> load_text(std::string source, const std::string& path,
                                                      const Settings& settings = {},
                                                      SandboxLimits limits = {},
                                                      NumberAsSize number = NumberAsSize::refused);

  [[nodiscard]] std::string name() const override { return info_.name; }
  [[nodiscard]] const PolicyInfo& info() const { return info_; }
  /// The text of its file.
  [[nodiscard]] const std::string& source() const { return source_; }
  /// Errors: policy_failed, limit_exceeded; nothing is proposed then.
  Result<PolicyAnswer> decide(const Situation& situation) override;
  /// Copies the plain data in the other's ctx.state, for a reload of the same policy. Errors:
  /// policy_failed (a table contains itself), limit_exceeded (copying exceeds a tick's limits);
  /// this policy then starts with an empty state.
  Status adopt_state(LuaPolicy& old);
  /// ctx.state as the text of a Lua file, for another process. Errors: as adopt_state().
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
  NumberAsSize number_ = NumberAsSize::refused;  ///< in settings_
  PolicyInfo info_;
  Parameters parameters_;
  PolicyContext context_;
  std::unique_ptr<Sandbox> sandbox_;
  bool dropped_ = false;  ///< ctx.state grew too large: the next tick starts anew
};

}  // namespace memcoord::bindings
