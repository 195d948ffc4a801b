#include "engine/screen/screen_frame.h"

#include <algorithm>
#include <utility>

#include "engine/core/printable.h"
#include "engine/observers/amounts.h"
#include "engine/observers/events.h"

namespace memcoord::screen {
namespace {

using observers::ConsoleStyle;
using observers::ScreenLines;
using observers::TableLines;
using observers::TableView;
using Page = ScreenState::Page;

constexpr std::size_t kMostMessages = 6;  // lines

Styled problem_line(const TickSource::Reading& reading) {
  return {{"no answer for " + observers::duration_text(reading.silent) + ": " + reading.problem,
           Tint::red}};
}

Styled message_line(const Message& message, bool local_time) {
  const Tint tint = message.severity == Note::Severity::error     ? Tint::red
                    : message.severity == Note::Severity::warning ? Tint::yellow
                                                                  : Tint::none;
  return {{observers::time_text(message.time, local_time, false) + "  ", Tint::dim},
          {message.text, tint}};
}

/// The keys, or what deserves the last line more.
Styled legend(const ScreenState& state) {
  if (state.ending) return {{"ending after this tick", Tint::bold}};
  if (state.page == Page::filter) {
    return {{"/" + state.view.filter, Tint::bold}};
  }
  if (state.page == Page::text) return {{"arrows: scroll  any other key: return", Tint::dim}};
  if (!state.notice.empty()) return {{state.notice, Tint::bold}};
  Styled line;
  if (!state.view.filter.empty()) {
    line.push_back({"/" + state.view.filter + " (Esc: all names)  ", Tint::bold});
  }
  if (state.view.only != TableView::Only::all) {
    line.push_back({"only " + std::string(to_text(state.view.only)) + " (a: all)  ", Tint::bold});
  }
  line.push_back({"q quit  ? help  / filter  t trouble  m moved  < > sort  p pause  Enter explain",
                  Tint::dim});
  return line;
}

/// Where the second column of a line begins, after two blanks or more; 0 without one.
std::size_t second_column(const std::string& line, std::size_t width) {
  const std::size_t gap = line.find("  ");
  if (gap == std::string::npos) return 0;
  const std::size_t column = line.find_first_not_of(' ', gap);
  return column == std::string::npos || column > width / 3 ? 0 : column;
}

/// Cuts a text into lines of a width, at blanks where that is possible. Later lines begin below the
/// second column of the first.
std::vector<std::string> wrapped(const std::string& text, std::size_t width) {
  std::vector<std::string> lines;
  std::string left = printable(text);
  const std::size_t indent = second_column(left, width);
  while (display_width(left) > width && width > 0) {
    const std::size_t begin = std::max<std::size_t>(indent, 1);
    std::string part;
    for (std::string_view rest = left; !rest.empty();) {
      const Character character = first_character(rest);
      if (display_width(part) + display_width(character.bytes) > width) break;
      part += character.bytes;
      rest.remove_prefix(character.bytes.size());
    }
    if (const std::size_t blank = part.rfind(' '); blank != std::string::npos && blank >= begin) {
      part.resize(blank);
    }
    if (part.empty()) break;  // a character wider than the screen
    left = std::string(indent, ' ') +
           left.substr(std::min(left.find_first_not_of(' ', part.size()), left.size()));
    lines.push_back(std::move(part));
  }
  lines.push_back(std::move(left));
  return lines;
}

void add_paused(const Tick& tick, Shown& shown) {
  for (const SkippedDomain& skipped : tick.skipped) {
    if (skipped.paused_by_operator()) shown.paused.push_back(skipped.domain);
  }
}

class FrameMaker {
 public:
  FrameMaker(const ScreenState& state, const Contents& contents, const ConsoleStyle& style)
      : state_(state),
        contents_(contents),
        style_(style),
        width_(static_cast<std::size_t>(std::max(style.width, 1))),
        height_(static_cast<std::size_t>(std::max(style.height, 1))) {}

  Drawn table() {
    const Tick* tick = contents_.reading.newest.get();
    if (tick == nullptr) return waiting();
    add_paused(*tick, drawn_.shown);
    drawn_.shown.tick = tick->number;
    ScreenLines wanted;
    wanted.head = head(*tick, 0).size();
    wanted.table = table_lines(*tick);
    wanted.messages =
        contents_.messages.empty() ? 0 : std::min(contents_.messages.size(), kMostMessages) + 1;
    wanted.legend = 1;
    const ScreenLines parts =
        observers::share_screen(height_, wanted, contents_.table.short_domains());
    if (parts.head > 0) add(head(*tick, parts.head), parts.head);
    add_table(*tick, parts.table);
    add_messages(parts.messages, parts.legend);
    if (parts.legend > 0) add_legend();
    return std::move(drawn_);
  }

  Drawn text() {
    std::vector<std::string> lines;
    for (const std::string& line : state_.text) {
      for (std::string& part : wrapped(line, width_)) lines.push_back(std::move(part));
    }
    Shown& shown = drawn_.shown;
    shown.text_lines = lines.size();
    shown.text_rows = height_ - 1;
    const std::size_t last = lines.size() - std::min(shown.text_rows, lines.size());
    const std::size_t first = std::min(state_.text_first, last);
    for (std::size_t i = first; i < std::min(lines.size(), first + shown.text_rows); ++i) {
      add({{std::move(lines[i]), i == 0 ? Tint::bold : Tint::none}});
    }
    add_legend();
    return std::move(drawn_);
  }

 private:
  void add(const Styled& line) { drawn_.frame.lines.push_back(fit(line, width_, style_.unicode)); }
  void add(const std::vector<Styled>& lines, std::size_t most) {
    for (std::size_t i = 0; i < std::min(lines.size(), most); ++i) add(lines[i]);
  }

  Drawn waiting() {
    const TickSource::Reading& reading = contents_.reading;
    add(reading.problem.empty() ? Styled{{"waiting for the first tick", Tint::none}}
                                : problem_line(reading));
    add_legend();
    return std::move(drawn_);
  }

  /// With the source's problem below the first line, or in its place.
  [[nodiscard]] std::vector<Styled> head(const Tick& tick, std::size_t room) const {
    if (contents_.reading.problem.empty()) {
      return observers::head_lines(tick, contents_.table.short_domains(), style_, room);
    }
    if (room == 1) return {problem_line(contents_.reading)};
    auto lines = observers::head_lines(tick, contents_.table.short_domains(), style_,
                                       room == 0 ? 0 : room - 1);
    lines.insert(lines.begin() + std::min<std::ptrdiff_t>(1, std::ssize(lines)),
                 problem_line(contents_.reading));
    return lines;
  }

  /// How many lines the table wants.
  [[nodiscard]] std::size_t table_lines(const Tick& tick) const {
    if (tick.snapshot.domains.empty()) return 1;
    return 1 + std::max<std::size_t>(contents_.table.matching(tick, state_.view), 1);
  }

  void add_table(const Tick& tick, std::size_t room) {
    if (tick.sample_error || room == 0) return;
    if (tick.snapshot.domains.empty()) {
      add({{"no active domains", Tint::none}});
      return;
    }
    TableLines table = contents_.table.lines(tick, room, style_, state_.view);
    Shown& shown = drawn_.shown;
    shown.first = table.first;
    shown.rows = table.rows.size();
    for (const TableLines::Row& row : table.rows) {
      if (row.domain == state_.view.selected) {
        drawn_.frame.selected =
            drawn_.frame.lines.size() + 1 + static_cast<std::size_t>(&row - table.rows.data());
      }
    }
    add(table.all(), room);
    shown.matching = std::move(table.matching);
  }

  /// At the bottom, above the legend.
  void add_messages(std::size_t room, std::size_t legend_lines) {
    const std::size_t shown =
        std::min(contents_.messages.size(), room > 0 ? room - 1 : std::size_t{0});
    while (drawn_.frame.lines.size() + shown + legend_lines < height_) add(Styled{});
    for (std::size_t i = contents_.messages.size() - shown; i < contents_.messages.size(); ++i) {
      add(message_line(contents_.messages[i], style_.local_time));
    }
  }

  void add_legend() {
    while (drawn_.frame.lines.size() + 1 < height_) add(Styled{});
    const Styled line = legend(state_);
    if (state_.page == Page::filter) {
      drawn_.frame.cursor_at = std::min(display_width(line), width_ - 1);
    }
    add(line);
  }

  const ScreenState& state_;
  const Contents& contents_;
  const ConsoleStyle& style_;
  std::size_t width_;
  std::size_t height_;
  Drawn drawn_;
};

}  // namespace

Drawn draw(const ScreenState& state, const Contents& contents, const ConsoleStyle& style) {
  FrameMaker maker(state, contents, style);
  return state.page == Page::text ? maker.text() : maker.table();
}

}  // namespace memcoord::screen
