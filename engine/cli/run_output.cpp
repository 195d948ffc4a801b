#include "engine/cli/run_output.h"

#include <poll.h>
#include <unistd.h>

#include <iostream>

#include "engine/cli/terminal.h"
#include "engine/observers/tick_json.h"

namespace memcoord::cli {
namespace {

// --json: a tick a line, flushed, so that a program at the other end reads it at once.
class JsonLines : public Observer {
 public:
  void observe(const Tick& tick) override {
    TextOut out = standard_output();
    out.lines(observers::to_json_line(tick)) << '\n';
    out.flush();
  }
};

}  // namespace

Result<RunOutput> RunOutput::open(const RunOptions& options, std::shared_ptr<observers::Log> log) {
  RunOutput output;
  output.log_ = std::move(log);
  output.actions_ = std::make_unique<observers::ActionLog>(output.log_);
  if (!options.journal.empty()) {
    auto journal = observers::JournalWriter::open(options.journal);
    if (!journal) return fail(journal.error());
    output.journal_ = *std::move(journal);
  }
  if (options.json) {
    output.json_ = std::make_unique<JsonLines>();
  } else {
    output.open_console(options);
  }
  return output;
}

void RunOutput::open_console(const RunOptions& options) {
  observers::ConsoleStyle style;
  style.color = wants_color(options.color, Stream::output);
  style.unicode = speaks_utf8();
  style.local_time = true;
  if (const auto size = terminal_size()) {
    style.interactive = true;
    style.width = size->columns;
    style.height = size->lines;
  }
  console_ = std::make_unique<observers::ConsoleTable>(std::cout, style);
  if (!style.interactive || !is_terminal(Stream::error)) return;
  diversion_ = std::make_unique<LogDiversion>(
      log_, [console = console_.get()](std::string line, Note::Severity severity) {
        console->add_message(std::move(line), severity);
      });
}

void RunOutput::observe(Coordinator& coordinator) {
  if (json_) coordinator.add_observer(*json_);
  if (console_) coordinator.add_observer(*console_);
  if (journal_) coordinator.add_observer(*journal_);
  coordinator.add_observer(*actions_);
  coordinator.add_observer(*summary_);
}

void RunOutput::after_tick() {
  if (const auto size = terminal_size(); console_ && size) {
    console_->resize(size->columns, size->lines);
  }
  if (!journal_) return;
  for (const Note& note : journal_->take_notes()) {
    const bool bad = note.severity != Note::Severity::info;
    log_->write(bad ? observers::Log::Level::error : observers::Log::Level::info, note.text);
  }
}

void RunOutput::tell_restored(const Result<std::vector<Restored>>& restored) {
  if (!restored) {
    log_->error("no domain is given back the memory it had: " + restored.error().text());
    return;
  }
  if (restored->empty()) {
    log_->info("no domain was moved: none has memory to get back");
    return;
  }
  std::size_t whole = 0;
  for (const Restored& one : *restored) {
    if (one.whole()) {
      ++whole;
    } else if (one.in_doubt) {
      log_->warn(one.name + ": " + one.why);
    } else {
      // One that keeps more than it had needs it.
      using Level = observers::Log::Level;
      log_->write(one.has < one.had ? Level::warning : Level::info,
                  one.name + ": is left with " + one.has.text() + ", not the " + one.had.text() +
                      " it had" + (one.why.empty() ? "" : ": " + one.why));
    }
  }
  log_->info(std::to_string(whole) + " of " + std::to_string(restored->size()) +
             (restored->size() == 1 ? " domain" : " domains") + " given back the memory they had");
}

void RunOutput::close(Hypervisor& hypervisor) {
  hypervisor.close();
  for (const Note& note : hypervisor.take_notes()) actions_->tell(note);
}

void RunOutput::reopen() {
  if (!journal_) return;
  if (Status reopened = journal_->reopen(); !reopened) {
    log_->error("the journal is not reopened: " + reopened.error().text());
  } else {
    log_->info("journal reopened");
  }
}

bool RunOutput::reader_is_gone() {
  pollfd output{STDOUT_FILENO, 0, 0};
  return ::poll(&output, 1, 0) > 0 && (output.revents & POLLERR) != 0;
}

}  // namespace memcoord::cli
