#pragma once
// The last hour of a run in bounded memory: the host, and each of its domains.

#include <array>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <optional>
#include <unordered_map>
#include <utility>
#include <vector>

#include "engine/core/tick.h"
#include "engine/core/time.h"

namespace memcoord::control {

/// Keeps points that stand for 30 s or one tick, whichever is longer. The loop writes, the server's
/// threads read. A lock lasts as long as one tick takes to write, or one domain to read.
///
/// A point keeps the figures of the tick that was tightest in it, so that no shortage vanishes: for
/// the host the one with the least to grant, for a domain the one with the least headroom (one
/// without a report counts only if none has). All figures of a point are of that one tick. The
/// newest point shows the newest tick until the next point begins. Points go by the monotonic
/// clock: the wall clock may be set, and a simulated host has its own.
///
/// Figures take 4 bytes each: some 1.8 KiB a domain. A domain that is gone is dropped.
class RunHistory final : public Observer {
 public:
  static constexpr std::size_t kPoints = 120;
  static constexpr Duration kDistance = std::chrono::seconds(30);
  static constexpr Duration kWindow = kDistance * static_cast<int>(kPoints);
  static constexpr std::size_t kMoves = 12;          ///< the newest of a domain
  static constexpr std::size_t kMaximumChanges = 4;  ///< of a domain

  /// A size in KiB with seven digits; NaN where it is not known.
  using Figure = float;
  /// The parts of the host's memory, as in HostStack.
  struct HostPoint {
    Figure used, backed, unbacked, grantable, floor, reserved;
  };
  /// The points that are kept, the oldest first.
  struct Points {
    std::uint64_t first = 0;  ///< the number of the first, for of()
    /// Of the newest tick in each point, by the wall clock of the last tick.
    std::vector<WallTime> times;
    std::vector<HostPoint> host;
  };
  struct Move {
    WallTime time;  ///< of its tick
    Figure from;
    Figure to;
    bool dry_run;  ///< decided in a dry run, and not made
  };
  /// A domain's figures at some points, and its newest moves, the oldest first.
  struct DomainCurves {
    std::vector<Figure> actual;
    std::vector<Figure> used;  ///< as in observers::GuestUse
    std::vector<Figure> rss;
    std::vector<Figure> maximum;
    std::vector<Move> moves;
  };

  void observe(const Tick& tick) override;

  [[nodiscard]] Points points() const;
  /// The domain at these points; none where it is not active. Points that were dropped since are
  /// not known.
  [[nodiscard]] std::optional<DomainCurves> of(const Uuid& domain, const Points& points) const;
  /// The bytes that it takes.
  [[nodiscard]] std::size_t memory() const;

 private:
  /// A domain's figures in one tick.
  struct DomainPoint {
    Figure actual, used, rss;
    Figure headroom;  ///< NaN without a report
  };
  struct DomainPast {
    std::array<Figure, kPoints> actual;
    std::array<Figure, kPoints> used;
    std::array<Figure, kPoints> rss;
    DomainPoint tightest;                                   ///< in the newest point
    std::uint64_t first = 0;                                ///< its first point
    std::uint64_t turn = 0;                                 ///< of the newest tick that has it
    std::vector<std::pair<std::uint64_t, Figure>> maximum;  ///< since which point; rarely changes
    std::vector<Move> moves;
  };
  [[nodiscard]] bool begin_point(MonotonicTime at);
  void add_host(const Tick& tick, bool begins);
  void add_domain(const Domain& domain, const Tick& tick, bool begins, bool reports);
  static void put(DomainPast& past, std::uint64_t point, const DomainPoint& figures);
  void add_moves(const Tick& tick);
  [[nodiscard]] std::uint64_t first_kept() const;
  static constexpr std::size_t slot(std::uint64_t point) { return point % kPoints; }

  mutable std::mutex mutex_;
  // All under mutex_. Point n is at slot n % kPoints.
  std::uint64_t count_ = 0;  ///< points so far; the newest has the number count_ - 1
  std::uint64_t turn_ = 0;   ///< ticks so far
  MonotonicTime origin_{};   ///< of the first tick
  std::pair<MonotonicTime, WallTime> newest_{};  ///< the times of the last tick
  std::array<MonotonicTime, kPoints> at_{};
  std::array<HostPoint, kPoints> host_{};
  HostPoint tightest_{};                           ///< of the host in the newest point
  std::pair<MemorySize, MemorySize> host_left_{};  ///< grantable and shortfall there
  std::unordered_map<Uuid, DomainPast> domains_;
};

}  // namespace memcoord::control
