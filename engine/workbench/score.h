#pragma once
// What a simulated run is judged by. docs/simulator.md defines each figure.

#include <cstdint>

#include "engine/hypervisor/simulated/simulated_hypervisor.h"

namespace memcoord::workbench {

/// One run's figures; smaller is better in all of them.
struct Score {
  double domain_seconds = 0;  ///< time that domains ran, summed up
  double stalled = 0;         ///< share of that time in which a guest's demand did not fit
  double deficit = 0;         ///< how much it missed, GiB-hours
  int guest_oom = 0;
  int host_oom = 0;
  double breach_seconds = 0;  ///< the host was under its floor
  double overhead = 0;        ///< memory granted and not needed, as a share of the need
  double churn = 0;           ///< balloon moved, MiB a domain and hour
  bool operator==(const Score&) const = default;
};

/// The figures of a host that was simulated up to now. settle() it first.
Score score_of(const simulated::SimulatedHost& host);

}  // namespace memcoord::workbench
