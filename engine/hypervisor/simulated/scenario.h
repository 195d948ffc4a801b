#pragma once
// A scenario: a simulated host, its domains, and the memory that their guests demand over time.
// docs/simulator.md describes the model and gives the source of each default.

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "engine/core/snapshot.h"

namespace memcoord::simulated {

/// An amount of memory over time. Times count from the scenario's start.
class Plan {
 public:
  struct Point {
    Duration at{};
    MemorySize size;
    bool operator==(const Point&) const = default;
  };
  enum class Shape { ramp, step };

  Plan() = default;
  /// `points` are in rising order of time. The first and the last size hold before and after them.
  Plan(std::vector<Point> points, Shape shape) : points_(std::move(points)), shape_(shape) {}

  /// The amount at a moment, KiB. `cursor` starts at 0 and remembers the last point, so that
  /// advancing time costs no search.
  [[nodiscard]] double at(Duration time, std::size_t& cursor) const;
  /// Until when the amount of this moment holds; the moment itself: the amount is changing.
  [[nodiscard]] Duration steady_until(Duration time, std::size_t& cursor) const;
  [[nodiscard]] const std::vector<Point>& points() const { return points_; }
  [[nodiscard]] Shape shape() const { return shape_; }
  [[nodiscard]] bool empty() const { return points_.empty(); }
  [[nodiscard]] MemorySize largest() const;
  bool operator==(const Plan&) const = default;

 private:
  std::vector<Point> points_;
  Shape shape_ = Shape::ramp;
};

/// A time span in which a domain misbehaves.
struct Fault {
  enum class Kind {
    silent,  ///< its guest reports no statistics
    paused,
    hung,        ///< its hypervisor process does not answer
    stuck,       ///< its balloon accepts targets and does not move
    garbage,     ///< its driver cannot read its counters and reports -1 pages
    per_report,  ///< its driver reports what it counted since its last report
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
  MemorySize swap;
  Duration period = std::chrono::seconds(1);   ///< of its statistics
  bool driver = true;                          ///< false: its balloon neither moves nor reports
  MemorySize page = kBalloonPage;              ///< its kernel's; the balloon moves by whole pages
  bool free_page_reporting = false;            ///< memory that the guest frees leaves rss by itself
  bool touched = false;                        ///< it runs already and has used all of its memory
  MemorySize backed;                           ///< of its memory, as it starts: at least its use
  bool hugepages = false;                      ///< its memory is the pool's: no balloon serves it
  std::optional<MemorySize> process_overhead;  ///< of its QEMU; none: the model's
  std::optional<MemorySize> hard_limit;        ///< of its cgroup
  NodeSet nodes;                               ///< that its memory is bound to; empty: not bound
  Plan demand;                                 ///< what its workload holds
  Plan cache;          ///< page cache that its file reading fills, given room
  Plan backed_unused;  ///< what its process holds of its unused memory
  std::vector<Fault> faults;
  Duration start{};
  std::optional<Duration> stop;

  [[nodiscard]] bool has_fault(Fault::Kind kind, Duration at) const;
  /// Its guest reports statistics at this moment.
  [[nodiscard]] bool reports(Duration at) const;
  /// The size at which a balloon of whole pages stops for a target. Linux rounds the balloon up to
  /// its own pages where they are larger than the device's.
  [[nodiscard]] MemorySize whole_pages(MemorySize target) const;
};

/// The model's figures. "Measured" means: Debian 12 cloud kernel 6.1 under QEMU 7.2.
struct Model {
  MemorySize kernel_reserved = MemorySize::from_mib(42);  ///< actual - MemTotal (measured)
  MemorySize kernel_used = MemorySize::from_mib(40);  ///< MemTotal - MemFree after boot (measured)
  MemorySize min_watermark =
      MemorySize::from_mib(44);  ///< free memory that no workload gets (Linux)
  MemorySize low_watermark = MemorySize::from_mib(51);  ///< MemFree - MemAvailable (measured)
  MemorySize processor_lists;  ///< freed memory that counts neither as free nor as available
  MemorySize inflate_rate = MemorySize::from_mib(800);     ///< a second (measured: 0.7 to 0.85 GiB)
  MemorySize deflate_rate = MemorySize::from_mib(1800);    ///< a second (measured)
  MemorySize swap_rate = MemorySize::from_mib(100);        ///< a second, each way (assumed: a disk)
  MemorySize process_overhead = MemorySize::from_mib(30);  ///< QEMU's own part of rss
  MemorySize touch_rate = MemorySize::from_gib(2);  ///< fresh pages a second (assumed: one vCPU)
  Duration restart = std::chrono::seconds(10);      ///< until a killed workload comes back
  Duration reports_after =
      std::chrono::milliseconds(3);  ///< from the request for a report to it (measured)
  Duration largest_step = std::chrono::seconds(1);  ///< of simulated time
  /// The same while a balloon moves, and while the host's memory could run out within a larger one.
  Duration fine_step = std::chrono::milliseconds(100);
};

struct Scenario {
  std::string name;
  std::string summary;
  MemorySize host_total = MemorySize::from_gib(4);
  MemorySize host_base = MemorySize::from_mib(300);  ///< what the host itself uses
  Plan host_use;                                     ///< what the host uses beyond host_base
  std::vector<MemorySize> host_nodes;                ///< sizes of its NUMA nodes; empty: none
  MemorySize host_hugepages;                         ///< the pool of hugepages
  Plan host_merged;                                  ///< memory that KSM saves
  MemorySize host_cached;                            ///< page cache: available, not free
  MemorySize host_swap;
  Duration duration = std::chrono::seconds(60);
  std::uint64_t seed = 1;
  Model model;
  std::vector<ScenarioDomain> domains;
};

}  // namespace memcoord::simulated
