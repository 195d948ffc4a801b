#include "engine/observers/merged_lines.h"

#include <fmt/core.h>

#include <utility>

#include "engine/observers/amounts.h"

namespace memcoord::observers {
namespace {

constexpr MemorySize kLargeMove = MemorySize::from_mib(64);
constexpr std::uint64_t kLargePart = 20;  // a twentieth, 5 %
constexpr std::size_t kShownNames = 8;

MemorySize difference(MemorySize from, MemorySize to) {
  return from < to ? to - from : from - to;
}

/// "in the last minute", also for a minute of ticks that came somewhat early or late.
std::string when_text(Duration lasted) {
  constexpr Duration kSlack = std::chrono::seconds(6);
  const Duration off = lasted - MergedLines::kMinute;
  if (off >= -kSlack && off <= kSlack) return "in the last minute";
  return "in the last " + duration_text(lasted);
}

}  // namespace

bool is_small_move(MemorySize from, MemorySize to) {
  const MemorySize by = difference(from, to);
  return by < kLargeMove && by * kLargePart < from;
}

std::vector<MergedLines::Line> MergedLines::begin_tick(MonotonicTime now, bool dry_run,
                                                       Units units) {
  std::vector<Line> lines;
  const bool is_over = start_ && (now - *start_ >= kMinute || now < *start_);
  if (is_over || dry_run != dry_run_) {
    lines = close(start_ ? std::max(now - *start_, Duration()) : Duration());
  }
  step_ = start_ ? now - last_ : Duration();
  if (!start_) start_ = now;
  last_ = now;
  dry_run_ = dry_run;
  units_ = units;
  return lines;
}

std::vector<MergedLines::Line> MergedLines::end_tick() {
  const Duration lasted = last_ - start_.value_or(last_) + step_;
  if (lasted < kMinute) return {};
  return close(lasted);
}

std::vector<MergedLines::Line> MergedLines::flush() {
  return close(last_ - start_.value_or(last_) + step_);
}

bool MergedLines::gets_line_for_move(const Uuid& domain, const std::string& name, MemorySize from,
                                     MemorySize to) {
  const bool small = is_small_move(from, to);
  if (!small && minute_.move_lines < kMoves && minute_.lines[domain] < kMovesOfDomain) {
    ++minute_.move_lines;
    ++minute_.lines[domain];
    return true;
  }
  ++minute_.moves;
  if (small) ++minute_.small_moves;
  minute_.moved.insert(domain);
  const MemorySize by = difference(from, to);
  (from < to ? minute_.grown : minute_.shrunk) += by;
  if (minute_.moves == 1 || by > difference(minute_.largest.from, minute_.largest.to)) {
    minute_.largest = {name, from, to};
  }
  return false;
}

bool MergedLines::gets_line_for_begin(const std::string& name) {
  if (++minute_.begin_lines <= kBegins) return true;
  add_name(minute_.begun, name);
  return false;
}

bool MergedLines::gets_line_for_end(const std::string& name) {
  if (++minute_.end_lines <= kEnds) return true;
  add_name(minute_.ended, name);
  return false;
}

bool MergedLines::gets_line_for_note() {
  if (minute_.note_lines < kNotes) {
    ++minute_.note_lines;
    return true;
  }
  if (more_notes_ > 0) {
    --more_notes_;
    return true;
  }
  ++minute_.notes;
  return false;
}

void MergedLines::add_name(Names& names, const std::string& name) {
  ++names.count;
  if (names.first.size() < kShownNames) names.first.push_back(name);
}

std::string MergedLines::moves_text(const std::string& when) const {
  const Minute& of = minute_;
  const bool small = of.small_moves == of.moves;
  const std::string largest =
      of.largest.name + " " + change_text(of.largest.from, of.largest.to, units_);
  std::string text = dry_run_ ? "dry run: " : "";
  text += fmt::format("{} {} {} {}: ", of.moves, small ? "small" : "more",
                      of.moves == 1 ? "move" : "moves", when);
  if (of.moves == 1) return text + largest;
  if (!of.grown.is_zero()) text += "+" + of.grown.text(units_);
  if (!of.grown.is_zero() && !of.shrunk.is_zero()) text += ", ";
  if (!of.shrunk.is_zero()) text += "-" + of.shrunk.text(units_);
  text += fmt::format(" in {} {}", of.moved.size(), of.moved.size() == 1 ? "domain" : "domains");
  return text + "; largest " + largest;
}

std::vector<MergedLines::Line> MergedLines::close(Duration lasted) {
  const std::string when = when_text(lasted);
  std::vector<Line> lines;
  const auto add_names = [&](const Names& names, bool warning, const char* what) {
    if (names.count == 0) return;
    std::string text = fmt::format("{} more {} {} {}: ", names.count,
                                   names.count == 1 ? "domain" : "domains", what, when);
    for (const std::string& name : names.first) {
      text += (&name == &names.first.front() ? "" : ", ") + name;
    }
    const std::size_t rest = names.count - names.first.size();
    if (rest > 0) text += fmt::format(" and {} more", rest);
    lines.push_back({warning, std::move(text)});
  };
  add_names(minute_.begun, true, "became short of memory");
  add_names(minute_.ended, false, "had enough memory again");
  if (minute_.notes > 0) {
    lines.push_back(
        {true, fmt::format("{} more {} {}; at --log-level debug each has its line", minute_.notes,
                           minute_.notes == 1 ? "note" : "notes", when)});
  }
  if (minute_.moves > 0) lines.push_back({false, moves_text(when)});
  minute_ = {};
  start_.reset();
  return lines;
}

}  // namespace memcoord::observers
