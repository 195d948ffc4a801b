#pragma once
// A record as its page reads it: numbers as differences from one to the next, what seldom happens
// as the places where it does. All of it is ASCII and may stand within a <script>.

#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "engine/files/whole_file.h"
#include "engine/workbench/run_record.h"

namespace memcoord::workbench::report {

/// {"t": [...], "host": {...}, "domains": [...]}; written piece by piece.
void write_record(const RunRecord& record, const files::WritePiece& write);

/// The same of a record among others: `picks` are the domains whose curves are wanted (places in
/// record.domains), and how many of all were stalled, killed or held back is counted beforehand.
void write_compared_record(const RunRecord& record, std::span<const std::size_t> picks,
                           const files::WritePiece& write);

/// The guard rules' names, in the order of their bits: ["sane_target", ...].
std::string rule_names_json();

}  // namespace memcoord::workbench::report
