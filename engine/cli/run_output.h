#pragma once
// The output of a run: the log, standard output, the journal, the summary at the end.

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <unordered_set>
#include <vector>

#include "engine/cli/run_options.h"
#include "engine/core/coordinator.h"
#include "engine/core/decision.h"
#include "engine/core/error.h"
#include "engine/core/hypervisor.h"
#include "engine/core/tick.h"
#include "engine/core/time.h"
#include "engine/metrics/metrics.h"
#include "engine/metrics/metrics_file.h"
#include "engine/observers/action_log.h"
#include "engine/observers/console.h"
#include "engine/observers/journal.h"
#include "engine/screen/screen.h"

namespace memcoord::cli {

/// A log on standard error (logging.cpp, with spdlog). Each line has the time that `now` gives. If
/// journald reads the stream (JOURNAL_STREAM), lines go to journald with their fields instead, and
/// to the stream with their priority ("<4>") where journald does not take them. `level` is debug,
/// info, warning, error or off.
std::shared_ptr<observers::Log> make_log(const std::string& level, bool colored,
                                         std::function<WallTime()> now);

/// While it lives, the log's lines go to `take`, without time and line end. A screen shows them,
/// because lines in between would destroy it.
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

/// Totals over all ticks of a run.
class RunSummary : public Observer {
 public:
  void observe(const Tick& tick) override;

  /// "5 ticks, 3 moves, +150 MiB to 2 domains, -64 MiB from 1 domain, no errors"
  [[nodiscard]] std::string text() const;
  /// Whether at least one tick sampled the host and got an answer from the policy, or there was no
  /// tick.
  [[nodiscard]] bool any_tick_worked() const { return worked_ > 0 || ticks_ == 0; }
  /// How many domains it remembers, so that each counts once.
  [[nodiscard]] std::size_t remembered() const {
    return served_.known.size() + shrunk_.known.size();
  }

 private:
  /// Counts different domains in bounded memory: a domain that was gone for long counts again.
  struct Counted {
    std::unordered_set<Uuid> known;
    std::uint64_t gone = 0;
    [[nodiscard]] std::uint64_t all() const { return gone + known.size(); }
    void forget_the_gone(const Snapshot& snapshot);
  };
  void count(const Outcome& outcome);

  std::uint64_t ticks_ = 0;
  std::uint64_t worked_ = 0;
  std::uint64_t moves_ = 0;
  std::uint64_t failed_moves_ = 0;
  std::int64_t unanswered_moves_ = 0;
  std::uint64_t sample_errors_ = 0;
  std::uint64_t policy_errors_ = 0;
  bool dry_run_ = false;
  Units units_ = Units::automatic;
  MemorySize given_;
  MemorySize taken_;
  Counted served_;
  Counted shrunk_;
};

class RecordProgress;

/// The observers of one run.
class RunOutput {
 public:
  RunOutput(RunOutput&&) noexcept;
  RunOutput& operator=(RunOutput&&) noexcept;
  ~RunOutput();

  /// Opens the journal and the metrics' file if the options name them. `now` gives log lines on a
  /// screen their time. Errors: those of open_journal() and MetricsFile::open(), and
  /// invalid_input for metrics that would replace another file of the run.
  static Result<RunOutput> open(const RunOptions& options, std::shared_ptr<observers::Log> log,
                                std::function<WallTime()> now);

  /// Whether the run has a terminal for open_screen().
  [[nodiscard]] bool wants_screen() const { return wants_screen_; }
  /// Shows the run on the whole terminal instead of printing tables. Logs why it cannot. Call it
  /// before observe(). A person who quits calls `quit`, in another thread.
  void open_screen(std::unique_ptr<screen::TickSource> source, std::function<void()> quit);

  /// Registers them all. This object must outlive the coordinator.
  void observe(Coordinator& coordinator);
  /// Call it after each tick: shows it on the screen, writes the metrics' file, and logs the notes
  /// of the journal and of that file.
  void after_tick(metrics::RunMetrics& metrics);
  /// The ticks that the journal loses at present.
  [[nodiscard]] std::optional<observers::JournalLoss> journal_loss() const;
  /// Call it when the loop has ended: restores the terminal, and repeats the warnings and errors
  /// that the screen had. Unless `quit`, prints the last table. From now on the log goes to
  /// standard error.
  void end_display(bool quit);
  /// Logs how many domains have their memory back, and for each other domain its size and the
  /// reason.
  void log_restored(const Result<std::vector<Restored>>& restored);
  /// Removes the metrics' file, says what was recorded, closes the hypervisor and logs its last
  /// notes, such as settings that it could not restore.
  void close(Hypervisor& hypervisor);
  /// Opens the journal anew, because it may have been rotated. Returns and logs the result in
  /// words; empty without a journal.
  std::string reopen();
  /// Whether the reader of standard output has gone (`memcoord | head`).
  [[nodiscard]] static bool reader_is_gone();
  [[nodiscard]] const RunSummary& summary() const { return *summary_; }

 private:
  RunOutput();
  void open_console();
  void log_output_error();
  std::shared_ptr<observers::Log> log_;
  Units units_ = Units::automatic;
  std::unique_ptr<Observer> json_;
  std::unique_ptr<observers::ConsoleTable> console_;
  bool wants_screen_ = false;
  screen::Screen::Options screen_options_;
  std::function<WallTime()> now_;
  std::unique_ptr<screen::Screen> screen_;
  std::unique_ptr<LogDiversion> diversion_;
  std::unique_ptr<observers::Journal> journal_;
  std::unique_ptr<RecordProgress> progress_;  ///< of `memcoord record`
  std::unique_ptr<metrics::MetricsFile> metrics_file_;
  metrics::Domains metrics_domains_ = metrics::Domains::on;
  std::unique_ptr<observers::ActionLog> actions_;
  bool output_error_logged_ = false;
  std::unique_ptr<RunSummary> summary_ = std::make_unique<RunSummary>();
};

}  // namespace memcoord::cli
