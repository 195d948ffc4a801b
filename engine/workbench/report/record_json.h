#pragma once
// A run's record as JSON for the scripts of a page: sizes as differences from one moment to the
// next, rare states as the positions where they occur. All of it is ASCII and safe within a
// <script>.

#include <cstddef>
#include <span>
#include <string>

#include "engine/files/atomic_file.h"
#include "engine/workbench/run_record.h"

namespace memcoord::workbench::report {

/// Writes {"t": [...], "host": {...}, "domains": [...]}, piece by piece.
void write_record(const RunRecord& record, const files::WritePiece& write);

/// Writes the record of one run among others: as above, with the domains at these positions of
/// record.domains only, and with how many of all domains were stalled, killed or limited in each
/// interval.
void write_compared_record(const RunRecord& record, std::span<const std::size_t> picks,
                           const files::WritePiece& write);

/// The guard rules' names in the order of DomainMoment::rules' bits: ["sane_target", ...].
std::string rule_names_json();

}  // namespace memcoord::workbench::report
