#pragma once
// The operator's limits. They make the guard stricter than its built-in floors, never laxer; only
// `overcommit` can let more memory be committed than the host has.

#include <optional>

#include "engine/core/snapshot.h"

namespace memcoord {

/// What the guard holds to. The defaults are the built-in floors.
struct Limits {
  static constexpr MemorySize kDomainFloor = MemorySize::from_mib(100);
  static constexpr MemorySize kHostFloor = MemorySize::from_mib(200);
  static constexpr double kMaxRelease = 0.5;
  static constexpr double kMostOvercommit = 10;
  /// No shrink takes a guest's usable memory under it: its kernel's watermarks stay whole.
  static constexpr MemorySize kUsableFloor = MemorySize::from_mib(32);

  MemorySize domain_floor = kDomainFloor;  ///< headroom a domain keeps
  MemorySize host_floor = kHostFloor;      ///< memory the host keeps
  double max_release = kMaxRelease;        ///< share of its headroom a domain loses in one tick
  Headroom headroom = Headroom::larger;
  std::optional<MemorySize> host_memory;  ///< what the guests may use, where less than the host's
  /// How much memory may be committed, as a multiple of the host's. Over 1 it is not sure to be
  /// there: on hosts with swap, or whose guests give free pages back by themselves.
  double overcommit = 1.0;
  int stale_after_periods = 3;                     ///< statistics older than this are not trusted
  Duration stale_slack = std::chrono::seconds(1);  ///< reports are stamped in whole seconds
  Duration grace = std::chrono::seconds(30);  ///< no shrink so soon after a start or self-deflation
  /// No limit, but what sizes are told in where a limit limits: in reasons, tables and the log.
  Units units = Units::automatic;

  /// The limits, or why they are refused: a value laxer than the built-in floor. Errors:
  /// invalid_input, its object the option ("--domain-floor"), its hint the least allowed value.
  [[nodiscard]] static Result<Limits> checked(Limits wanted);
  /// A domain with less headroom is low, in tables and hints: half as much again as its floor.
  [[nodiscard]] MemorySize low_domain() const { return domain_floor + domain_floor / 2; }
  bool operator==(const Limits&) const = default;
};

}  // namespace memcoord
