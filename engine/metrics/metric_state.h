#pragma once
// What a run's metrics are made of: plain values, so that families.cpp is a pure function of them.

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "engine/core/host_stack.h"
#include "engine/core/hypervisor.h"
#include "engine/core/tick.h"
#include "engine/observers/memory_use.h"

namespace memcoord::metrics {

enum class TickResult { ok, sample_error, policy_error };
inline constexpr std::size_t kTickResultCount = 3;
enum class Stage { sample, decide, review, apply };
inline constexpr std::size_t kStageCount = 4;
enum class Direction { grow, shrink };
inline constexpr std::size_t kDirectionCount = 2;
inline constexpr std::size_t kOutcomeCount = 6;      ///< of Outcome::Kind
inline constexpr std::size_t kDomainStateCount = 8;  ///< of DomainState

/// Why domains are skipped: by a rule of the guard, paused by an operator, or excluded (by settings
/// or options, or because a balloon cannot serve them).
enum class SkipReason { running_only, fresh_stats, paused, excluded };
inline constexpr std::size_t kSkipReasonCount = 4;

std::string_view to_text(TickResult result);
std::string_view to_text(Stage stage);
std::string_view to_text(Direction direction);
std::string_view to_text(SkipReason reason);

/// A histogram of a stage's times.
struct StageTimes {
  /// Upper bounds of the buckets; a last bucket has the rest.
  static constexpr std::array<Duration, 11> kBounds{
      std::chrono::microseconds(100), std::chrono::microseconds(500),
      std::chrono::milliseconds(1),   std::chrono::milliseconds(5),
      std::chrono::milliseconds(10),  std::chrono::milliseconds(50),
      std::chrono::milliseconds(100), std::chrono::milliseconds(250),
      std::chrono::milliseconds(500), std::chrono::seconds(1),
      std::chrono::milliseconds(2500)};
  std::array<std::uint64_t, kBounds.size() + 1> counts{};
  Duration sum{};

  void add(Duration time);
};

/// Counts since the run's start. They never fall. Arrays are indexed by the enums above.
struct Counters {
  std::array<std::uint64_t, kTickResultCount> ticks{};
  std::uint64_t skipped_ticks = 0;
  std::uint64_t early_ticks = 0;
  std::array<StageTimes, kStageCount> stages{};
  std::uint64_t reloads = 0;
  std::uint64_t failed_reloads = 0;
  std::uint64_t journal_lost_ticks = 0;
  std::array<std::uint64_t, kRuleCount> interventions{};
  std::array<std::uint64_t, kDirectionCount> proposals{};
  std::array<std::array<std::uint64_t, kOutcomeCount>, kDirectionCount> moves{};
  std::array<MemorySize, kDirectionCount> moved{};
};

/// A domain in the newest sample.
struct DomainFigures {
  std::shared_ptr<const DomainIdentity> identity;
  bool hung = false;  ///< then only `identity`, `skipped` and the report's time count
  bool skipped = false;
  MemorySize actual;
  MemorySize maximum;
  std::optional<MemorySize> target;  ///< the size last decided; none: no decision since its start
  std::optional<MemorySize> rss;
  std::optional<MemorySize> headroom;   ///< by the run's metric; none: the guest is silent
  bool expects_report = false;          ///< it runs or hangs, and is not excluded
  std::optional<WallTime> reported_at;  ///< the time of its guest's newest report, however old
  GuestStatistics guest;                ///< empty if its newest report is too old
};

/// What the newest sample shows.
struct SampleFigures {
  Host host;
  Limits limits;
  MemorySize grantable;
  HostAccount account;
  HostHeadroom headroom;
  observers::HostState host_state = observers::HostState::fine;
  std::array<std::uint64_t, kDomainStateCount> states{};
  std::array<std::uint64_t, kSkipReasonCount> skipped{};
  std::vector<DomainFigures> domains;
};

/// Counts a tick of the loop.
void count(Counters& counters, const Tick& tick);

struct MetricState {
  std::string version;
  Duration interval{};
  Counters counters;
  Connections connections;
  bool ready = false;                 ///< a tick has sampled the host and got the policy's answer
  std::optional<WallTime> last_tick;  ///< when the newest tick ended; none before the first
  std::string policy;                 ///< of the newest tick
  bool dry_run = false;
  bool fallback_active = false;
  /// Null unless the newest tick's sample worked: old figures are left out, not repeated.
  std::shared_ptr<const SampleFigures> sample;
};

}  // namespace memcoord::metrics
