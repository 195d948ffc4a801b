#pragma once
// What a simulated run is about: a host, its domains, what their guests will want, and when.
// docs/simulator.md describes the model and gives each default's source.

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "engine/core/snapshot.h"

namespace memcoord::simulated {

/// Amounts of memory over the time since the scenario's start.
class Plan {
 public:
  struct Point {
    Duration at{};
    MemorySize size;
    bool operator==(const Point&) const = default;
  };
  enum class Shape { ramp, step };

  Plan() = default;
  /// Points in rising order of time. Before the first and after the last their sizes hold.
  Plan(std::vector<Point> points, Shape shape) : points_(std::move(points)), shape_(shape) {}

  /// KiB at a moment. `cursor` remembers where the last look was, so that time that goes on costs
  /// nothing to find; start it at 0.
  [[nodiscard]] double at(Duration time, std::size_t& cursor) const;
  /// Until when the amount stays what it is at this moment; the moment itself where it is changing.
  [[nodiscard]] Duration steady_until(Duration time, std::size_t& cursor) const;
  [[nodiscard]] const std::vector<Point>& points() const { return points_; }
  [[nodiscard]] bool empty() const { return points_.empty(); }
  [[nodiscard]] MemorySize largest() const;
  bool operator==(const Plan&) const = default;

 private:
  std::vector<Point> points_;
  Shape shape_ = Shape::ramp;
};

/// A stretch of time in which a domain misbehaves.
struct Fault {
  enum class Kind {
    silent,  ///< its statistics stop coming
    paused,
    hung,        ///< its hypervisor process does not answer
    stuck,       ///< its balloon takes targets and stays where it is
    garbage,     ///< its driver cannot read its counters, and reports -1 pages
    per_report,  ///< its driver reports what was counted since its last report
  };
  Kind kind = Kind::silent;
  Duration from{};
  Duration until{};
  bool operator==(const Fault&) const = default;
};

/// One domain of a scenario.
struct ScenarioDomain {
  std::string name;
  MemorySize maximum = MemorySize::from_mib(512);
  MemorySize initial = MemorySize::from_mib(512);  ///< balloon size at its start
  DomainSettings settings;
  MemorySize swap;                            ///< none by default
  Duration period = std::chrono::seconds(1);  ///< of its statistics
  bool driver = true;                         ///< a guest without one never moves nor reports
  MemorySize page = kBalloonPage;             ///< of its kernel: its balloon moves by whole ones
  bool free_page_reporting = false;           ///< what the guest frees leaves rss by itself
  bool touched = false;    ///< it is under way and has used all of its memory before
  bool hugepages = false;  ///< its memory is the pool's: no balloon serves it
  std::optional<MemorySize> process_overhead;  ///< where its QEMU is not the model's
  std::optional<MemorySize> hard_limit;        ///< of its cgroup
  NodeSet nodes;                               ///< that its memory is bound to; empty: to none
  Plan demand;                                 ///< what its workload holds
  Plan cache;                                  ///< what its file reading would fill, if it may
  std::vector<Fault> faults;
  Duration start{};              ///< when it is started
  std::optional<Duration> stop;  ///< when it is shut down
};

/// The figures of the model. Measured: Debian 12 cloud kernel 6.1 under QEMU 7.2.
struct Model {
  MemorySize kernel_reserved = MemorySize::from_mib(42);  ///< actual less MemTotal (measured)
  MemorySize kernel_used = MemorySize::from_mib(40);    ///< MemTotal less MemFree, fresh (measured)
  MemorySize min_watermark = MemorySize::from_mib(44);  ///< free memory no workload gets (Linux)
  MemorySize low_watermark = MemorySize::from_mib(51);  ///< MemFree less MemAvailable (measured)
  MemorySize inflate_rate = MemorySize::from_mib(800);  ///< a second (measured: 0.7 to 0.85 GiB)
  MemorySize deflate_rate = MemorySize::from_mib(1800);    ///< a second (measured)
  MemorySize swap_rate = MemorySize::from_mib(100);        ///< a second, each way (assumed: a disk)
  MemorySize process_overhead = MemorySize::from_mib(30);  ///< QEMU's own part of rss
  MemorySize touch_rate = MemorySize::from_gib(2);  ///< fresh pages a second (assumed: one vCPU)
  Duration restart = std::chrono::seconds(10);      ///< a killed workload comes back after
  Duration largest_step = std::chrono::seconds(1);  ///< how finely time is cut
};

/// All of it.
struct Scenario {
  std::string name;
  std::string summary;
  MemorySize host_total = MemorySize::from_gib(4);
  MemorySize host_base = MemorySize::from_mib(300);  ///< what the host itself uses
  Plan host_use;                                     ///< what it uses on top of that
  std::vector<MemorySize> host_nodes;  ///< sizes of its NUMA nodes; empty: it has none
  MemorySize host_hugepages;           ///< the pool of hugepages
  Plan host_merged;                    ///< what merging of pages (KSM) saves
  MemorySize host_cached;              ///< page cache: available, not free
  MemorySize host_swap;
  Duration duration = std::chrono::seconds(60);
  std::uint64_t seed = 1;
  Model model;
  std::vector<ScenarioDomain> domains;
};

/// What memcoord does to statistics periods on a real host: those that are too long for ticks so
/// far apart are shortened.
void shorten_periods(Scenario& scenario, Duration interval);

}  // namespace memcoord::simulated
