#pragma once
// The record of a real host's run, from recorded ticks alone.

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "engine/core/tick.h"
#include "engine/observers/domain_story.h"
#include "engine/observers/event_selection.h"
#include "engine/observers/events.h"
#include "engine/observers/tick_timeline.h"
#include "engine/workbench/run_record.h"

namespace memcoord::workbench {

/// Makes a RunRecord from ticks, which it gets in order. Its intervals lie on a grid of equal
/// widths. When the record grows past its bounds, the width doubles, and intervals that now share a
/// place become one: no shortage and no peak is lost. A time in which nothing was recorded is an
/// interval of its own, in which the host is not active.
class HostRecorder {
 public:
  struct Bounds {
    std::size_t values = 240'000;  ///< intervals times domains; at least 200 intervals are kept
    /// Domains beyond these, in the order of their appearance, have events and a story, but no
    /// curves.
    std::size_t domains = 2'000;
    std::array<std::size_t, observers::kEventGroupCount> events =
        observers::EventSelection::kUsualMost;
  };
  /// Whether a domain of this name has curves and events. The host's figures count all domains.
  using Picks = std::function<bool(std::string_view name)>;

  explicit HostRecorder(Picks picks) : HostRecorder(std::move(picks), Bounds()) {}
  HostRecorder(Picks picks, Bounds bounds)
      : picks_(std::move(picks)), bounds_(bounds), events_(bounds.events) {}

  void take(const Tick& tick);
  /// The number of ticks so far, records of restorations aside.
  [[nodiscard]] std::uint64_t ticks() const { return sums_.ticks; }
  /// The number of different domains so far.
  [[nodiscard]] std::size_t domains() const { return stories_.size(); }
  /// Returns the record. Call it once, after the last tick, if there was one.
  [[nodiscard]] RunRecord finish();

 private:
  void take_time(const Tick& tick, const observers::TickTimeline::Step& step);
  std::vector<observers::Event> events_of(const Tick& tick,
                                          const observers::TickTimeline::Step& step);
  void add_event(observers::Event event);
  void take_host(const Tick& tick, Duration passed);
  void take_domain(const Domain& domain, const Tick& tick);
  void take_rules(const Tick& tick);
  void open_interval(Duration at);
  DomainMoment* moment_of(const Uuid& domain);
  void double_width();
  void place_gaps(RunRecord& record) const;
  void add_stories(RunRecord& record);

  Picks picks_;
  Bounds bounds_;
  RunRecord record_;
  RecordedSums sums_;
  observers::TickTimeline timeline_;
  observers::EventFinder finder_;
  observers::EventSelection events_;
  observers::StoryTeller stories_;

  Duration width_ = std::chrono::seconds(1);
  std::vector<std::int64_t> slots_;  ///< of each interval: its place on the grid
  struct Gap {
    Duration from{};
    Duration to{};
  };
  std::vector<Gap> gaps_;
  struct Past {
    std::size_t place = 0;  ///< in RunRecord::domains
    int id = 0;             ///< Domain::id
    std::optional<MemorySize> swap_in;
  };
  std::unordered_map<Uuid, Past> past_;
  std::unordered_map<std::string, Uuid> by_name_;
};

}  // namespace memcoord::workbench
