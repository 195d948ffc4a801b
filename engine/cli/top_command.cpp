// memcoord top: the table of a run that serves a control socket, on the whole terminal or as text.

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <limits>
#include <memory>
#include <optional>
#include <thread>
#include <utility>

#include "engine/cli/command.h"
#include "engine/cli/commands.h"
#include "engine/cli/control_request.h"
#include "engine/cli/help.h"
#include "engine/cli/run_control.h"
#include "engine/cli/run_loop.h"
#include "engine/cli/run_options.h"
#include "engine/cli/run_output.h"
#include "engine/cli/terminal.h"
#include "engine/observers/tick_json.h"
#include "engine/screen/route_source.h"
#include "engine/screen/screen.h"

namespace memcoord::cli {
namespace {

namespace fs = std::filesystem;
using std::chrono_literals::operator""h;

struct TopOptions {
  std::string socket;
  Duration interval = kDefaultInterval;
  std::optional<std::int64_t> ticks;
  bool json = false;
  ColorChoice color = ColorChoice::automatic;
  Units units = Units::automatic;
  observers::TableView view;
};

Result<ExitCode> show_screen(const TopOptions& options, const fs::path& socket,
                             std::shared_ptr<const Tick> first) {
  const auto signals = Signals::listen();
  if (!signals) return fail(signals.error());
  screen::Screen::Options style;
  style.color = wants_color(options.color, Stream::output);
  style.unicode = speaks_utf8();
  style.view = options.view;
  style.quit = [&stop = **signals] { stop.request_stop(); };
  const auto screen =
      screen::Screen::open(std::make_unique<screen::SocketSource>(screen::SocketSource::Options{
                               socket, options.interval, options.units, std::move(first)}),
                           std::move(style));
  if (!screen) return fail(screen.error());
  while (!(*signals)->stop_requested() && !(*signals)->consume_reload()) {
    (*signals)->wait_for(24h);
  }
  return ExitCode::ok;
}

/// Prints ticks as tables or as JSON.
class TickPrinter {
 public:
  explicit TickPrinter(const TopOptions& options) : options_(options) {
    style_.color = wants_color(options.color, Stream::output);
    style_.unicode = speaks_utf8();
    style_.local_time = true;
    if (const auto size = terminal_size()) style_.width = size->columns;
  }
  void print(const Tick& tick) {
    if (options_.json) {
      standard_output().lines(observers::to_json_line(tick)) << '\n';
    } else {
      table_.remember(tick);
      print_lines(observers::plain_lines(tick, table_, style_, options_.view), style_.color);
      standard_output() << '\n';
    }
    standard_output().flush();
  }

 private:
  const TopOptions& options_;
  observers::ConsoleStyle style_;
  observers::DomainTable table_;
};

/// Prints each tick that it sees, until it has seen enough or the reader has gone. While the run
/// does not answer, it waits.
Result<ExitCode> print_ticks(const TopOptions& options, const fs::path& socket,
                             Result<std::shared_ptr<const Tick>> tick) {
  TickPrinter printer(options);
  std::shared_ptr<const Tick> last;
  bool silent = false;
  for (std::int64_t printed = 0; !RunOutput::reader_is_gone();) {
    if (!tick && !std::exchange(silent, true)) report(tick.error());
    if (tick) silent = false;
    const bool is_new = tick && *tick &&
                        (!last || (*tick)->number != last->number ||
                         (*tick)->snapshot.wall_time != last->snapshot.wall_time);
    if (is_new) {
      last = *tick;
      printer.print(*last);
      if (++printed == options.ticks) break;
    }
    std::this_thread::sleep_for(options.interval);
    tick = screen::request_newest_tick(socket, options.units);
  }
  return ExitCode::ok;
}

Result<ExitCode> run_top(const TopOptions& options) {
  const fs::path socket = control_socket(options.socket);
  // Later errors may pass. The first one is the user's, who named a socket without a run.
  auto first = screen::request_newest_tick(socket, options.units);
  if (!first) return fail(first.error());
  const bool plain = options.json || options.ticks || !screen::Terminal::usable();
  return plain ? print_ticks(options, socket, std::move(first))
               : show_screen(options, socket, *std::move(first));
}

}  // namespace

void add_top_command(Command& program) {
  const auto options = std::make_shared<TopOptions>();
  Command& command = program.add("top",
                                 "Show the domains of a run on the whole terminal, those in "
                                 "trouble first. The key ? lists the "
                                 "keys. In a pipe, or with --ticks, print a table for each tick.",
                                 [options] { return run_top(*options); });
  add_view_options(command, options->view, "Options");
  add_option(command,
             {"--interval", "TIME",
              "time between two requests: seconds, or a number with its unit; default 1s"},
             into(options->interval, parse_duration));
  add_option(command, {"-n,--ticks", "N", "print N ticks, and end"},
             into(options->ticks, [](const std::string& text) {
               return parse_whole_number(text, {1, std::numeric_limits<std::int64_t>::max()});
             }));
  add_flag(command, {"--json", "print each tick as a line of JSON"}, options->json);
  add_units_option(command, options->units);
  add_color_option(command, options->color);
  add_control_option(command, options->socket);
  command.footer = examples_text({
      {"memcoord top", "watch the domains of the service"},
      {"memcoord top --only trouble", "watch the domains that are short of memory"},
      {"memcoord top -n 1 | grep web", "print the table of the newest tick"},
  });
}

}  // namespace memcoord::cli
