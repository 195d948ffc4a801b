// memcoord traces: what is in a trace, and parts of it as a trace of their own.

#include <fmt/core.h>

#include <algorithm>
#include <iostream>
#include <memory>
#include <numeric>

#include "bindings/printable.h"
#include "engine/cli/commands.h"
#include "engine/cli/help.h"
#include "engine/cli/option_values.h"
#include "engine/cli/options.h"
#include "engine/cli/score_text.h"
#include "engine/cli/terminal.h"
#include "engine/cli/text_table.h"
#include "engine/core/glob.h"
#include "engine/observers/json.h"
#include "engine/observers/sparkline.h"
#include "engine/workbench/trace.h"
#include "engine/workbench/whole_file.h"

namespace memcoord::cli {
namespace {

using namespace workbench;
using observers::Json;
using std::chrono::seconds;

struct TracesOptions {
  std::string trace;
  std::vector<std::string> picks;
  std::optional<std::size_t> vms;
  std::optional<seconds> from;
  std::optional<seconds> until;
  std::string output;
  bool json = false;
  ColorChoice color = ColorChoice::automatic;
};

Result<seconds> parse_moment(const std::string& text) {
  constexpr std::int64_t kMost = 100LL * 366 * 86400;
  std::string number = text;
  std::int64_t unit = 1;
  const std::string units = "smhd";
  constexpr std::int64_t kSeconds[] = {1, 60, 3600, 86400};
  if (const auto found = units.find(text.empty() ? '\0' : text.back()); found < units.size()) {
    unit = kSeconds[found];
    number.pop_back();
  }
  auto whole = parse_whole_number(number, {0, kMost});
  if (!whole) {
    return fail(ErrorCode::invalid_input, "", "'" + text + "' is not a time within a trace",
                "expected whole seconds, or with a unit: 600, 90m, 12h, 3d");
  }
  return seconds(*whole * unit);
}

bool is_picked(const std::vector<std::string>& picks, const std::string& name) {
  return picks.empty() || std::any_of(picks.begin(), picks.end(), [&](const std::string& pick) {
           return glob_matches(pick, name);
         });
}

/// The part that is asked for; its times begin at 0.
Result<Trace> cut(Trace trace, const TracesOptions& options) {
  std::erase_if(trace.columns,
                [&](const TraceColumn& one) { return !is_picked(options.picks, one.name); });
  if (trace.columns.empty()) {
    return fail(ErrorCode::not_found, options.trace, "no VM has such a name",
                "see 'memcoord traces " + options.trace + "' for their names");
  }
  if (options.vms && *options.vms < trace.columns.size()) trace.columns.resize(*options.vms);
  const auto first =
      std::lower_bound(trace.times.begin(), trace.times.end(), options.from.value_or(seconds(0)));
  const auto last = options.until ? std::lower_bound(first, trace.times.end(), *options.until)
                                  : trace.times.end();
  if (first == last) {
    return fail(ErrorCode::not_found, options.trace, "nothing lies between --from and --until",
                "it reaches from 0 to " + std::to_string(trace.times.back().count()) + " s");
  }
  const auto begin = first - trace.times.begin();
  const auto end = last - trace.times.begin();
  for (TraceColumn& one : trace.columns) {
    one.used = {one.used.begin() + begin, one.used.begin() + end};
  }
  trace.times = {first, last};
  const seconds start = trace.times.front();
  for (seconds& time : trace.times) time -= start;
  return trace;
}

/// A wide CSV, which read_trace() reads again.
Status write_trace(const Trace& trace, const std::string& path) {
  return write_whole_file(path, [&](const WritePiece& write) -> Status {
    std::string line = "t_s";
    for (const TraceColumn& one : trace.columns) line += "," + one.name;
    write(line + "\n");
    line = "provisioned_kib";
    for (const TraceColumn& one : trace.columns) line += fmt::format(",{}", one.provisioned.kib());
    write(line + "\n");
    for (std::size_t row = 0; row < trace.times.size(); ++row) {
      line = std::to_string(trace.times[row].count());
      for (const TraceColumn& one : trace.columns) line += fmt::format(",{}", one.used[row].kib());
      write(line + "\n");
    }
    return {};
  });
}

struct Use {
  MemorySize mean;
  MemorySize most;
};

Use use_of(const TraceColumn& column) {
  double sum = 0;
  Use use;
  for (const MemorySize used : column.used) {
    sum += static_cast<double>(used.kib());
    use.most = std::max(use.most, used);
  }
  const double mean = sum / static_cast<double>(std::max<std::size_t>(1, column.used.size()));
  use.mean = MemorySize::from_kib(static_cast<std::uint64_t>(mean));
  return use;
}

std::string curve_of(const TraceColumn& column) {
  constexpr std::size_t kPlaces = 28;
  const std::size_t places = std::min(kPlaces, column.used.size());
  std::vector<double> values(places);
  for (std::size_t i = 0; i < column.used.size(); ++i) {
    double& value = values[i * places / column.used.size()];
    value = std::max(value, static_cast<double>(column.used[i].kib()));
  }
  return observers::sparkline(values, static_cast<double>(column.provisioned.kib()), speaks_utf8());
}

/// All together: provisioned, and the mean and the most of what they use at once.
struct Total {
  MemorySize provisioned;
  Use use;
};

Total total_of(const Trace& trace) {
  Total total;
  TraceColumn sum{"", {}, std::vector<MemorySize>(trace.times.size())};
  for (const TraceColumn& one : trace.columns) {
    total.provisioned += one.provisioned;
    for (std::size_t i = 0; i < one.used.size(); ++i) sum.used[i] += one.used[i];
  }
  total.use = use_of(sum);
  return total;
}

seconds step_of(const Trace& trace) {
  return trace.times.size() > 1 ? trace.times[1] - trace.times[0] : seconds(0);
}

void print_text(const Trace& trace, const TracesOptions& options) {
  const Total total = total_of(trace);
  std::cout << fmt::format("{}: {} VMs over {:.1f} h, {} rows, {} s apart\n\n",
                           bindings::printable(options.trace), trace.columns.size(),
                           static_cast<double>(trace.times.back().count()) / 3600.0,
                           trace.times.size(), step_of(trace).count());
  constexpr auto kRight = TextTable::Align::right;
  TextTable table({{"VM"},
                   {"PROVISIONED", kRight},
                   {"USED, MEAN", kRight},
                   {"MOST", kRight},
                   {"OF IT", kRight},
                   {"USED"}});
  const auto row = [&](const std::string& name, MemorySize provisioned, const Use& use,
                       const std::string& curve) {
    const double share = provisioned.is_zero() ? 0
                                               : static_cast<double>(use.mean.kib()) /
                                                     static_cast<double>(provisioned.kib());
    table.add_row(
        {name, provisioned.text(), use.mean.text(), use.most.text(), share_text(share), curve});
  };
  for (const TraceColumn& one : trace.columns) {
    row(one.name, one.provisioned, use_of(one), curve_of(one));
  }
  row("all at once", total.provisioned, total.use, "");
  std::cout << table.text(wants_color(options.color, Stream::output));
}

void print_json(const Trace& trace) {
  const auto entry = [](MemorySize provisioned, const Use& use) {
    return Json::object({{"provisioned_kib", provisioned.kib()},
                         {"mean_kib", use.mean.kib()},
                         {"most_kib", use.most.kib()}});
  };
  const Total total = total_of(trace);
  auto vms = Json::array();
  for (const TraceColumn& one : trace.columns) {
    Json json = Json::object({{"name", one.name}});
    json.update(entry(one.provisioned, use_of(one)));
    vms.push_back(std::move(json));
  }
  std::cout << Json::object({{"rows", trace.times.size()},
                             {"step_s", step_of(trace).count()},
                             {"duration_s", trace.times.back().count()},
                             {"total", entry(total.provisioned, total.use)},
                             {"vms", std::move(vms)}})
                   .text()
            << '\n';
}

Result<ExitCode> show(const TracesOptions& options) {
  if (!options.output.empty()) {
    if (Status writable = check_writable(options.output); !writable) return fail(writable.error());
  }
  auto whole = read_trace(options.trace);
  if (!whole) return fail(whole.error());
  const auto trace = cut(*std::move(whole), options);
  if (!trace) return fail(trace.error());
  if (!options.output.empty()) {
    if (Status written = write_trace(*trace, options.output); !written) {
      return fail(written.error());
    }
  }
  if (options.json) {
    print_json(*trace);
  } else {
    print_text(*trace, options);
  }
  return ExitCode::ok;
}

}  // namespace

void add_traces_command(Commands& commands) {
  const auto options = std::make_shared<TracesOptions>();
  CLI::App& app = commands.add(
      "traces",
      "Show what is in a trace of VMs' memory, and write parts of it as one of their own.",
      [options] { return show(*options); });
  app.add_option("FILE", options->trace, "a wide CSV, or a folder of GWA-T-12 files")
      ->required()
      ->type_name("FILE");
  add_repeated_option(app, {"--pick", "GLOB", "only VMs with such a name; repeatable"},
                      [options](const std::string& text) -> Status {
                        options->picks.push_back(text);
                        return {};
                      });
  const auto count = [](const std::string& text) {
    return parse_whole_number(text, {1, 1'000'000});
  };
  add_option(app, {"--vms", "N", "only the first N of them"}, into(options->vms, count));
  add_option(app, {"--from", "TIME", "from here on: seconds, or with a unit (90m, 12h, 3d)"},
             into(options->from, parse_moment));
  add_option(app, {"--until", "TIME", "up to here"}, into(options->until, parse_moment));
  add_option(app, {"-o,--output", "FILE", "write what is shown as a wide CSV"},
             into_text(options->output));
  app.add_flag("--json", options->json, "print JSON");
  add_color_option(app, options->color);
  app.footer(examples_text({
      {"memcoord traces week.csv", "what is in it"},
      {"memcoord traces week.csv --pick 'web-*' --until 1d -o web-day.csv", "a part of it"},
  }));
}

}  // namespace memcoord::cli
