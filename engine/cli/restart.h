#pragma once
// Starts the process again in its own place, with what the policy kept.

#include <chrono>
#include <string>

namespace memcoord::cli {

/// Replaces the process by a new run of the same command line, which finds `state` by
/// take_handed_over(). Returns only where that fails, or where the process was itself started so
/// less than ten minutes ago: then a pause is called for, which is the service manager's to make.
void start_again(const std::string& state);

/// Writes `state` where take_handed_over() finds it in this process or the next; false where the
/// system has no room for it.
bool hand_over(const std::string& state);
/// What a process before this one handed over; once, then empty.
std::string take_handed_over();
/// Whether start_again() may do it at a time, by what the environment says of the last time.
bool may_start_again(std::chrono::steady_clock::time_point now);

}  // namespace memcoord::cli
