#pragma once
// Stretches of a run that become one, so that what is kept of it stays bounded.

#include <cstddef>

#include "engine/workbench/run_record.h"

namespace memcoord::workbench {

/// Two stretches of a domain, `a` before `b`, as one; where it was active in one only, that one.
DomainMoment merged(const DomainMoment& a, const DomainMoment& b);
HostMoment merged(const HostMoment& a, const HostMoment& b);

/// The record in at most so many stretches (at least one); domains, events and figures stay.
RunRecord thinned(const RunRecord& record, std::size_t most_moments);

}  // namespace memcoord::workbench
