#include "engine/observers/journal_files.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <cstddef>
#include <system_error>
#include <utility>

namespace memcoord::observers {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kPrefix = "ticks-";
constexpr std::string_view kRotatedEnding = ".jsonl.1";

/// A number of exactly so many digits at the text's start, which it is cut off from.
std::optional<int> digits_of(std::string_view& text, std::size_t count) {
  int number = 0;
  if (text.size() < count) return std::nullopt;
  const auto [end, error] = std::from_chars(text.data(), text.data() + count, number);
  if (error != std::errc() || end != text.data() + count || text.front() == '-') {
    return std::nullopt;
  }
  text.remove_prefix(count);
  return number;
}

/// Whether a file of this name may be a part of a journal.
bool is_journal_name(std::string_view name) {
  return name.ends_with(kPlainEnding) || name.ends_with(kPackedEnding) ||
         name.ends_with(kRotatedEnding);
}

/// Whether the packed form of a plain segment is there as well.
bool is_packed_too(const fs::path& file, const std::vector<fs::path>& sorted) {
  if (file.extension() != kPlainEnding || !segment_begin(file.filename().string())) return false;
  fs::path packed = file;
  packed.replace_extension(kPackedEnding);
  return std::binary_search(sorted.begin(), sorted.end(), packed);
}

Result<std::vector<JournalFile>> files_in_folder(const fs::path& folder) {
  std::error_code error;
  std::vector<fs::path> found;
  for (fs::directory_iterator at(folder, error), end; !error && at != end; at.increment(error)) {
    std::error_code ignored;
    if (is_journal_name(at->path().filename().string()) && at->is_regular_file(ignored)) {
      found.push_back(at->path());
    }
  }
  if (error) {
    const bool refused = error == std::errc::permission_denied;
    return fail(refused ? ErrorCode::permission_denied : ErrorCode::invalid_input, folder.string(),
                "cannot be read: " + error.message());
  }
  if (found.empty()) return fail(no_ticks(folder));
  std::sort(found.begin(), found.end());
  std::vector<JournalFile> files;
  for (const fs::path& path : found) {
    if (is_packed_too(path, found)) continue;
    files.push_back({path, segment_begin(path.filename().string())});
  }
  // Of two segments of the same second, the second one has the longer name.
  std::stable_sort(files.begin(), files.end(), [](const JournalFile& a, const JournalFile& b) {
    const auto key = [](const JournalFile& file) {
      return std::pair(file.begin, file.path.stem().native().size());
    };
    return key(a) < key(b);
  });
  return files;
}

}  // namespace

Error no_ticks(const fs::path& journal) {
  return {ErrorCode::invalid_input, journal.string(), "has no ticks",
          "name a journal: 'memcoord record' and a run with --journal write them", ""};
}

std::string segment_name(WallTime begin, int number) {
  const std::chrono::sys_days day = std::chrono::floor<std::chrono::days>(begin);
  const std::chrono::year_month_day date{day};
  const std::chrono::hh_mm_ss time{std::chrono::floor<std::chrono::seconds>(begin - day)};
  std::string name =
      fmt::format("{}{:04}{:02}{:02}T{:02}{:02}{:02}Z", kPrefix, static_cast<int>(date.year()),
                  static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                  time.hours().count(), time.minutes().count(), time.seconds().count());
  if (number > 1) name += "-" + std::to_string(number);
  return name;
}

std::optional<WallTime> segment_begin(std::string_view name) {
  using namespace std::chrono;
  if (!name.starts_with(kPrefix)) return std::nullopt;
  std::string_view rest = name.substr(kPrefix.size());
  const auto y = digits_of(rest, 4);
  const auto m = y ? digits_of(rest, 2) : std::nullopt;
  const auto d = m ? digits_of(rest, 2) : std::nullopt;
  if (!d || !rest.starts_with('T')) return std::nullopt;
  rest.remove_prefix(1);
  const auto hour = digits_of(rest, 2);
  const auto minute = hour ? digits_of(rest, 2) : std::nullopt;
  const auto second = minute ? digits_of(rest, 2) : std::nullopt;
  if (!second || !rest.starts_with('Z')) return std::nullopt;
  const year_month_day date{year(*y), month(static_cast<unsigned>(*m)),
                            day(static_cast<unsigned>(*d))};
  if (!date.ok() || *hour > 23 || *minute > 59 || *second > 59) return std::nullopt;
  return sys_days(date) + hours(*hour) + minutes(*minute) + seconds(*second);
}

Result<std::vector<JournalFile>> journal_files(const std::vector<fs::path>& paths) {
  std::vector<JournalFile> files;
  for (const fs::path& path : paths) {
    std::error_code ignored;
    if (!fs::is_directory(path, ignored)) {
      files.push_back({path, {}});
      continue;
    }
    auto found = files_in_folder(path);
    if (!found) return fail(found.error());
    files.insert(files.end(), found->begin(), found->end());
  }
  return files;
}

}  // namespace memcoord::observers
