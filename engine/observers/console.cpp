#include "engine/observers/console.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <optional>
#include <utility>

#include "engine/observers/sparkline.h"

namespace memcoord::observers {
namespace {

constexpr std::size_t kSparklineLength = 16;
constexpr std::size_t kMessages = 50;
constexpr std::size_t kShownMessages = 8;
constexpr std::size_t kLeastWhy = 12;
constexpr std::size_t kLongestName = 24;

enum class Tint { none, dim, bold, red, green, yellow, cyan };

constexpr std::array<const char*, 7> kTints{"",         "\x1b[2m",  "\x1b[1m", "\x1b[31m",
                                            "\x1b[32m", "\x1b[33m", "\x1b[36m"};

struct Cell {
  std::string text;
  Tint tint = Tint::none;
};

struct Column {
  const char* title;
  bool right;
  int keep;  ///< columns with the smallest number go first where room is short
};

constexpr std::array<Column, 8> kColumns{{{"DOMAIN", false, 99},
                                          {"ACTUAL", true, 90},
                                          {"AVAILABLE", true, 10},
                                          {"UNUSED", true, 80},
                                          {"USABLE", true, 30},
                                          {"UNUSED OVER TIME", false, 20},
                                          {"CHANGE", true, 95},
                                          {"WHY", false, 85}}};
constexpr std::size_t kSparkColumn = 5;
constexpr std::size_t kWhyColumn = 7;

using Row = std::array<Cell, kColumns.size()>;

std::string size_text(const std::optional<MemorySize>& size) {
  return size ? size->text() : "-";
}

std::string tinted(const std::string& text, Tint tint, bool color) {
  if (!color || tint == Tint::none || text.empty()) return text;
  return kTints.at(static_cast<std::size_t>(tint)) + text + "\x1b[0m";
}

/// Everything of a tick about one domain.
struct Line {
  const Domain* domain = nullptr;
  const Decision* decision = nullptr;
  const HeldDomain* held = nullptr;
  const Outcome* outcome = nullptr;

  /// What people look for comes first where not all fit: moves, trouble, then the rest.
  [[nodiscard]] int urgency() const {
    if (decision && !decision->holds()) return 0;
    if (decision && !decision->rules.empty()) return 1;
    if (held && held->rule && *held->rule == Rule::running_only) return 2;
    return held ? 4 : 3;
  }
};

std::vector<Line> lines_of(const Tick& tick) {
  std::unordered_map<Uuid, Line> by_domain;
  for (const Domain& domain : tick.snapshot.domains) by_domain[domain.uuid()].domain = &domain;
  for (const Decision& decision : tick.decisions) by_domain[decision.domain].decision = &decision;
  for (const HeldDomain& held : tick.held) by_domain[held.domain].held = &held;
  for (const Outcome& outcome : tick.outcomes) by_domain[outcome.domain].outcome = &outcome;
  std::vector<Line> lines;
  for (const Domain& domain : tick.snapshot.domains) lines.push_back(by_domain[domain.uuid()]);
  return lines;
}

std::string rules_text(const Decision& decision) {
  std::string text;
  for (const RuleHit& hit : decision.rules) {
    text += (text.empty() ? "" : ", ") + std::string(to_text(hit.rule));
  }
  return text.empty() ? text : "[" + text + "]";
}

Cell why_cell(const Line& line) {
  if (line.outcome && line.outcome->kind != Outcome::Kind::applied &&
      line.outcome->kind != Outcome::Kind::dry_run) {
    return {line.outcome->error ? line.outcome->error->message
                                : std::string(to_text(line.outcome->kind)),
            Tint::red};
  }
  if (line.decision) {
    const std::string rules = rules_text(*line.decision);
    std::string text = line.decision->why;
    if (line.decision->holds() && !line.decision->rules.empty()) {
      text = rules + " " + line.decision->rules.back().why;
    } else if (!rules.empty()) {
      text += (text.empty() ? "" : " ") + rules;
    }
    return {text, line.decision->rules.empty() ? Tint::none : Tint::yellow};
  }
  if (line.held) {
    const bool hung = line.domain->state == DomainState::hung;
    return {line.held->why, hung ? Tint::red : Tint::dim};
  }
  return {};
}

Cell change_cell(const Line& line) {
  if (!line.decision || line.decision->holds()) return {"", Tint::none};
  return {change_text(line.decision->actual, line.decision->target),
          line.decision->grows() ? Tint::green : Tint::cyan};
}

Row row_of(const Line& line, const Limits& limits, const std::string& spark, bool unicode) {
  const Domain& domain = *line.domain;
  const bool idle = line.held != nullptr && !line.decision;
  const Tint plain = idle ? Tint::dim : Tint::none;
  const auto headroom = headroom_of(domain, limits.headroom);
  // Close to its floor: the domain that someone will ask about.
  const bool low = headroom && *headroom < limits.domain_floor + limits.domain_floor / 2;
  Row row;
  row[0] = {fit(domain.name(), kLongestName, unicode), plain == Tint::dim ? Tint::dim : Tint::bold};
  row[1] = {domain.actual.text(), plain};
  row[2] = {size_text(domain.guest.available), plain};
  row[3] = {size_text(domain.guest.unused), low && !idle ? Tint::red : plain};
  row[4] = {size_text(domain.guest.usable), plain};
  row[5] = {spark, Tint::cyan};
  row[6] = change_cell(line);
  row[7] = why_cell(line);
  return row;
}

struct Layout {
  std::array<std::size_t, kColumns.size()> widths{};
  std::array<bool, kColumns.size()> shown{};
};

std::size_t total_width(const Layout& layout) {
  std::size_t total = 0;
  for (std::size_t i = 0; i < kColumns.size(); ++i) {
    if (!layout.shown.at(i)) continue;
    total += layout.widths.at(i) + (total > 0 ? 2 : 0);
  }
  return total;
}

/// Widths by content; then columns go, the least needed first, until the rest and a readable "why"
/// fit; the why takes what is left.
Layout lay_out(const std::vector<Row>& rows, const ConsoleStyle& style) {
  Layout layout;
  for (std::size_t i = 0; i < kColumns.size(); ++i) {
    layout.shown.at(i) = i != kSparkColumn || style.interactive || style.color;
    layout.widths.at(i) = display_width(kColumns.at(i).title);
    if (i == kWhyColumn) continue;
    for (const Row& row : rows) {
      layout.widths.at(i) = std::max(layout.widths.at(i), display_width(row.at(i).text));
    }
  }
  layout.widths.at(kWhyColumn) = kLeastWhy;
  const auto width = static_cast<std::size_t>(std::max(style.width, 20));
  while (total_width(layout) > width) {
    std::size_t least = kColumns.size();
    for (std::size_t i = 1; i < kColumns.size(); ++i) {
      if (!layout.shown.at(i)) continue;
      if (least == kColumns.size() || kColumns.at(i).keep < kColumns.at(least).keep) least = i;
    }
    if (least == kColumns.size()) break;
    layout.shown.at(least) = false;
  }
  if (layout.shown.at(kWhyColumn) && total_width(layout) < width) {
    layout.widths.at(kWhyColumn) += width - total_width(layout);
  }
  if (!layout.shown.at(1)) layout.widths.at(0) = std::min(layout.widths.at(0), width);
  return layout;
}

std::string without_trailing_blanks(std::string line) {
  while (!line.empty() && line.back() == ' ') line.pop_back();
  return line;
}

std::string row_text(const Row& row, const Layout& layout, const ConsoleStyle& style) {
  std::string line;
  for (std::size_t i = 0; i < kColumns.size(); ++i) {
    if (!layout.shown.at(i)) continue;
    const Cell& cell = row.at(i);
    const std::string text = fit(cell.text, layout.widths.at(i), style.unicode);
    const std::size_t blanks =
        layout.widths.at(i) - std::min(layout.widths.at(i), display_width(text));
    if (i > 0) line += "  ";
    if (kColumns.at(i).right) line += std::string(blanks, ' ');
    line += tinted(text, cell.tint, style.color);
    if (!kColumns.at(i).right && i != kWhyColumn) line += std::string(blanks, ' ');
  }
  return without_trailing_blanks(line);
}

Row header_row() {
  Row row;
  for (std::size_t i = 0; i < kColumns.size(); ++i) row.at(i) = {kColumns.at(i).title, Tint::dim};
  return row;
}

std::string clock_text(WallTime time) {
  const auto day = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::hh_mm_ss clock(std::chrono::floor<std::chrono::seconds>(time - day));
  std::array<char, 16> text{};
  std::snprintf(text.data(), text.size(), "%02d:%02d:%02d", static_cast<int>(clock.hours().count()),
                static_cast<int>(clock.minutes().count()),
                static_cast<int>(clock.seconds().count()));
  return text.data();
}

std::string title_text(const Tick& tick) {
  const std::size_t held = tick.held.size();
  std::string text = "tick " + std::to_string(tick.number) + "  " +
                     clock_text(tick.snapshot.wall_time) + " UTC  policy " + tick.policy + "  " +
                     std::to_string(tick.snapshot.domains.size()) + " domains";
  if (held > 0) text += ", " + std::to_string(held) + " left alone";
  if (tick.dry_run) text += "  (dry run: nothing is moved)";
  return text;
}

std::string host_text(const Tick& tick) {
  const Host& host = tick.snapshot.host;
  std::string text = "host  total " + host.total.text() + "  free " + host.free.text();
  if (host.available) text += "  available " + host.available->text();
  text += "  buffers " + host.buffers.text() + "  cached " + host.cached.text() + "  grantable " +
          tick.grantable.text();
  if (tick.limits.host_memory) text += "  budget " + tick.limits.host_memory->text();
  return text;
}

double as_number(const std::optional<MemorySize>& size) {
  return size ? static_cast<double>(size->kib()) : std::numeric_limits<double>::quiet_NaN();
}

}  // namespace

void ConsoleTable::resize(int width, int height) {
  style_.width = width;
  style_.height = height;
}

void ConsoleTable::add_message(std::string line) {
  messages_.push_back(std::move(line));
  if (messages_.size() > kMessages) messages_.pop_front();
}

void ConsoleTable::remember(const Tick& tick) {
  for (const Domain& domain : tick.snapshot.domains) {
    std::deque<double>& past = unused_[domain.uuid()];
    past.push_back(as_number(domain.guest.unused));
    if (past.size() > kSparklineLength) past.pop_front();
  }
  if (unused_.size() > tick.snapshot.domains.size() * 2 + 16) {
    std::erase_if(unused_, [&](const auto& entry) { return !tick.snapshot.find(entry.first); });
  }
}

std::vector<std::string> ConsoleTable::draw(const Tick& tick) const {
  const auto width = static_cast<std::size_t>(std::max(style_.width, 20));
  std::vector<std::string> text;
  text.push_back(tinted(fit(title_text(tick), width, style_.unicode), Tint::bold, style_.color));
  if (tick.sample_error) {
    text.push_back(tinted(fit("no statistics: " + tick.sample_error->text(), width, style_.unicode),
                          Tint::red, style_.color));
    return text;
  }
  text.push_back(fit(host_text(tick), width, style_.unicode));
  if (tick.policy_error) {
    text.push_back(tinted(fit("policy: " + tick.policy_error->text(), width, style_.unicode),
                          Tint::red, style_.color));
  }
  std::vector<Line> lines = lines_of(tick);
  // Title, host, header, the line that counts the rest, and some room for messages.
  const std::size_t reserved =
      6 + (style_.interactive ? std::min(messages_.size(), kShownMessages) : 0);
  const auto height = static_cast<std::size_t>(std::max(style_.height, 0));
  const std::size_t room =
      height == 0 ? lines.size() : std::max<std::size_t>(height - std::min(height, reserved), 3);
  if (lines.size() > room) {
    std::stable_sort(lines.begin(), lines.end(),
                     [](const Line& a, const Line& b) { return a.urgency() < b.urgency(); });
  }
  std::vector<Row> rows;
  for (std::size_t i = 0; i < std::min(lines.size(), room); ++i) {
    const auto past = unused_.find(lines[i].domain->uuid());
    std::vector<double> values;
    if (past != unused_.end()) values.assign(past->second.begin(), past->second.end());
    rows.push_back(
        row_of(lines[i], tick.limits, sparkline(values, 0, style_.unicode), style_.unicode));
  }
  if (rows.empty()) {
    text.push_back("no active domains");
    return text;
  }
  const Layout layout = lay_out(rows, style_);
  text.push_back(row_text(header_row(), layout, style_));
  for (const Row& row : rows) text.push_back(row_text(row, layout, style_));
  if (lines.size() > rows.size()) {
    text.push_back(tinted("... and " + std::to_string(lines.size() - rows.size()) +
                              " more domains, where less happens",
                          Tint::dim, style_.color));
  }
  return text;
}

void ConsoleTable::observe(const Tick& tick) {
  remember(tick);
  std::vector<std::string> text = draw(tick);
  if (!style_.interactive) {
    for (const std::string& line : text) out_ << line << '\n';
    out_ << '\n' << std::flush;
    return;
  }
  const auto width = static_cast<std::size_t>(std::max(style_.width, 20));
  text.emplace_back();
  const std::size_t shown = std::min(messages_.size(), kShownMessages);
  for (std::size_t i = messages_.size() - shown; i < messages_.size(); ++i) {
    text.push_back(tinted(fit(messages_[i], width, style_.unicode), Tint::dim, style_.color));
  }
  const auto height = static_cast<std::size_t>(std::max(style_.height, 0));
  if (height > 1 && text.size() > height - 1) text.resize(height - 1);
  std::string frame;
  if (drawn_lines_ > 0) frame += "\x1b[" + std::to_string(drawn_lines_) + "A";
  frame += "\r";
  for (const std::string& line : text) frame += line + "\x1b[K\n";
  frame += "\x1b[J";
  out_ << frame << std::flush;
  drawn_lines_ = text.size();
}

}  // namespace memcoord::observers
