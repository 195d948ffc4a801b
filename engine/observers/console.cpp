#include "engine/observers/console.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "engine/core/screen_text.h"
#include "engine/observers/events.h"

namespace memcoord::observers {
namespace {

constexpr std::size_t kMessagesKept = 100;
constexpr std::size_t kMessagesGuaranteed = 6;  // lines that the table leaves to messages
constexpr std::size_t kLeastDomains = 4;
constexpr std::size_t kHostBar = 24;

/// The first line. A tick whose sample failed knows no domains, and often no time.
Styled title(const Tick& tick, bool local_time) {
  Styled line{{"memcoord", Tint::bold}, {"  tick " + std::to_string(tick.number), Tint::none}};
  const auto add = [&](const std::string& text, Tint tint = Tint::none) {
    line.push_back({text, tint});
  };
  if (tick.snapshot.wall_time != WallTime()) {
    add("  " + time_text(tick.snapshot.wall_time, local_time, false) + (local_time ? "" : " UTC"));
  }
  add("  policy " + tick.policy);
  add("  headroom " + std::string(to_text(tick.limits.headroom)));
  const std::size_t domains = tick.snapshot.domains.size();
  if (!tick.sample_error) {
    add("  " + std::to_string(domains) + (domains == 1 ? " domain" : " domains"));
  }
  if (!tick.skipped.empty()) add(", " + std::to_string(tick.skipped.size()) + " skipped");
  if (tick.dry_run) add("  dry run: nothing is moved", Tint::yellow);
  return line;
}

Styled host_bar(const Host& host, bool unicode) {
  const MemorySize spare = std::min(host.available.value_or(host.free), host.total);
  const Bar parts = bar({static_cast<double>((host.total - spare).kib()),
                         static_cast<double>(spare.kib()), static_cast<double>(host.total.kib())},
                        kHostBar, unicode);
  return {{"host  ", Tint::dim}, {parts.used, Tint::blue}, {parts.spare + parts.rest, Tint::cyan}};
}

std::vector<Styled> host_figures(const Tick& tick) {
  const Host& host = tick.snapshot.host;
  std::vector<Styled> figures;
  const auto figure = [&](const char* label, MemorySize size, Tint tint = Tint::none) {
    figures.push_back(
        {{std::string(label) + " ", Tint::dim}, {size.text(tick.limits.units), tint}});
  };
  const bool low = host_headroom(host, tick.limits.headroom) <= tick.limits.host_floor;
  const bool by_free = counted(host, tick.limits.headroom) == Headroom::unused;
  figure("total", host.total);
  figure("free", host.free, low && by_free ? Tint::red : Tint::none);
  if (host.available) {
    figure("available", *host.available, low && !by_free ? Tint::red : Tint::none);
  }
  figure("buffers", host.buffers);
  figure("cached", host.cached);
  figure("grantable", tick.grantable);
  if (tick.limits.host_memory) figure("budget", *tick.limits.host_memory);
  return figures;
}

/// The host, in as many lines as its figures need: none is dropped.
std::vector<Styled> host_lines(const Tick& tick, const ConsoleStyle& style) {
  const std::vector<Styled> figures = host_figures(tick);
  const auto width = style.width > 0 ? static_cast<std::size_t>(style.width)
                                     : std::numeric_limits<std::size_t>::max();
  std::size_t all = display_width("host");
  for (const Styled& figure : figures) all += 2 + display_width(figure);
  const bool pictures = style.interactive || style.color;
  std::vector<Styled> lines{{{"host", Tint::dim}}};
  if (pictures && all + kHostBar + 2 <= width)
    lines.back() = host_bar(tick.snapshot.host, style.unicode);
  for (const Styled& figure : figures) {
    if (display_width(lines.back()) + 2 + display_width(figure) > width) {
      lines.push_back({{"    ", Tint::none}});
    }
    lines.back().push_back({"  ", Tint::none});
    lines.back().insert(lines.back().end(), figure.begin(), figure.end());
  }
  return lines;
}

}  // namespace

void ConsoleTable::resize(int width, int height) {
  if (width == style_.width && height == style_.height) return;
  if (width != style_.width) domains_.forget_widths();
  style_.width = width;
  style_.height = height;
  // The terminal may have wrapped the lines of the last frame anew: their position is unknown.
  clear_first_ = drawn_lines_ > 0;
}

void ConsoleTable::add_message(std::string line, Note::Severity severity) {
  messages_.push_back({{}, std::move(line), severity});
  if (messages_.size() > kMessagesKept) messages_.pop_front();
}

std::vector<Styled> ConsoleTable::head(const Tick& tick) const {
  std::vector<Styled> lines{title(tick, style_.local_time)};
  if (tick.sample_error) {
    lines.push_back({{"no statistics: " + tick.sample_error->text(), Tint::red}});
    return lines;
  }
  for (Styled& line : host_lines(tick, style_)) lines.push_back(std::move(line));
  if (tick.policy_error) {
    lines.push_back({{"policy: " + tick.policy_error->text(), Tint::red}});
  }
  return lines;
}

std::size_t ConsoleTable::room_for_domains(std::size_t taken) const {
  if (style_.height <= 0) return 0;
  const std::size_t below =
      style_.interactive ? std::min(messages_.size(), kMessagesGuaranteed) + 2 : 1;
  const auto height = static_cast<std::size_t>(style_.height);
  return std::max(height - std::min(height, taken + below), kLeastDomains);
}

std::vector<Styled> ConsoleTable::draw(const Tick& tick) {
  std::vector<Styled> frame = head(tick);
  if (tick.sample_error) return frame;
  if (tick.snapshot.domains.empty()) {
    frame.push_back({{"no active domains", Tint::none}});
    return frame;
  }
  const std::size_t room = room_for_domains(frame.size());
  for (Styled& line : domains_.lines(tick, room, style_)) frame.push_back(std::move(line));
  return frame;
}

void ConsoleTable::draw_messages(std::vector<Styled>& frame) const {
  frame.emplace_back();
  const auto height = static_cast<std::size_t>(std::max(style_.height, 0));
  // The last line of the screen belongs to the cursor.
  const std::size_t room =
      height == 0 ? kMessagesGuaranteed : height - std::min(height, frame.size() + 1);
  const std::size_t shown = std::min(messages_.size(), room);
  for (std::size_t i = messages_.size() - shown; i < messages_.size(); ++i) {
    const Message& message = messages_[i];
    const Tint tint = message.severity == Note::Severity::error     ? Tint::red
                      : message.severity == Note::Severity::warning ? Tint::yellow
                                                                    : Tint::none;
    frame.push_back({{message.time + "  ", Tint::dim}, {message.text, tint}});
  }
}

void ConsoleTable::draw_in_place(const std::vector<Styled>& frame) {
  // A hidden cursor, no wrapping and a single write avoid flicker.
  std::string bytes = "\x1b[?25l\x1b[?7l";
  if (clear_first_) {
    bytes += "\x1b[H\x1b[2J";
  } else if (drawn_lines_ > 0) {
    bytes += "\r\x1b[" + std::to_string(drawn_lines_) + "A";
  }
  const auto height = static_cast<std::size_t>(std::max(style_.height, 0));
  const std::size_t lines = height > 1 ? std::min(frame.size(), height - 1) : frame.size();
  const auto width = static_cast<std::size_t>(std::max(style_.width, 1));
  for (std::size_t i = 0; i < lines; ++i) {
    bytes += render(fit(frame[i], width, style_.unicode), style_.color) + "\x1b[K\n";
  }
  bytes += "\x1b[J\x1b[?7h\x1b[?25h";
  out_ << bytes << std::flush;
  drawn_lines_ = lines;
  clear_first_ = false;
}

void ConsoleTable::observe(const Tick& tick) {
  if (tick.restoring) return;  // the table keeps the last tick's decisions; the log has the rest
  // After a full disk behind standard output, later tables are written again.
  out_.clear();
  if (style_.interactive || style_.color) domains_.remember(tick);
  for (Message& message : messages_) {
    if (message.time.empty())
      message.time = time_text(tick.snapshot.wall_time, style_.local_time, false);
  }
  std::vector<Styled> frame = draw(tick);
  if (style_.interactive) {
    draw_messages(frame);
    draw_in_place(frame);
    return;
  }
  const auto width = style_.width > 0 ? static_cast<std::size_t>(style_.width)
                                      : std::numeric_limits<std::size_t>::max();
  std::string bytes;
  for (const Styled& line : frame) {
    bytes += render(fit(line, width, style_.unicode), style_.color) + '\n';
  }
  out_ << bytes << std::endl;
}

}  // namespace memcoord::observers
