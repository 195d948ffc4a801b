#include "engine/cli/run_output.h"

#include <fmt/core.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <iostream>
#include <string_view>
#include <utility>

#include "engine/cli/standard_output.h"
#include "engine/cli/terminal.h"
#include "engine/files/open_file.h"
#include "engine/observers/amounts.h"
#include "engine/observers/events.h"
#include "engine/observers/journal_folder.h"
#include "engine/observers/tick_json.h"

namespace memcoord::cli {
namespace {

using observers::counted;

constexpr std::size_t kRemembered = 16;

// --json: a line a tick, flushed, so that the reader gets it at once.
class JsonLines : public Observer {
 public:
  void observe(const Tick& tick) override {
    TextOut out = standard_output();
    out.lines(observers::to_json_line(tick)) << '\n';
    out.flush();
  }
};

/// The screen showed them, and is gone.
void repeat_problems(const std::deque<screen::Message>& messages) {
  TextOut out = standard_error();
  for (const screen::Message& message : messages) {
    if (message.severity == Note::Severity::info) continue;
    out << observers::time_text(message.time, true, false)
        << (message.severity == Note::Severity::error ? " error " : " warning ") << message.text
        << '\n';
  }
}

/// Checks that the metrics do not replace another file of the run, which may not exist yet.
Status check_metrics_file(const RunOptions& options) {
  if (options.metrics_file.empty()) return {};
  const std::string rotated =
      options.journal.empty() ? ""
                              : observers::JournalWriter::rotated_path(options.journal).string();
  const std::array<std::pair<std::string_view, std::string_view>, 4> others{{
      {options.journal, "the journal"},
      {rotated, "the journal's rotated file"},
      {options.metrics_token, "the token file"},
      {options.config, "the configuration file"},
  }};
  for (const auto& [path, meaning] : others) {
    if (path.empty() || !files::same_place(options.metrics_file, path)) continue;
    return fail(ErrorCode::invalid_input, "--metrics-file",
                options.metrics_file + " is also " + std::string(meaning),
                "name a file of its own");
  }
  return {};
}

}  // namespace

/// memcoord record: says where it records, and at the end what it has. On a terminal, the line of
/// the beginning changes with each tick.
class RecordProgress : public Observer {
 public:
  RecordProgress(std::string journal, bool terminal)
      : journal_(std::move(journal)), terminal_(terminal) {}

  void observe(const Tick& tick) override {
    if (tick.restoring) return;
    if (ticks_++ == 0) since_ = tick.snapshot.wall_time;
    // Without a sample, the number of domains is not known.
    if (tick.sample_error || (said_ && !terminal_)) return;
    said_ = true;
    TextOut out = standard_error();
    if (terminal_) out.control("\r");
    out << fmt::format("recording {} to {} since {}",
                       counted(tick.snapshot.domains.size(), "domain"), journal_,
                       observers::time_text(since_, true, false));
    if (terminal_) out << ": " << counted(ticks_, "tick");
    out << "; Ctrl-C ends it";
    if (terminal_) {
      out.control("\x1b[K").flush();
    } else {
      out << '\n';
    }
  }

  void end(const observers::Journal& journal) const {
    TextOut out = standard_error();
    if (said_ && terminal_) out << '\n';
    const std::uint64_t written = ticks_ - std::min(ticks_, journal.lost());
    out << "recorded " << counted(written, "tick") << " to " << journal_;
    if (journal.lost() > 0) out << ", and lost " << counted(journal.lost(), "tick");
    const MemorySize size = MemorySize::from_bytes(journal.size() + 1023);
    out << "; its journal has " << size.text(Units::automatic) << '\n';
  }

 private:
  std::string journal_;
  bool terminal_;
  bool said_ = false;
  std::uint64_t ticks_ = 0;
  WallTime since_{};
};

RunOutput::RunOutput() = default;
RunOutput::RunOutput(RunOutput&&) noexcept = default;
RunOutput& RunOutput::operator=(RunOutput&&) noexcept = default;
RunOutput::~RunOutput() = default;

void RunSummary::Counted::forget_the_gone(const Snapshot& snapshot) {
  // Only when many are gone, so that a domain that restarts counts once.
  if (known.size() <= snapshot.domains.size() * 2 + kRemembered) return;
  std::unordered_set<Uuid> there;
  for (const Domain& domain : snapshot.domains) there.insert(domain.uuid());
  gone += std::erase_if(known, [&](const Uuid& uuid) { return !there.contains(uuid); });
}

void RunSummary::observe(const Tick& tick) {
  if (tick.restoring) return;
  ++ticks_;
  dry_run_ = tick.dry_run;
  units_ = tick.limits.units;
  if (tick.sample_error) ++sample_errors_;
  if (tick.policy_error) ++policy_errors_;
  if (!tick.sample_error && !tick.policy_error) ++worked_;
  for (const Outcome& outcome : tick.outcomes) count(outcome);
  for (const Outcome& outcome : tick.late_outcomes) {
    --unanswered_moves_;
    count(outcome);
  }
  if (tick.sample_error) return;
  served_.forget_the_gone(tick.snapshot);
  shrunk_.forget_the_gone(tick.snapshot);
}

void RunSummary::count(const Outcome& outcome) {
  if (outcome.kind == Outcome::Kind::failed) ++failed_moves_;
  if (outcome.kind == Outcome::Kind::unknown) ++unanswered_moves_;
  if (outcome.kind != Outcome::Kind::applied && outcome.kind != Outcome::Kind::dry_run) return;
  ++moves_;
  if (outcome.to > outcome.from) {
    given_ += outcome.to - outcome.from;
    served_.known.insert(outcome.domain);
  } else {
    taken_ += outcome.from - outcome.to;
    shrunk_.known.insert(outcome.domain);
  }
}

std::string RunSummary::text() const {
  std::string text = counted(ticks_, "tick") + ", ";
  if (dry_run_) text += "dry run: ";
  text += counted(moves_, "move");
  if (served_.all() > 0) {
    text += fmt::format(", +{} to {}", given_.text(units_), counted(served_.all(), "domain"));
  }
  if (shrunk_.all() > 0) {
    text += fmt::format(", -{} from {}", taken_.text(units_), counted(shrunk_.all(), "domain"));
  }
  const auto unanswered = static_cast<std::uint64_t>(std::max<std::int64_t>(unanswered_moves_, 0));
  if (sample_errors_ + policy_errors_ + failed_moves_ + unanswered == 0) {
    return text + ", no errors";
  }
  if (sample_errors_ > 0) text += fmt::format(", {} without a sample of the host", sample_errors_);
  if (policy_errors_ > 0) text += ", " + counted(policy_errors_, "policy error");
  if (unanswered > 0) text += ", " + counted(unanswered, "unanswered move");
  if (failed_moves_ > 0) text += ", " + counted(failed_moves_, "failed move");
  return text;
}

Result<RunOutput> RunOutput::open(const RunOptions& options, std::shared_ptr<observers::Log> log,
                                  std::function<WallTime()> now) {
  RunOutput output;
  output.log_ = std::move(log);
  output.now_ = std::move(now);
  output.units_ = options.limits.units;
  output.actions_ = std::make_unique<observers::ActionLog>(output.log_);
  if (Status own = check_metrics_file(options); !own) return fail(own.error());
  if (!options.journal.empty()) {
    auto journal = observers::open_journal(
        options.journal, {options.journal_max, options.journal_keep},
        options.no_wait ? observers::Packing::first : observers::Packing::beside);
    if (!journal) return fail(journal.error());
    output.journal_ = *std::move(journal);
  }
  if (!options.metrics_file.empty()) {
    auto file = metrics::MetricsFile::open(options.metrics_file);
    if (!file) return fail(file.error());
    output.metrics_file_ = *std::move(file);
  }
  output.metrics_domains_ = options.metrics_domains ? metrics::Domains::on : metrics::Domains::off;
  output.screen_options_.color = wants_color(options.color, Stream::output);
  output.screen_options_.unicode = speaks_utf8();
  output.screen_options_.view = options.view;
  output.wants_screen_ = !options.json && !options.records && screen::Terminal::usable();
  if (options.records) {
    output.progress_ =
        std::make_unique<RecordProgress>(options.journal, is_terminal(Stream::error));
  } else if (options.json) {
    output.json_ = std::make_unique<JsonLines>();
  } else if (!output.wants_screen_) {
    output.open_console();
  }
  return output;
}

void RunOutput::open_console() {
  observers::ConsoleStyle style;
  style.color = screen_options_.color;
  style.unicode = screen_options_.unicode;
  style.local_time = true;
  if (const auto size = terminal_size()) {
    style.width = size->columns;
    style.height = size->lines;
  }
  console_ = std::make_unique<observers::ConsoleTable>(std::cout, style);
}

void RunOutput::open_screen(std::unique_ptr<screen::TickSource> source,
                            std::function<void()> quit) {
  screen_options_.quit = std::move(quit);
  auto screen = screen::Screen::open(std::move(source), screen_options_);
  if (!screen) {
    log_->warn("no screen: " + screen.error().text());
    open_console();
    return;
  }
  screen_ = *std::move(screen);
  if (!is_terminal(Stream::error)) return;
  diversion_ = std::make_unique<LogDiversion>(
      log_, [screen = screen_.get(), now = now_](std::string line, Note::Severity severity) {
        screen->add_message({now(), std::move(line), severity});
      });
}

void RunOutput::end_display(bool quit) {
  if (screen_) {
    const std::vector<Styled> table = screen_->close();
    if (diversion_) repeat_problems(screen_->messages());
    if (!quit) print_lines(table, screen_options_.color);
    diversion_.reset();
    screen_.reset();
  }
  actions_->flush();
}

void RunOutput::observe(Coordinator& coordinator) {
  if (json_) coordinator.add_observer(*json_);
  if (console_) coordinator.add_observer(*console_);
  if (journal_) coordinator.add_observer(*journal_);
  if (progress_) coordinator.add_observer(*progress_);
  coordinator.add_observer(*actions_);
  coordinator.add_observer(*summary_);
}

void RunOutput::after_tick(metrics::RunMetrics& metrics) {
  if (screen_) screen_->wake();
  log_output_error();
  if (journal_) {
    metrics.set_journal_lost_ticks(journal_->lost());
    for (const Note& note : journal_->drain_notes()) actions_->write(note);
  }
  if (metrics_file_) {
    metrics_file_->write(metrics.text(metrics::Format::prometheus, metrics_domains_));
    for (const Note& note : metrics_file_->drain_notes()) actions_->write(note);
  }
}

std::optional<observers::JournalLoss> RunOutput::journal_loss() const {
  return journal_ ? journal_->loss() : std::nullopt;
}

void RunOutput::log_output_error() {
  if (output_error_logged_) return;
  const auto error = output_error();
  if (!error) return;
  output_error_logged_ = true;
  log_->error(error->text() + "; the run goes on, and what it prints is lost");
}

void RunOutput::log_restored(const Result<std::vector<Restored>>& restored) {
  if (!restored) {
    log_->error("cannot restore the domains' memory: " + restored.error().text());
    return;
  }
  if (restored->empty()) {
    log_->info("no domain was moved, so there is no memory to restore");
    return;
  }
  std::size_t whole = 0;
  for (const Restored& one : *restored) {
    if (one.whole()) {
      ++whole;
    } else if (one.in_doubt) {
      log_->warn(one.name + ": " + one.why);
    } else {
      // A domain that keeps more than it had needs it.
      using Level = observers::Log::Level;
      const int digits = digits_to_tell_apart(one.has, one.had, units_);
      log_->write(one.has < one.had ? Level::warning : Level::info,
                  one.name + ": has " + one.has.text(units_, digits) + " instead of the " +
                      one.had.text(units_, digits) + " that it had" +
                      (one.why.empty() ? "" : ": " + one.why));
    }
  }
  log_->info(std::to_string(whole) + " of " + std::to_string(restored->size()) +
             (restored->size() == 1 ? " domain" : " domains") +
             " restored to the memory that they had");
}

void RunOutput::close(Hypervisor& hypervisor) {
  metrics_file_.reset();
  if (progress_ && journal_) progress_->end(*journal_);
  hypervisor.close();
  actions_->flush();
  for (const Note& note : hypervisor.drain_notes()) actions_->write(note);
}

std::string RunOutput::reopen() {
  if (!journal_) return {};
  if (Status reopened = journal_->reopen(); !reopened) {
    std::string text = "cannot reopen the journal: " + reopened.error().text();
    log_->error(text);
    return text;
  }
  log_->info("journal reopened");
  return "the journal is opened anew";
}

bool RunOutput::reader_is_gone() {
  pollfd output{STDOUT_FILENO, 0, 0};
  return ::poll(&output, 1, 0) > 0 && (output.revents & POLLERR) != 0;
}

}  // namespace memcoord::cli
