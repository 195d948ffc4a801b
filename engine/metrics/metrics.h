#pragma once
// The metrics of a run, for Prometheus. docs/administration.md, "Metrics", lists them.

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>

#include "engine/core/hypervisor.h"
#include "engine/core/tick.h"
#include "engine/core/time.h"
#include "engine/metrics/metric_state.h"
#include "engine/observers/shortage.h"

namespace memcoord::metrics {

/// Prometheus text, version 0.0.4; OpenMetrics text, version 1.0.0.
enum class Format { prometheus, openmetrics };

/// Whether there are families about single domains.
enum class Domains { on, off };

/// The text of all families.
std::string text_of(const MetricState& state, Format format, Domains domains);

/// Counts a run's ticks and keeps the newest figures. The loop's thread writes; text() may be
/// called from any thread. A lock lasts as long as copying the counters.
class RunMetrics final : public Observer {
 public:
  /// `now` gives the time at which a tick ends; the loop's thread calls it.
  RunMetrics(std::string version, Duration interval, std::function<WallTime()> now);

  void observe(const Tick& tick) override;
  void count_skipped_ticks(std::uint64_t ticks);
  /// A tick comes before the interval has passed.
  void count_early_tick();
  void count_reload(bool ok);
  /// The number of ticks that the journal has lost since the run's start.
  void set_journal_lost_ticks(std::uint64_t ticks);
  void set_connections(const Connections& connections);

  [[nodiscard]] MetricState state() const;
  /// Another number after each change of state(): text() is the same as long as this is.
  [[nodiscard]] std::uint64_t revision() const;
  [[nodiscard]] std::string text(Format format, Domains domains = Domains::on) const {
    return text_of(state(), format, domains);
  }
  /// The number of domains that it remembers.
  [[nodiscard]] std::size_t remembered() const { return pasts_.size(); }

 private:
  /// What is known of a domain from earlier ticks.
  struct Past {
    int id = 0;                        ///< the libvirt ID under which `target` was decided
    std::optional<MemorySize> target;  ///< the size last decided
    std::optional<WallTime> reported_at;
  };
  [[nodiscard]] std::shared_ptr<const SampleFigures> figures_of(const Tick& tick);
  void add_domain(SampleFigures& figures, const observers::DomainTick& about);
  void add_past(DomainFigures& figures, const observers::DomainTick& about);
  void forget_the_gone(const Snapshot& snapshot);

  std::function<WallTime()> now_;
  std::unordered_map<Uuid, Past> pasts_;  // the loop's thread only
  Snapshot before_;  // the newest sample before this tick's; the loop's thread only
  mutable std::mutex mutex_;
  MetricState state_;           // under mutex_
  std::uint64_t revision_ = 0;  // under mutex_
};

}  // namespace memcoord::metrics
