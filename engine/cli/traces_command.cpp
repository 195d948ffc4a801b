// memcoord traces: shows a trace or a part of it, and writes the part as a new trace.

#include <fmt/core.h>

#include <algorithm>
#include <memory>
#include <numeric>
#include <utility>

#include "engine/cli/command.h"
#include "engine/cli/commands.h"
#include "engine/cli/help.h"
#include "engine/cli/terminal.h"
#include "engine/cli/workbench_commands.h"
#include "engine/core/names.h"
#include "engine/core/text_table.h"
#include "engine/files/atomic_file.h"
#include "engine/files/csv.h"
#include "engine/observers/amounts.h"
#include "engine/observers/json.h"
#include "engine/workbench/trace.h"
#include "engine/workbench/trace_source.h"

namespace memcoord::cli {
namespace {

using namespace workbench;
using observers::duration_text;
using observers::Json;
using std::chrono::seconds;

struct TracesOptions {
  std::vector<std::string> paths;
  std::optional<seconds> step;
  std::vector<std::string> notes;  ///< on journals
  std::vector<std::string> picks;
  std::optional<std::size_t> vms;
  std::optional<seconds> from;
  std::optional<seconds> until;
  std::string output;
  bool json = false;
  ColorChoice color = ColorChoice::automatic;
};

Result<seconds> parse_moment(const std::string& text) {
  std::string number = text;
  std::int64_t unit = 1;
  const std::string units = "smhd";
  constexpr std::int64_t kSeconds[] = {1, 60, 3600, 86400};
  if (const auto found = units.find(text.empty() ? '\0' : text.back()); found < units.size()) {
    unit = kSeconds[found];
    number.pop_back();
  }
  auto whole = parse_whole_number(number, {0, kLongestTrace.count()});
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

/// The part that the options select; its times begin at 0.
Result<Trace> cut(Trace trace, const TracesOptions& options) {
  std::erase_if(trace.columns,
                [&](const TraceColumn& one) { return !is_picked(options.picks, one.name); });
  if (trace.columns.empty()) {
    return fail(ErrorCode::not_found, paths_text(options.paths),
                "no VM has a name that matches --pick",
                "'memcoord traces " + options.paths.front() + "' lists the names");
  }
  if (options.vms && *options.vms < trace.columns.size()) trace.columns.resize(*options.vms);
  const auto first =
      std::lower_bound(trace.times.begin(), trace.times.end(), options.from.value_or(seconds(0)));
  const auto last = options.until ? std::lower_bound(first, trace.times.end(), *options.until)
                                  : trace.times.end();
  if (first == last) {
    return fail(ErrorCode::not_found, paths_text(options.paths),
                "there is no row between --from and --until",
                trace.times.back() == seconds(0)
                    ? std::string("the trace has one row, at 0")
                    : "the trace lasts " + duration_text(trace.times.back()));
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

/// Writes a wide CSV, which read_trace() can read.
Status write_trace(const Trace& trace, const std::string& path) {
  return files::write_atomically(path, [&](const files::WritePiece& write) -> Status {
    std::string line = "t_s";
    for (const TraceColumn& one : trace.columns) line += "," + files::csv_field(one.name);
    write(line + "\n");
    const auto write_sizes = [&](std::string row, MemorySize TraceColumn::*member) {
      for (const TraceColumn& one : trace.columns) row += fmt::format(",{}", (one.*member).kib());
      write(row + "\n");
    };
    write_sizes("provisioned_kib", &TraceColumn::provisioned);
    if (trace.is_resident()) write_sizes("kernel_kib", &TraceColumn::kernel);
    for (std::size_t row = 0; row < trace.times.size(); ++row) {
      line = std::to_string(trace.times[row].count());
      for (const TraceColumn& one : trace.columns) line += fmt::format(",{}", one.used[row].kib());
      write(line + "\n");
    }
    return {};
  });
}

struct Use {
  MemorySize mean;  ///< over time
  MemorySize max;
};

/// How long each row lasts, and their sum.
struct RowTimes {
  explicit RowTimes(const Trace& trace)
      : holds(holds_of(trace.times)),
        total(std::accumulate(holds.begin(), holds.end(), seconds(0))) {}
  std::vector<seconds> holds;
  seconds total;
};

Use use_of(const TraceColumn& column, const RowTimes& rows) {
  double sum = 0;
  Use use;
  for (std::size_t i = 0; i < column.used.size(); ++i) {
    sum += static_cast<double>(column.used[i].kib()) * static_cast<double>(rows.holds[i].count());
    use.max = std::max(use.max, column.used[i]);
  }
  const double mean = sum / static_cast<double>(rows.total.count());
  use.mean = MemorySize::from_kib(static_cast<std::uint64_t>(mean));
  return use;
}

/// A sparkline whose places last equally long. Each shows the maximum of the rows that begin in it,
/// or the row before if none begins there.
std::string curve_of(const TraceColumn& column, const RowTimes& rows) {
  constexpr std::size_t kPlaces = 28;
  std::vector<double> values(std::min(kPlaces, column.used.size()));
  const auto place_of = [&](seconds from_start) {
    return static_cast<std::size_t>(from_start.count()) * values.size() /
           static_cast<std::size_t>(rows.total.count());
  };
  seconds begin(0);
  for (std::size_t i = 0; i < column.used.size(); ++i) {
    const auto used = static_cast<double>(column.used[i].kib());
    const std::size_t place = place_of(begin);
    values[place] = std::max(values[place], used);
    begin += rows.holds[i];
    for (std::size_t after = place + 1; after < place_of(begin); ++after) values[after] = used;
  }
  return sparkline(values, static_cast<double>(column.provisioned.kib()), speaks_utf8());
}

/// The sums over all VMs: provisioned memory, and mean and maximum of the memory used at once.
struct Total {
  MemorySize provisioned;
  Use use;
};

Total total_of(const Trace& trace, const RowTimes& rows) {
  Total total;
  TraceColumn sum{"", {}, std::vector<MemorySize>(trace.times.size())};
  for (const TraceColumn& one : trace.columns) {
    total.provisioned += one.provisioned;
    for (std::size_t i = 0; i < one.used.size(); ++i) sum.used[i] += one.used[i];
  }
  total.use = use_of(sum, rows);
  return total;
}

/// The shortest and the longest time between rows; 0 for a single row.
std::pair<seconds, seconds> steps_of(const RowTimes& rows) {
  if (rows.holds.size() == 1) return {};
  const auto [shortest, longest] = std::minmax_element(rows.holds.begin(), rows.holds.end());
  return {*shortest, *longest};
}

void print_trace(const Trace& trace, const TracesOptions& options) {
  const RowTimes rows(trace);
  const Total total = total_of(trace, rows);
  const auto [shortest, longest] = steps_of(rows);
  TextOut out = standard_output();
  const std::size_t vms = trace.columns.size();
  const std::size_t count = trace.times.size();
  out << paths_text(options.paths) << ": " << observers::counted(vms, "VM");
  if (count == 1) {
    out << ", 1 row";
  } else {
    out << fmt::format(" over {}, {} rows, {}{} apart", duration_text(trace.times.back()), count,
                       shortest == longest ? "" : duration_text(shortest) + " to ",
                       duration_text(longest));
  }
  out << '\n' << '\n';
  constexpr auto kRight = TextTable::Align::right;
  TextTable table({{"VM"},
                   {"PROVISIONED", kRight},
                   {"MEAN USED", kRight},
                   {"MAX USED", kRight},
                   {"MEAN SHARE", kRight},
                   {"CURVE"}});
  const auto row = [&](const std::string& name, MemorySize provisioned, const Use& use,
                       const std::string& curve) {
    const double share = provisioned.is_zero() ? 0
                                               : static_cast<double>(use.mean.kib()) /
                                                     static_cast<double>(provisioned.kib());
    table.add_row(
        {name, provisioned.text(), use.mean.text(), use.max.text(), share_text(share), curve});
  };
  for (const TraceColumn& one : trace.columns) {
    row(one.name, one.provisioned, use_of(one, rows), curve_of(one, rows));
  }
  row("all at once", total.provisioned, total.use, "");
  table.print(out, wants_color(options.color, Stream::output));
  if (!options.notes.empty()) out << '\n';
  for (const std::string& note : options.notes) out << "note: " << note << '\n';
}

void print_trace_json(const Trace& trace, const TracesOptions& options) {
  const auto entry = [](MemorySize provisioned, const Use& use) {
    return Json::object({{"provisioned_kib", provisioned.kib()},
                         {"mean_kib", use.mean.kib()},
                         {"max_kib", use.max.kib()}});
  };
  const RowTimes rows(trace);
  const Total total = total_of(trace, rows);
  const auto [shortest, longest] = steps_of(rows);
  auto vms = Json::array();
  for (const TraceColumn& one : trace.columns) {
    Json json = Json::object({{"name", one.name}});
    json.update(entry(one.provisioned, use_of(one, rows)));
    vms.push_back(std::move(json));
  }
  Json json = Json::object({{"rows", trace.times.size()},
                            {"step_s", shortest.count()},
                            {"longest_step_s", longest.count()},
                            {"duration_s", trace.times.back().count()},
                            {"total", entry(total.provisioned, total.use)},
                            {"vms", std::move(vms)}});
  auto notes = Json::array();
  for (const std::string& note : options.notes) notes.push_back(note);
  if (!options.notes.empty()) json.set("notes", std::move(notes));
  standard_output().lines(json.text()) << '\n';
}

Result<ExitCode> show_trace(TracesOptions& options) {
  if (!options.output.empty()) {
    if (Status writable = files::check_output(options.output, options.paths); !writable)
      return fail(writable.error());
  }
  auto whole = read_demand(options.paths, options.step);
  if (!whole) return fail(whole.error());
  options.notes = std::move(whole->notes);
  const auto trace = cut(std::move(whole->trace), options);
  if (!trace) return fail(trace.error());
  if (!options.output.empty()) {
    if (Status written = write_trace(*trace, options.output); !written) {
      return fail(written.error());
    }
  }
  if (options.json) {
    print_trace_json(*trace, options);
  } else {
    print_trace(*trace, options);
  }
  return ExitCode::ok;
}

}  // namespace

void add_traces_command(Command& program) {
  const auto options = std::make_shared<TracesOptions>();
  Command& command = program.add(
      "traces", "Show a trace of the memory that VMs used, and write parts of it as a new trace.",
      [options] { return show_trace(*options); });
  add_list(command,
           {.names = "FILE",
            .value = "FILE",
            .description = "a wide CSV, a folder of GWA-T-12 files, or journals of one host (files "
                           "or folders)",
            .required = true},
           into_list(options->paths));
  add_repeated_option(command, {"--pick", "GLOB", "select only VMs whose name matches; repeatable"},
                      into_list(options->picks));
  const auto count = [](const std::string& text) {
    return parse_whole_number(text, {1, 1'000'000});
  };
  add_option(command, {"--vms", "N", "select only the first N VMs"}, into(options->vms, count));
  add_option(
      command,
      {"--from", "TIME", "the part's beginning: seconds, or a number with its unit (90m, 12h, 3d)"},
      into(options->from, parse_moment));
  add_option(command, {"--until", "TIME", "the part's end"}, into(options->until, parse_moment));
  add_option(command, {"-o,--output", "FILE", "write the selected part as a wide CSV"},
             into_text(options->output));
  add_step_option(command, options->step);
  add_flag(command, {"--json", "print JSON"}, options->json);
  add_color_option(command, options->color);
  command.footer = examples_text({
      {"memcoord traces week.csv", "show the whole trace"},
      {"memcoord traces week.csv --pick 'web-*' --until 1d -o web-day.csv", "write a part of it"},
      {"memcoord traces /var/lib/memcoord -o week.csv", "write a host's demand from its journal"},
  });
}

}  // namespace memcoord::cli
