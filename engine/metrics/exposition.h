#pragma once
// Families as text, in the two formats that Prometheus reads.

#include <string>

#include "engine/metrics/families.h"

namespace memcoord::metrics {

/// Appends a family in Prometheus' text format, version 0.0.4 (prometheus_text.cpp).
void append_prometheus(std::string& text, const Family& family);

/// Appends a family in OpenMetrics' text format, version 1.0.0. The caller ends the text with
/// kOpenMetricsEnd.
void append_openmetrics(std::string& text, const Family& family);
inline constexpr std::string_view kOpenMetricsEnd = "# EOF\n";

}  // namespace memcoord::metrics
