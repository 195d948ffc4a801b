#include "engine/observers/console.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "engine/core/reserve_book.h"
#include "engine/core/screen_text.h"
#include "engine/observers/events.h"

namespace memcoord::observers {
namespace {

constexpr std::size_t kMessagesGuaranteed = 6;  // lines that the table leaves to messages
constexpr std::size_t kLeastDomains = 4;
constexpr std::size_t kHostBar = 24;

/// A part of a line, and how long it stays: where the line is too long, the smallest goes first.
struct Part {
  int keep = 0;
  Styled text;
};

/// The parts that fit into a line, two blanks apart.
Styled joined(std::vector<Part> parts, std::size_t width) {
  const auto total = [&] {
    std::size_t sum = 0;
    for (const Part& part : parts) sum += display_width(part.text) + (sum > 0 ? 2 : 0);
    return sum;
  };
  while (parts.size() > 1 && total() > width) {
    parts.erase(std::min_element(parts.begin(), parts.end(),
                                 [](const Part& a, const Part& b) { return a.keep < b.keep; }));
  }
  Styled line;
  for (const Part& part : parts) {
    if (!line.empty()) line.push_back({"  ", Tint::none});
    line.insert(line.end(), part.text.begin(), part.text.end());
  }
  return line;
}

std::size_t width_of(const ConsoleStyle& style) {
  return style.width > 0 ? static_cast<std::size_t>(style.width)
                         : std::numeric_limits<std::size_t>::max();
}

/// "33 domains, 3 short of memory, 1 skipped".
Styled domains_text(const Tick& tick, std::size_t short_domains) {
  const std::size_t domains = tick.snapshot.domains.size();
  Styled text{{std::to_string(domains) + (domains == 1 ? " domain" : " domains"), Tint::none}};
  if (short_domains > 0) {
    text.push_back({", ", Tint::none});
    text.push_back({std::to_string(short_domains) + " short of memory", Tint::red});
  }
  if (!tick.skipped.empty()) {
    text.push_back({", " + std::to_string(tick.skipped.size()) + " skipped", Tint::none});
  }
  return text;
}

/// The first line. A tick whose sample failed knows no domains, and often no time.
Styled title(const Tick& tick, std::size_t short_domains, const ConsoleStyle& style) {
  std::vector<Part> parts;
  const auto add = [&](int keep, const std::string& text, Tint tint = Tint::none) {
    parts.push_back({keep, {{text, tint}}});
  };
  add(20, "memcoord", Tint::bold);
  add(40, "tick " + std::to_string(tick.number));
  if (tick.snapshot.wall_time != WallTime()) {
    add(30, time_text(tick.snapshot.wall_time, style.local_time, false) +
                (style.local_time ? "" : " UTC"));
  }
  const std::string fallback =
      tick.fallback.empty() ? std::string() : ", fallback " + tick.fallback + " decides";
  add(50, "policy " + tick.policy + fallback);
  add(10, "headroom " + std::string(to_text(tick.limits.headroom)));
  if (!tick.sample_error) parts.push_back({70, domains_text(tick, short_domains)});
  if (tick.dry_run) add(60, "dry run: nothing is moved", Tint::yellow);
  return joined(std::move(parts), width_of(style));
}

Styled host_bar(const Host& host, bool unicode) {
  const MemorySize spare = std::min(host.available.value_or(host.free), host.total);
  const Bar parts = bar({static_cast<double>((host.total - spare).kib()),
                         static_cast<double>(spare.kib()), static_cast<double>(host.total.kib())},
                        kHostBar, unicode);
  return {{"host  ", Tint::dim}, {parts.used, Tint::blue}, {parts.spare + parts.rest, Tint::cyan}};
}

/// Red: the host is under its floor. Yellow: it has nothing to grant although a domain is short.
Tint host_tint(const Tick& tick, std::size_t short_domains) {
  const Limits& limits = tick.limits;
  if (host_headroom(tick.snapshot.host, limits.headroom) < limits.host_floor) return Tint::red;
  return short_domains > 0 && tick.grantable < kLargestGuestPage ? Tint::yellow : Tint::none;
}

std::vector<Part> host_figures(const Tick& tick, std::size_t short_domains) {
  const Host& host = tick.snapshot.host;
  std::vector<Part> figures;
  const auto figure = [&](int keep, const char* label, MemorySize size, Tint tint = Tint::none) {
    figures.push_back(
        {keep, {{std::string(label) + " ", Tint::dim}, {size.text(tick.limits.units), tint}}});
  };
  const Tint tint = host_tint(tick, short_domains);
  const bool by_free = counted(host, tick.limits.headroom) == Headroom::unused;
  figure(60, "total", host.total);
  figure(by_free ? 80 : 40, "free", host.free, by_free ? tint : Tint::none);
  if (host.available) {
    figure(by_free ? 40 : 80, "available", *host.available, by_free ? Tint::none : tint);
  }
  figure(90, "grantable", tick.grantable, tint == Tint::yellow ? tint : Tint::none);
  figure(10, "buffers", host.buffers);
  figure(20, "cached", host.cached);
  const MemorySize reserved = reserved_in(tick.snapshot);
  if (!reserved.is_zero()) figure(85, "reserved", reserved);
  if (tick.limits.host_memory) figure(50, "budget", *tick.limits.host_memory);
  return figures;
}

/// The figures in as many lines as they need.
std::vector<Styled> host_lines_of(const std::vector<Part>& figures, const Host& host,
                                  const ConsoleStyle& style) {
  const std::size_t width = width_of(style);
  std::size_t all = display_width("host");
  for (const Part& figure : figures) all += 2 + display_width(figure.text);
  const bool pictures = style.interactive || style.color;
  std::vector<Styled> lines{{{"host", Tint::dim}}};
  if (pictures && all + kHostBar + 2 <= width) lines.back() = host_bar(host, style.unicode);
  for (const Part& figure : figures) {
    if (display_width(lines.back()) + 2 + display_width(figure.text) > width) {
      lines.push_back({{"    ", Tint::none}});
    }
    lines.back().push_back({"  ", Tint::none});
    lines.back().insert(lines.back().end(), figure.text.begin(), figure.text.end());
  }
  return lines;
}

/// The host in at most `room` lines: the least of its figures go where there are too few.
std::vector<Styled> host_lines(const Tick& tick, std::size_t short_domains,
                               const ConsoleStyle& style, std::size_t room) {
  if (room == 0) return {};
  std::vector<Part> figures = host_figures(tick, short_domains);
  while (true) {
    std::vector<Styled> lines = host_lines_of(figures, tick.snapshot.host, style);
    if (lines.size() <= room || figures.size() == 1) return lines;
    figures.erase(std::min_element(figures.begin(), figures.end(),
                                   [](const Part& a, const Part& b) { return a.keep < b.keep; }));
  }
}

}  // namespace

std::vector<Styled> head_lines(const Tick& tick, std::size_t short_domains,
                               const ConsoleStyle& style, std::size_t room) {
  if (room == 0) room = std::numeric_limits<std::size_t>::max();
  std::vector<Styled> lines{title(tick, short_domains, style)};
  std::vector<Styled> errors;
  if (tick.sample_error) {
    errors.push_back({{"no statistics: " + tick.sample_error->text(), Tint::red}});
  } else if (tick.policy_error) {
    errors.push_back({{"policy: " + tick.policy_error->text(), Tint::red}});
  }
  const std::size_t taken = std::min(room, 1 + errors.size());
  if (!tick.sample_error) {
    for (Styled& line : host_lines(tick, short_domains, style, room - taken)) {
      lines.push_back(std::move(line));
    }
  }
  if (taken > 1) lines.insert(lines.end(), errors.begin(), errors.end());
  return lines;
}

ScreenLines share_screen(std::size_t height, const ScreenLines& wanted, std::size_t troubled) {
  constexpr std::size_t kBesideRows = 2;  // the header, and the line that sums up the rest
  ScreenLines lines;
  const auto give = [&](std::size_t ScreenLines::*part, std::size_t most) {
    const std::size_t goal = std::max(std::min(wanted.*part, most), lines.*part);
    const std::size_t more = std::min(goal - lines.*part, height);
    lines.*part += more;
    height -= more;
  };
  give(&ScreenLines::table, kBesideRows + std::clamp(troubled, std::size_t{1}, kLeastDomains));
  give(&ScreenLines::head, 1);
  give(&ScreenLines::legend, wanted.legend);
  give(&ScreenLines::head, 2);
  give(&ScreenLines::table, kBesideRows + troubled);
  give(&ScreenLines::head, wanted.head);
  // The blank line above the messages alone is worth nothing.
  if (height > 1) give(&ScreenLines::messages, kMessagesGuaranteed + 1);
  give(&ScreenLines::table, wanted.table);
  give(&ScreenLines::messages, wanted.messages);
  return lines;
}

std::vector<Styled> plain_lines(const Tick& tick, DomainTable& table, const ConsoleStyle& style,
                                const TableView& view) {
  const std::size_t short_domains = table.short_domains();
  const auto height = static_cast<std::size_t>(std::max(style.height, 0));
  ScreenLines room;
  if (height > 0) {
    const std::size_t domains = tick.snapshot.domains.size();
    room = {head_lines(tick, short_domains, style).size(), tick.sample_error ? 0 : domains + 1, 0,
            0};
    // The last line of the screen belongs to the cursor.
    room = share_screen(height - 1, room, short_domains);
  }
  std::vector<Styled> lines;
  if (height == 0 || room.head > 0) lines = head_lines(tick, short_domains, style, room.head);
  if (!tick.sample_error) {
    for (Styled& line : table.lines(tick, room.table, style, view).all()) {
      lines.push_back(std::move(line));
    }
  }
  const std::size_t width = width_of(style);
  for (Styled& line : lines) line = fit(line, width, style.unicode);
  return lines;
}

void ConsoleTable::observe(const Tick& tick) {
  if (tick.restoring) return;  // the table keeps the last tick's decisions; the log has the rest
  // After a full disk behind standard output, later tables are written again.
  out_.clear();
  domains_.remember(tick);
  std::string bytes;
  for (const Styled& line : plain_lines(tick, domains_, style_)) {
    bytes += render(line, style_.color) + '\n';
  }
  out_ << bytes << std::endl;
}

}  // namespace memcoord::observers
