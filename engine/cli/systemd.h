#pragma once
// systemd: notifications to the service manager, and log lines with fields in its journal.
// systemd.cpp uses libsystemd.

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "engine/cli/service_manager.h"
#include "engine/observers/action_log.h"

namespace memcoord::cli {

/// Sends to the socket in $NOTIFY_SOCKET, within the time in $WATCHDOG_USEC. The variables stay,
/// for a process that replaces this one. Without them nothing is sent. `warn` logs the first
/// failure.
ServiceManager::Options systemd_notifications(std::function<void(const std::string&)> warn);

/// The time of $WATCHDOG_USEC. None if a Duration cannot have it.
std::optional<Duration> watchdog_time(std::uint64_t microseconds);

/// Whether journald reads standard error ($JOURNAL_STREAM).
bool journald_reads_standard_error();

/// The priority of a line in journald and syslog(3): 3 for errors to 7 for debug.
int priority_of(observers::Log::Level level);

/// The fields of a line in journald: MESSAGE, PRIORITY, SYSLOG_IDENTIFIER, and, where they are
/// known, MEMCOORD_DOMAIN, MEMCOORD_RULE (once for each rule), MEMCOORD_FROM_BYTES and
/// MEMCOORD_TO_BYTES. Each is "NAME=value".
std::vector<std::string> journald_fields(observers::Log::Level level, const std::string& line,
                                         const observers::LogFields& fields);

/// Sends a line's fields to journald. Returns false if journald does not take them.
using SendToJournald = std::function<bool(const std::vector<std::string>& fields)>;
bool send_to_journald(const std::vector<std::string>& fields);

/// Writes lines with their fields, and those that `send` does not take to `otherwise`.
observers::Log::Write log_to_journald(SendToJournald send, observers::Log::Write otherwise);

}  // namespace memcoord::cli
