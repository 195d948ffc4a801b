#pragma once
// The log: lines on standard error, for people and the system's journal.

#include <functional>
#include <memory>
#include <string>

#include "engine/core/tick_parts.h"
#include "engine/core/time.h"
#include "engine/observers/action_log.h"

namespace memcoord::cli {

/// A log on standard error. On a terminal or in a file each line has the time that `now` gives;
/// where systemd reads it (JOURNAL_STREAM), which stamps lines itself, the level goes ahead in its
/// own form ("<4>"). `level` is one of debug, info, warning, error, off.
std::shared_ptr<observers::Log> make_log(const std::string& level, bool colored,
                                         std::function<WallTime()> now);

/// While one lives, the log's lines go to `take` instead (without time and line break): to a
/// table that is redrawn in place, which lines between would tear.
class LogDiversion {
 public:
  using Take = std::function<void(std::string, Note::Severity)>;
  LogDiversion(std::shared_ptr<observers::Log> log, Take take);
  ~LogDiversion();
  LogDiversion(const LogDiversion&) = delete;
  LogDiversion& operator=(const LogDiversion&) = delete;

 private:
  std::shared_ptr<observers::Log> log_;
  observers::Log::Write before_;
};

}  // namespace memcoord::cli
