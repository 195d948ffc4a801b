#include "engine/workbench/trace.h"

#include <algorithm>
#include <charconv>
#include <deque>
#include <optional>
#include <string_view>
#include <system_error>
#include <utility>

#include "engine/files/csv.h"
#include "engine/files/open_file.h"

namespace memcoord::workbench {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kProvisionedRow = "provisioned_kib";
constexpr std::string_view kKernelRow = "kernel_kib";
/// A GWA-T-12 file has eleven. Files with more columns are refused before they take memory.
constexpr std::size_t kMaxGwaColumns = 1000;
constexpr auto kMaxTraceSeconds = static_cast<std::uint64_t>(kLongestTrace.count());

/// The lines of one file, and errors that name the file and the line.
class Lines {
 public:
  explicit Lines(files::LineReader reader) : reader_(std::move(reader)) {}

  /// False at the end of the file, and after an error: see problem().
  bool next() {
    const auto more = reader_.next();
    if (!more) problem_ = more.error();
    return more && *more;
  }
  [[nodiscard]] const std::optional<Error>& problem() const { return problem_; }
  [[nodiscard]] std::string_view text() const {
    std::string_view line = reader_.text();
    if (line.ends_with('\r')) line.remove_suffix(1);
    return line;
  }
  /// An error about the line, or the error of reading it.
  [[nodiscard]] tl::unexpected<Error> wrong(std::string message, std::string hint = {}) const {
    if (problem_) return fail(*problem_);
    return fail(ErrorCode::invalid_input, reader_.place(), std::move(message), std::move(hint));
  }

 private:
  files::LineReader reader_;
  std::optional<Error> problem_;
};

std::string_view trimmed(std::string_view text) {
  const auto blank = [](char c) { return c == ' ' || c == '\t' || c == '\r' || c == '"'; };
  while (!text.empty() && blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && blank(text.back())) text.remove_suffix(1);
  return text;
}

/// The cells of a line, at most `most` + 1 of them.
std::vector<std::string_view> split(std::string_view line, char separator, std::size_t most) {
  std::vector<std::string_view> cells;
  std::size_t start = 0;
  for (std::size_t at = 0; at <= line.size() && cells.size() <= most; ++at) {
    if (at != line.size() && line[at] != separator) continue;
    cells.push_back(trimmed(line.substr(start, at - start)));
    start = at + 1;
  }
  return cells;
}

/// A number of 0 or more, rounded down; none for any other text.
std::optional<std::uint64_t> count(std::string_view cell) {
  double value = 0;
  const auto [end, problem] = std::from_chars(cell.data(), cell.data() + cell.size(), value);
  if (problem != std::errc() || end != cell.data() + cell.size()) return std::nullopt;
  if (!(value >= 0) || value > 9e18) return std::nullopt;
  return static_cast<std::uint64_t>(value);
}

std::string cell_name(const std::string& column, std::string_view cell) {
  return "column '" + column + "' holds '" + std::string(cell.substr(0, 40)) + "'";
}

/// How many cells follow the first one of a line.
std::size_t values_in(std::string_view line) {
  return static_cast<std::size_t>(std::count(line.begin(), line.end(), ','));
}

std::string counted_vms(std::size_t count) {
  return std::to_string(count) + (count == 1 ? " VM" : " VMs");
}

/// Reads a row with a size for each VM.
Status read_sizes(const Lines& lines, Trace& trace, std::string_view row,
                  MemorySize TraceColumn::*member) {
  const auto sizes = split(lines.text(), ',', trace.columns.size() + 1);
  if (sizes.size() != trace.columns.size() + 1) {
    return lines.wrong(std::string(row) + " has " + std::to_string(values_in(lines.text())) +
                       " sizes for " + counted_vms(trace.columns.size()));
  }
  for (std::size_t i = 1; i < sizes.size(); ++i) {
    const auto size = count(sizes[i]);
    if (!size || *size == 0) {
      return lines.wrong(cell_name(trace.columns[i - 1].name, sizes[i]),
                         row == kProvisionedRow ? "a provisioned size is a number of KiB over 0"
                                                : "a kernel's size is a number of KiB over 0");
    }
    trace.columns[i - 1].*member = MemorySize::from_kib(*size);
  }
  return {};
}

Status read_wide_header(Lines& lines, Trace& trace) {
  if (values_in(lines.text()) > kMaxColumns) {
    return lines.wrong("more than " + std::to_string(kMaxColumns) + " VMs");
  }
  const auto names = files::csv_fields(lines.text());
  if (names.size() < 2) return lines.wrong("no VM columns", "the header is t_s,<vm>,<vm>,...");
  for (std::size_t i = 1; i < names.size(); ++i) {
    if (names[i].empty()) {
      return lines.wrong("column " + std::to_string(i + 1) + " has no name");
    }
    trace.columns.push_back({names[i], {}, {}, {}});
  }
  if (!lines.next() || split(lines.text(), ',', 1).front() != kProvisionedRow) {
    return lines.wrong("the row provisioned_kib is missing",
                       "it follows the header and gives each VM's provisioned size in KiB");
  }
  return read_sizes(lines, trace, kProvisionedRow, &TraceColumn::provisioned);
}

Status read_time(const Lines& lines, std::string_view cell, Trace& trace) {
  const auto time = count(cell);
  if (!time || *time > kMaxTraceSeconds) {
    return lines.wrong("'" + std::string(cell.substr(0, 40)) + "' is not a time",
                       "a row starts with its time in seconds since the trace's start");
  }
  const std::chrono::seconds at(static_cast<std::int64_t>(*time));
  if (!trace.times.empty() && at <= trace.times.back()) {
    return lines.wrong("time goes from " + std::to_string(trace.times.back().count()) + " s to " +
                           std::to_string(at.count()) + " s",
                       "each row's time is larger than the one before");
  }
  trace.times.push_back(at);
  return {};
}

Status read_wide_row(const Lines& lines, Trace& trace) {
  if (lines.text().find(';') != std::string::npos) {
    return lines.wrong("semicolons in a file that began with commas", "a file has one format");
  }
  const auto cells = split(lines.text(), ',', trace.columns.size() + 1);
  if (cells.size() != trace.columns.size() + 1) {
    return lines.wrong(std::to_string(values_in(lines.text())) + " values for " +
                       counted_vms(trace.columns.size()));
  }
  if (auto time = read_time(lines, cells[0], trace); !time) return time;
  for (std::size_t i = 1; i < cells.size(); ++i) {
    TraceColumn& column = trace.columns[i - 1];
    const auto used = count(cells[i]);
    if (!used) {
      return lines.wrong(cells[i].empty() ? "column '" + column.name + "' has a hole"
                                          : cell_name(column.name, cells[i]),
                         "a value is a number of KiB, 0 or more");
    }
    column.used.push_back(std::min(MemorySize::from_kib(*used), column.provisioned));
  }
  return {};
}

Result<Trace> too_large(const fs::path& path, const TraceBounds& bounds) {
  return fail(ErrorCode::limit_exceeded, path.string(),
              "more than " + std::to_string(bounds.values) + " values",
              "cut it first: memcoord traces FILE --vms ... --until ... --output SMALLER.csv");
}

Result<Trace> read_wide(Lines lines, const fs::path& path, const TraceBounds& bounds) {
  Trace trace;
  if (auto header = read_wide_header(lines, trace); !header) return fail(header.error());
  while (lines.next()) {
    if (trimmed(lines.text()).empty()) continue;
    if (trace.times.empty() && split(lines.text(), ',', 1).front() == kKernelRow) {
      auto sizes = read_sizes(lines, trace, kKernelRow, &TraceColumn::kernel);
      if (!sizes) return fail(sizes.error());
      continue;
    }
    if (auto row = read_wide_row(lines, trace); !row) return fail(row.error());
    if (trace.times.size() * trace.columns.size() > bounds.values) return too_large(path, bounds);
  }
  if (trace.times.empty() || lines.problem()) return lines.wrong("no rows after the header");
  return trace;
}

/// The positions of the three columns that memcoord reads from a GWA-T-12 file.
struct GwaColumns {
  std::size_t time = 0;
  std::size_t provisioned = 0;
  std::size_t used = 0;
  std::size_t all = 0;
};

Result<GwaColumns> find_gwa_columns(const Lines& lines) {
  const auto names = split(lines.text(), ';', kMaxGwaColumns);
  const auto find = [&](std::string_view start) -> Result<std::size_t> {
    for (std::size_t i = 0; i < names.size(); ++i) {
      if (names[i].starts_with(start)) return i;
    }
    return lines.wrong("no column '" + std::string(start) + "'",
                       "a GWA-T-12 file names its columns in the first line");
  };
  const auto time = find("Timestamp");
  const auto provisioned = find("Memory capacity provisioned");
  const auto used = find("Memory usage");
  for (const auto* one : {&time, &provisioned, &used}) {
    if (!*one) return fail(one->error());
  }
  return GwaColumns{*time, *provisioned, *used, names.size()};
}

struct GwaRow {
  std::uint64_t seconds = 0;
  MemorySize used;
};

Status read_gwa_row(const Lines& lines, const GwaColumns& at, TraceColumn& column,
                    std::vector<GwaRow>& rows) {
  const auto cells = split(lines.text(), ';', kMaxGwaColumns);
  if (cells.size() < at.all) {
    return lines.wrong(std::to_string(cells.size()) + " cells for " + std::to_string(at.all) +
                       " columns");
  }
  const auto time = count(cells[at.time]);
  const auto provisioned = count(cells[at.provisioned]);
  const auto used = count(cells[at.used]);
  if (!time || !provisioned || !used) {
    return lines.wrong("a time or memory cell is not a number", "they are numbers, 0 or more");
  }
  if (!rows.empty() && *time <= rows.back().seconds) {
    return lines.wrong(
        "time goes from " + std::to_string(rows.back().seconds) + " to " + std::to_string(*time),
        "each row's time is larger than the one before");
  }
  if (!rows.empty() && *time - rows.front().seconds > kMaxTraceSeconds) {
    return lines.wrong("'" + std::string(cells[at.time].substr(0, 40)) +
                           "' is not a time in a trace that begins at " +
                           std::to_string(rows.front().seconds),
                       "times are seconds");
  }
  column.provisioned = std::max(column.provisioned, MemorySize::from_kib(*provisioned));
  rows.push_back({*time, MemorySize::from_kib(*used)});
  return {};
}

/// Adds one VM's use at the trace's moments: at each, the newest row up to there.
void put_at(const Trace& trace, std::uint64_t origin, const std::vector<GwaRow>& rows,
            TraceColumn& column) {
  std::size_t row = 0;
  for (const auto time : trace.times) {
    const auto moment = origin + static_cast<std::uint64_t>(time.count());
    while (row + 1 < rows.size() && rows[row + 1].seconds <= moment) ++row;
    column.used.push_back(std::min(rows[row].used, column.provisioned));
  }
}

Result<std::pair<TraceColumn, std::vector<GwaRow>>> read_gwa_file(Lines lines, const fs::path& path,
                                                                  const TraceBounds& bounds) {
  const auto at = find_gwa_columns(lines);
  if (!at) return fail(at.error());
  TraceColumn column{path.stem().string(), {}, {}, {}};
  std::vector<GwaRow> rows;
  while (lines.next()) {
    if (trimmed(lines.text()).empty()) continue;
    if (auto row = read_gwa_row(lines, *at, column, rows); !row) return fail(row.error());
    if (rows.size() > bounds.values) return fail(too_large(path, bounds).error());
  }
  if (rows.empty() || lines.problem()) return lines.wrong("no rows after the header");
  if (column.provisioned.is_zero()) return lines.wrong("its provisioned memory is 0 in every row");
  return std::pair{std::move(column), std::move(rows)};
}

/// Adds one VM to the trace. The first VM sets the trace's moments and their origin.
void add_gwa(std::pair<TraceColumn, std::vector<GwaRow>>&& vm, Trace& trace,
             std::optional<std::uint64_t>& origin) {
  auto& [column, rows] = vm;
  if (!origin) {
    origin = rows.front().seconds;
    for (const auto& row : rows) {
      trace.times.emplace_back(static_cast<std::int64_t>(row.seconds - *origin));
    }
  }
  put_at(trace, *origin, rows, column);
  trace.columns.push_back(std::move(column));
}

/// Opens a trace at its first line that is neither empty nor a comment.
Result<Lines> open_at_header(const fs::path& path) {
  auto reader = files::LineReader::open(path, "trace");
  if (!reader) return fail(reader.error());
  Lines lines(*std::move(reader));
  while (lines.next()) {
    const auto text = trimmed(lines.text());
    if (!text.empty() && text.front() != '#') return lines;
  }
  return lines.wrong("an empty trace", "see docs/simulator.md for the two formats");
}

bool looks_like_gwa(const Lines& lines) {
  return lines.text().find(';') != std::string::npos;
}

Result<Trace> read_folder(const fs::path& folder, const TraceBounds& bounds) {
  std::vector<fs::path> files;
  std::error_code problem;
  for (const auto& entry : fs::directory_iterator(folder, problem)) {
    if (entry.path().extension() == ".csv") files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  if (files.empty()) {
    return fail(ErrorCode::invalid_input, folder.string(), "no .csv files in this folder",
                "a folder holds GWA-T-12 files, one per VM");
  }
  Trace trace;
  std::optional<std::uint64_t> origin;
  for (const auto& file : files) {
    auto lines = open_at_header(file);
    if (!lines) return fail(lines.error());
    if (!looks_like_gwa(*lines)) {
      return lines->wrong("not a GWA-T-12 file, unlike the folder's other files",
                          "a folder has one format");
    }
    auto vm = read_gwa_file(std::move(*lines), file, bounds);
    if (!vm) return fail(vm.error());
    add_gwa(std::move(*vm), trace, origin);
    if (trace.times.size() * trace.columns.size() > bounds.values) return too_large(folder, bounds);
  }
  return trace;
}

}  // namespace

Result<Trace> read_trace(const fs::path& path, TraceBounds bounds) {
  std::error_code problem;
  if (fs::is_directory(path, problem)) return read_folder(path, bounds);
  auto lines = open_at_header(path);
  if (!lines) return fail(lines.error());
  const bool wide = split(lines->text(), ',', 1).front() == "t_s";
  if (!wide && looks_like_gwa(*lines)) {
    auto vm = read_gwa_file(std::move(*lines), path, bounds);
    if (!vm) return fail(vm.error());
    Trace trace;
    std::optional<std::uint64_t> origin;
    add_gwa(std::move(*vm), trace, origin);
    return trace;
  }
  if (!wide) {
    return lines->wrong("is not a trace: no column 't_s'", "a trace's header is t_s,<vm>,<vm>,...");
  }
  return read_wide(std::move(*lines), path, bounds);
}

Error too_many_domains(std::size_t most) {
  return {ErrorCode::limit_exceeded, "", "more than " + std::to_string(most) + " different domains",
          "name journals of a shorter time", ""};
}

bool Trace::is_resident() const {
  return std::any_of(columns.begin(), columns.end(),
                     [](const TraceColumn& one) { return !one.kernel.is_zero(); });
}

std::vector<std::chrono::seconds> holds_of(const std::vector<std::chrono::seconds>& times) {
  std::vector<std::chrono::seconds> holds;
  holds.reserve(times.size());
  for (std::size_t i = 1; i < times.size(); ++i) holds.push_back(times[i] - times[i - 1]);
  if (!times.empty()) holds.push_back(holds.empty() ? std::chrono::seconds(300) : holds.back());
  return holds;
}

std::vector<MemorySize> trailing_maximum(const std::vector<std::chrono::seconds>& times,
                                         const std::vector<MemorySize>& used,
                                         std::chrono::seconds footprint, MemorySize provisioned) {
  std::vector<MemorySize> demand;
  demand.reserve(used.size());
  std::deque<std::size_t> falling;  // the window's moments whose use no later one reaches
  for (std::size_t i = 0; i < used.size(); ++i) {
    while (!falling.empty() && used[falling.back()] <= used[i]) falling.pop_back();
    falling.push_back(i);
    while (times[falling.front()] + footprint < times[i]) falling.pop_front();
    demand.push_back(std::min(used[falling.front()], provisioned));
  }
  return demand;
}

}  // namespace memcoord::workbench
