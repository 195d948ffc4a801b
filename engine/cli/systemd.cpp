#include "engine/cli/systemd.h"

#include <sys/stat.h>
#include <sys/uio.h>
// The place in the source is of no use to readers of the log, and would name the folder of the
// build.
#define SD_JOURNAL_SUPPRESS_LOCATION
#include <systemd/sd-daemon.h>
#include <systemd/sd-journal.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <utility>

#include "engine/core/decision.h"

namespace memcoord::cli {
namespace {

using observers::Log;

constexpr const char* kJournaldSocket = "/run/systemd/journal/socket";

Status notify(const std::string& state) {
  const int result = ::sd_notify(0, state.c_str());
  if (result > 0) return {};
  const char* socket = std::getenv("NOTIFY_SOCKET");
  return fail(ErrorCode::unavailable, socket != nullptr ? socket : "NOTIFY_SOCKET",
              result < 0 ? std::strerror(-result) : "is not set");
}

}  // namespace

ServiceManager::Options systemd_notifications(std::function<void(const std::string&)> warn) {
  const char* socket = std::getenv("NOTIFY_SOCKET");
  if (socket == nullptr || *socket == '\0') return {};
  ServiceManager::Options options{.send = notify, .watchdog = {}, .warn = std::move(warn)};
  std::uint64_t microseconds = 0;
  if (::sd_watchdog_enabled(0, &microseconds) > 0) {
    options.watchdog = watchdog_time(microseconds);
  }
  return options;
}

std::optional<Duration> watchdog_time(std::uint64_t microseconds) {
  if (microseconds > static_cast<std::uint64_t>(Duration::max().count())) return std::nullopt;
  return Duration(static_cast<Duration::rep>(microseconds));
}

// Children inherit JOURNAL_STREAM, so systemd reads the stream only if the variable names it.
bool journald_reads_standard_error() {
  const char* named = std::getenv("JOURNAL_STREAM");
  struct stat stream {};
  if (named == nullptr || ::fstat(STDERR_FILENO, &stream) != 0) return false;
  return std::to_string(stream.st_dev) + ":" + std::to_string(stream.st_ino) == named;
}

int priority_of(Log::Level level) {
  switch (level) {
    case Log::Level::debug:
      return 7;
    case Log::Level::info:
      return 6;
    case Log::Level::warning:
      return 4;
    case Log::Level::error:
    case Log::Level::off:
      break;
  }
  return 3;
}

std::vector<std::string> journald_fields(Log::Level level, const std::string& line,
                                         const observers::LogFields& fields) {
  std::vector<std::string> result{"MESSAGE=" + line,
                                  "PRIORITY=" + std::to_string(priority_of(level)),
                                  "SYSLOG_IDENTIFIER=memcoord"};
  if (!fields.domain.empty()) result.push_back("MEMCOORD_DOMAIN=" + fields.domain);
  for (const Rule rule : fields.rules) {
    result.push_back("MEMCOORD_RULE=" + std::string(to_text(rule)));
  }
  if (fields.from) result.push_back("MEMCOORD_FROM_BYTES=" + std::to_string(fields.from->bytes()));
  if (fields.to) result.push_back("MEMCOORD_TO_BYTES=" + std::to_string(fields.to->bytes()));
  return result;
}

bool send_to_journald(const std::vector<std::string>& fields) {
  // Without a socket sd_journal_sendv() reports success.
  if (::access(kJournaldSocket, W_OK) != 0) return false;
  std::vector<iovec> parts;
  parts.reserve(fields.size());
  for (const std::string& field : fields) {
    // sd_journal_sendv() only reads.
    parts.push_back({const_cast<char*>(field.data()), field.size()});  // NOLINT
  }
  return ::sd_journal_sendv(parts.data(), static_cast<int>(parts.size())) == 0;
}

Log::Write log_to_journald(SendToJournald send, Log::Write otherwise) {
  return [send = std::move(send), otherwise = std::move(otherwise)](
             Log::Level level, const std::string& line, const observers::LogFields& fields) {
    if (!send(journald_fields(level, line, fields))) otherwise(level, line, fields);
  };
}

}  // namespace memcoord::cli
