#pragma once
// Writes ticks to a log: moves, moves that the guard refused, shortages, errors.

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "engine/core/printable.h"
#include "engine/core/tick.h"
#include "engine/observers/merged_lines.h"
#include "engine/observers/shortage_episodes.h"

namespace memcoord::observers {

/// What a line is about, for a log that keeps fields beside the text.
struct LogFields {
  std::string domain = {};       ///< its name, as libvirt has it; empty if the line is about none
  std::vector<Rule> rules = {};  ///< the guard's rules that limited or refused the move
  std::optional<MemorySize> from = {};
  std::optional<MemorySize> to = {};
};

/// Passes log lines from a level up to a function, made printable: a name in a line can neither act
/// on a terminal nor begin a line of its own. Cuts lines at kLongestLine bytes, because systemd's
/// journal would split them.
class Log {
 public:
  enum class Level { debug, info, warning, error, off };
  static constexpr std::size_t kLongestLine = 16384;
  using Write = std::function<void(Level, const std::string& line, const LogFields& fields)>;

  Log(Level least, Write write) : least_(least), write_(std::move(write)) {}
  void write(Level level, const std::string& line, const LogFields& fields = {}) const {
    if (level >= least_) write_(level, printable(line, kLongestLine), fields);
  }
  void debug(const std::string& line, const LogFields& fields = {}) const {
    write(Level::debug, line, fields);
  }
  void info(const std::string& line, const LogFields& fields = {}) const {
    write(Level::info, line, fields);
  }
  void warn(const std::string& line, const LogFields& fields = {}) const {
    write(Level::warning, line, fields);
  }
  void error(const std::string& line) const { write(Level::error, line); }
  /// Whether it passes lines of this level.
  [[nodiscard]] bool passes(Level level) const { return level >= least_; }
  /// Passes lines to another function from now on. Returns the previous one.
  Write redirect(Write write) { return std::exchange(write_, std::move(write)); }

 private:
  Level least_;
  Write write_;
};

/// Writes each tick's events to a log: moves at level info, failures at warning or error, a warning
/// when a domain becomes short of memory and an info when the shortage ends, refused moves at
/// debug. An error that repeats is written once, and counted when it ends. Small moves, and what
/// exceeds the lines of a minute, are summed up once a minute (MergedLines), unless the log passes
/// debug.
class ActionLog final : public Observer {
 public:
  explicit ActionLog(std::shared_ptr<Log> log) : log_(std::move(log)) {}
  void observe(const Tick& tick) override;
  /// Writes a note that belongs to no tick.
  void write(const Note& note);
  /// Writes the summary of the minute that has begun. Call it at the end of a run.
  void flush() { write(merged_.flush()); }
  /// The number of domains whose last failure or shortage is kept.
  [[nodiscard]] std::size_t remembered() const { return failing_.size() + shortages_.remembered(); }

 private:
  /// A tick's record of one domain, except its decision.
  struct About {
    const Domain* domain = nullptr;
    const Outcome* done = nullptr;  ///< the last step applied, or of a dry run
    const Outcome* last = nullptr;
  };
  using AboutAll = std::unordered_map<Uuid, About>;
  static AboutAll index(const Tick& tick);
  static std::string name_of(const About* about, const Uuid& uuid);

  void write_error(const char* what, const std::optional<Error>& error, std::string& last,
                   std::uint64_t& times);
  void write(const std::vector<MergedLines::Line>& lines);
  void write_moves(const Tick& tick);
  void write_shortages(const Tick& tick);
  void write_decision(const AboutAll& all, const Decision& decision);
  void write_failure(const About& about);
  void forget_gone_domains(const AboutAll& all);

  std::shared_ptr<Log> log_;
  Units units_ = Units::automatic;  ///< those of the tick
  std::string last_sample_error_;
  std::string last_policy_error_;
  std::uint64_t sample_errors_ = 0;
  std::uint64_t policy_errors_ = 0;
  struct Failing {
    std::string why;
    int id = 0;  ///< Domain::id
  };
  std::unordered_map<Uuid, Failing> failing_;
  ShortageFinder shortages_;
  MergedLines merged_;
};

/// "web1: 512 MiB -> 640 MiB (+128 MiB): fed by db1 (asked for 1 GiB; gradual)".
std::string describe_move(const std::string& name, const Decision& decision, Units units);

}  // namespace memcoord::observers
