#pragma once
// Metrics of ticks, as text, and the values in it.

#include <initializer_list>
#include <sstream>
#include <string>
#include <vector>

#include "engine/metrics/metrics.h"
#include "tests/world/world.h"

namespace memcoord::test {

/// The end of every tick in these tests.
inline constexpr WallTime kTickEnd{std::chrono::milliseconds(1'700'000'000'123)};

/// The metrics of a run that has had these ticks.
class MetricsAfter {
 public:
  MetricsAfter(std::initializer_list<Tick> ticks) {
    for (const Tick& tick : ticks) metrics.observe(tick);
  }

  metrics::RunMetrics metrics{"0.9", std::chrono::seconds(2), [] { return kTickEnd; }};

  [[nodiscard]] std::string text(metrics::Format format = metrics::Format::prometheus) const {
    return metrics.text(format);
  }
  /// The value of a sample: `actual_bytes{domain="a"}` for memcoord_actual_bytes{domain="a"}.
  /// Empty where there is no such sample.
  [[nodiscard]] std::string value(const std::string& sample) const {
    const std::string start = "memcoord_" + sample + " ";
    std::istringstream lines(text());
    for (std::string line; std::getline(lines, line);) {
      if (line.starts_with(start)) return line.substr(start.size());
    }
    return {};
  }
  /// The value of a size in whole MiB; -1 where there is no such sample.
  [[nodiscard]] double mib(const std::string& sample) const {
    const std::string text = value(sample);
    return text.empty() ? -1 : std::stod(text) / (1024 * 1024);
  }
};

/// A tick that has sampled this world.
inline Tick tick_of(const Snapshot& world) {
  Tick tick;
  tick.number = 1;
  tick.policy = "adaptive";
  tick.snapshot = world;
  return tick;
}

}  // namespace memcoord::test
