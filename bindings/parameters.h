#pragma once
// The parameters that a policy declares, and the operator's `--set name=value` applied to them.

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "bindings/value.h"
#include "engine/core/error.h"

namespace memcoord::bindings {

/// One declared parameter.
struct ParameterInfo {
  std::string name;
  std::string type;  ///< "size", "integer", "number", "boolean" or "text"
  std::string default_text;
  std::string value_text;  ///< with --set applied
  std::string doc;
  std::vector<std::string> choices;  ///< for texts that are one of a few; else empty
};

/// The parameters' declarations and values, read from a policy's `params` table.
struct Parameters {
  std::vector<ParameterInfo> infos;  ///< by name
  Value values;                      ///< a table: name to what ctx.params shows
};

/// Where a declaration stands.
struct PolicySource {
  const std::string& path;
  std::string_view text;  ///< the policy's, so that errors can name lines
};

/// Reads `params` and applies settings. A default tells the type: "150MiB" is a size, 3 an integer,
/// 0.5 a number, true a boolean, any other text a text. A text that is meant to be a size and
/// cannot be read is refused. Errors: invalid_input; its object the policy's path, with the line of
/// a default, or "--set name" for a setting.
Result<Parameters> read_parameters(const Value& declared, const PolicySource& policy,
                                   const std::map<std::string, std::string>& settings);

}  // namespace memcoord::bindings
