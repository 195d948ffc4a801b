#pragma once
// Prometheus' text format 0.0.4, as memcoord and other exporters write it:
// https://prometheus.io/docs/instrumenting/exposition_formats/#text-based-format

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "engine/core/error.h"

namespace memcoord::fleet {

/// One line: memcoord_domains{state="running"} 4
struct MetricSample {
  std::string name;
  std::map<std::string, std::string> labels;
  double value = 0;  ///< may be infinite or not a number
};

/// The samples of a text, in order; comments, types and timestamps are left out. Errors, with
/// "line N" as the object: invalid_input.
Result<std::vector<MetricSample>> parse_metrics(std::string_view text);

}  // namespace memcoord::fleet
