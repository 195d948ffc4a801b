#pragma once
// Density over several equal hosts: which host gets which domain, and figures of all hosts.

#include <cstddef>
#include <span>
#include <vector>

#include "engine/workbench/density.h"

namespace memcoord::workbench {

/// Deals domains to hosts in their order: each goes to the host with the least provisioned memory
/// so far, and of equal ones to the first. So do schedulers that spread guests by their maxima; a
/// domain's host depends on the domains before it alone. One list for each host.
std::vector<std::vector<std::size_t>> deal(const Trace& trace, std::span<const std::size_t> order,
                                           std::size_t hosts);

/// The figures of several hosts together: sums, and means weighted by the domains' time.
DensityOrder together(std::span<const DensityOrder> hosts);

}  // namespace memcoord::workbench
