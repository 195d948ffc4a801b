#pragma once
// The operator's limits. They make the guard stricter than its built-in floors, never laxer. Only
// `overcommit` lets domains commit more memory than the host has.

#include <optional>

#include "engine/core/snapshot.h"

namespace memcoord {

/// The limits that the guard enforces. The defaults are the built-in floors.
struct Limits {
  static constexpr MemorySize kDomainFloor = MemorySize::from_mib(100);
  static constexpr MemorySize kHostFloor = MemorySize::from_mib(200);
  static constexpr double kMaxReclaim = 0.5;
  static constexpr double kMaxOvercommit = 10;
  /// No shrink takes a guest's usable memory below this: its kernel's watermarks stay intact.
  static constexpr MemorySize kUsableFloor = MemorySize::from_mib(32);

  MemorySize domain_floor = kDomainFloor;  ///< headroom a domain keeps
  MemorySize host_floor = kHostFloor;      ///< memory the host keeps
  double max_reclaim = kMaxReclaim;        ///< share of its headroom a domain loses in one tick
  Headroom headroom = Headroom::larger;
  std::optional<MemorySize> host_memory;  ///< a budget for all guests; none: the host's memory
  /// The memory that domains may commit, as a multiple of the host's. Over 1, the host may run out:
  /// it needs swap, or guests that report their free pages.
  double overcommit = 1.0;
  int stale_after_periods = 3;                     ///< the guard ignores older statistics
  Duration stale_slack = std::chrono::seconds(1);  ///< because reports are stamped in seconds
  Duration grace = std::chrono::seconds(30);  ///< without shrinks after a start or self-deflation
  /// The unit of sizes in reasons, tables and the log.
  Units units = Units::automatic;

  /// Checks limits against the built-in floors. Errors: invalid_input, its object the option
  /// ("--domain-floor"), its hint the least value allowed.
  [[nodiscard]] static Result<Limits> checked(Limits wanted);
  /// The headroom below which tables and hints call a domain low: 1.5 times its floor.
  [[nodiscard]] MemorySize low_domain() const { return domain_floor + domain_floor / 2; }
  bool operator==(const Limits&) const = default;
};

}  // namespace memcoord
