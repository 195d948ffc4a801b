#pragma once
// Where a run's ticks go: standard output, the journal, the log.

#include <memory>

#include "engine/cli/logging.h"
#include "engine/cli/run_options.h"
#include "engine/cli/run_summary.h"
#include "engine/core/coordinator.h"
#include "engine/core/error.h"
#include "engine/core/hypervisor.h"
#include "engine/observers/action_log.h"
#include "engine/observers/console.h"
#include "engine/observers/journal.h"

namespace memcoord::cli {

/// The observers of one run.
class RunOutput {
 public:
  /// Opens the journal where one is asked for. Errors: those of JournalWriter::open().
  static Result<RunOutput> open(const RunOptions& options, std::shared_ptr<observers::Log> log);

  /// Registers them all; this object outlives the coordinator.
  void observe(Coordinator& coordinator);
  /// After each tick: says what became of the journal, follows the terminal's size.
  void after_tick();
  /// The loop has ended: what is logged from now on stands below the last table.
  void end_display() { diversion_.reset(); }
  /// How many domains have got back what they had, and for each other one how far and why.
  void tell_restored(const Result<std::vector<Restored>>& restored);
  /// Closes the hypervisor and logs what that left to say: what could not be put back.
  void close(Hypervisor& hypervisor);
  /// After SIGHUP: a journal that was rotated is opened anew.
  void reopen();
  /// Whether the reader of standard output has gone away (`memcoord | head`).
  [[nodiscard]] static bool reader_is_gone();
  [[nodiscard]] const RunSummary& summary() const { return *summary_; }

 private:
  RunOutput() = default;
  void open_console(const RunOptions& options);
  std::shared_ptr<observers::Log> log_;
  Units units_ = Units::automatic;
  std::unique_ptr<Observer> json_;
  std::unique_ptr<observers::ConsoleTable> console_;
  std::unique_ptr<LogDiversion> diversion_;
  std::unique_ptr<observers::JournalWriter> journal_;
  std::unique_ptr<observers::ActionLog> actions_;
  std::unique_ptr<RunSummary> summary_ = std::make_unique<RunSummary>();
};

}  // namespace memcoord::cli
