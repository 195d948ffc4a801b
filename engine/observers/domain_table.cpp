#include "engine/observers/domain_table.h"

#include <algorithm>
#include <limits>
#include <optional>
#include <span>

#include "engine/core/screen_text.h"

namespace memcoord::observers {
namespace {

constexpr std::size_t kRemembered = 32;   // samples of a domain: the longest trend
constexpr std::size_t kLongestName = 24;  // columns
constexpr std::size_t kBar = 16;          // columns
constexpr int kCompactBelow = 64;         // columns; a narrower screen has sizes as "512M"
constexpr int kClassicFrom = 80;          // columns; a wider screen keeps all of the classic tools'

enum Index : std::size_t { name, memory, actual, available, unused, trend, usable, change, why };

/// Without their titles.
constexpr std::array<TableColumn, DomainTable::kColumns> kColumn{{{"", false, 99, 0, 0},
                                                                  {"", false, 15, kBar, 0},
                                                                  {"", true, 90, 0, 0},
                                                                  {"", true, 10, 0, 0},
                                                                  {"", true, 80, 0, 0},
                                                                  {"", false, 35, 8, kRemembered},
                                                                  {"", true, 30, 0, 0},
                                                                  {"", true, 95, 0, 0},
                                                                  {"", false, 40, 18, 40}}};

/// Everything of a tick about one domain.
struct Line {
  const Domain* domain = nullptr;
  const Decision* decision = nullptr;
  const SkippedDomain* skipped = nullptr;
  const Outcome* outcome = nullptr;
  bool low = false;                     ///< close to its floor
  Headroom counted = Headroom::unused;  ///< the figure that says so

  [[nodiscard]] bool failed() const {
    return outcome && outcome->kind != Outcome::Kind::applied &&
           outcome->kind != Outcome::Kind::dry_run;
  }
  /// Skipped, and the policy proposed nothing for it.
  [[nodiscard]] bool idle() const { return skipped && !decision; }
  [[nodiscard]] bool moves() const { return decision && !decision->holds(); }
  /// The order of domains if not all fit: those that move, that the guard limits, that are low,
  /// that hang; then the rest.
  [[nodiscard]] int urgency() const {
    if (moves() || failed()) return 0;
    if (decision && !decision->rules.empty()) return 1;
    if (low) return 2;
    if (domain->state == DomainState::hung) return 3;
    return skipped ? 5 : 4;
  }
};

bool is_low(const Domain& domain, const Limits& limits) {
  const auto headroom = headroom_of(domain, limits.headroom);
  return headroom && *headroom < limits.low_domain();
}

std::vector<Line> lines_of(const Tick& tick) {
  std::unordered_map<Uuid, std::size_t> place;
  std::vector<Line> lines;
  lines.reserve(tick.snapshot.domains.size());
  for (const Domain& domain : tick.snapshot.domains) {
    place.emplace(domain.uuid(), lines.size());
    lines.push_back({&domain, nullptr, nullptr, nullptr, is_low(domain, tick.limits),
                     counted(domain, tick.limits.headroom)});
  }
  const auto each = [&](const auto& items, auto Line::*member) {
    for (const auto& item : items) {
      if (const auto found = place.find(item.domain); found != place.end()) {
        lines[found->second].*member = &item;
      }
    }
  };
  each(tick.decisions, &Line::decision);
  each(tick.skipped, &Line::skipped);
  each(tick.outcomes, &Line::outcome);
  // A skipped domain is not marked as low: nothing can be done about it.
  for (Line& line : lines) line.low = line.low && !line.skipped;
  return lines;
}

/// "512 MiB", on a narrow screen "512M"; the number alone if the column's title has the unit.
std::string size_text(const std::optional<MemorySize>& size, bool compact, Units units) {
  if (!size) return "-";
  std::string text = size->text(units);
  if (units != Units::automatic) return text.substr(0, text.find(' '));
  if (compact) text = text.substr(0, text.find(' ')) + text.at(text.find(' ') + 1);
  return text;
}

std::string rules_text(const Decision& decision) {
  std::string text;
  for (const RuleHit& hit : decision.rules) {
    text += (text.empty() ? "[" : ", ") + std::string(to_text(hit.rule));
  }
  return text.empty() ? text : text + "]";
}

Styled decision_text(const Decision& decision) {
  if (decision.rules.empty()) return {{decision.why, Tint::none}};
  const std::string rules = rules_text(decision);
  // If the guard allows no move, its reason matters more than the policy's.
  if (decision.holds()) return {{rules + " " + decision.rules.back().why, Tint::yellow}};
  if (decision.why.empty()) return {{rules, Tint::yellow}};
  return {{decision.why + " ", Tint::none}, {rules, Tint::yellow}};
}

Styled why_text(const Line& line) {
  if (line.failed()) {
    const Outcome& outcome = *line.outcome;
    return {
        {outcome.error ? outcome.error->message : std::string(to_text(outcome.kind)), Tint::red}};
  }
  if (line.decision) return decision_text(*line.decision);
  const std::string state(to_text(line.domain->state));
  const bool runs = line.domain->state == DomainState::running;
  const Tint tint = line.domain->state == DomainState::hung ? Tint::red : Tint::dim;
  if (!line.skipped) return runs ? Styled{} : Styled{{state, tint}};
  const bool has_state = runs || line.skipped->why.find(state) != std::string::npos;
  return {{has_state ? line.skipped->why : state + "; " + line.skipped->why, tint}};
}

Styled change_cell(const Line& line, bool compact, Units units) {
  if (!line.moves()) return {};
  const Decision& decision = *line.decision;
  const MemorySize size =
      decision.grows() ? decision.target - decision.actual : decision.actual - decision.target;
  return {{(decision.grows() ? "+" : "-") + size_text(size, compact, units),
           decision.grows() ? Tint::green : Tint::cyan}};
}

/// Used and unused memory and the rest up to the maximum, in one scale for all domains.
Styled bar_cell(const Domain& domain, MemorySize scale, bool idle, bool unicode) {
  const auto share = static_cast<double>(std::min(domain.maximum, scale).kib());
  const MemorySize spare = std::min(domain.guest.unused.value_or(MemorySize()), domain.actual);
  const auto width = static_cast<double>(kBar) * share / static_cast<double>(scale.kib());
  const Bar parts = bar(
      {static_cast<double>((domain.actual - spare).kib()), static_cast<double>(spare.kib()), share},
      static_cast<std::size_t>(std::clamp(width + 0.5, 1.0, double{kBar})), unicode);
  return {{parts.used, idle ? Tint::dim : Tint::blue},
          {parts.spare, idle ? Tint::dim : Tint::cyan},
          {parts.rest, Tint::dim}};
}

/// How to write the rows of one table.
struct Writing {
  MemorySize scale;  ///< the largest maximum
  bool compact = false;
  bool unicode = false;
  Units units = Units::automatic;
};

std::array<Styled, DomainTable::kColumns> row_of(const Line& line, const Writing& writing) {
  const Domain& domain = *line.domain;
  const bool idle = line.idle();
  const Tint plain = idle ? Tint::dim : Tint::none;
  const auto size = [&](const std::optional<MemorySize>& figure, Tint tint) {
    return Styled{{size_text(figure, writing.compact, writing.units), tint}};
  };
  std::array<Styled, DomainTable::kColumns> row;
  row[name] = {{fit(domain.name(), kLongestName, writing.unicode), idle ? Tint::dim : Tint::bold}};
  row[memory] = bar_cell(domain, writing.scale, idle, writing.unicode);
  row[actual] = size(domain.actual, plain);
  row[available] = size(domain.guest.available, plain);
  const bool by_usable = line.counted == Headroom::usable;
  row[unused] = size(domain.guest.unused, line.low && !by_usable ? Tint::red : plain);
  row[usable] = size(domain.guest.usable, line.low && by_usable ? Tint::red : plain);
  row[change] = change_cell(line, writing.compact, writing.units);
  row[why] = why_text(line);
  return row;
}

Styled rest_line(std::span<const Line> rest) {
  const auto busy =
      std::count_if(rest.begin(), rest.end(), [](const Line& line) { return line.urgency() < 2; });
  return {{"and " + std::to_string(rest.size()) + " more, " +
               (busy == 0 ? "unchanged" : std::to_string(busy) + " of them changed or limited"),
           Tint::dim}};
}

}  // namespace

void DomainTable::remember(const Tick& tick) {
  for (const Domain& domain : tick.snapshot.domains) {
    Past& past = past_[domain.uuid()];
    if (past.id != domain.id) past = {};
    past.id = domain.id;
    past.last_tick = tick.number;
    if (past.observations.size() == kRemembered) past.observations.erase(past.observations.begin());
    past.observations.push_back({domain.guest.unused, domain.actual});
  }
  if (past_.size() == tick.snapshot.domains.size() || tick.sample_error) return;
  std::erase_if(past_, [&](const auto& one) { return one.second.last_tick != tick.number; });
}

std::string DomainTable::trend_of(const Domain& domain, std::size_t width, bool unicode) const {
  const auto found = past_.find(domain.uuid());
  if (found == past_.end()) return {};
  const std::vector<Observation>& observations = found->second.observations;
  std::vector<double> values;
  double top = 0;
  for (const Observation& observation :
       std::span(observations).last(std::min(width, observations.size()))) {
    values.push_back(observation.unused ? static_cast<double>(observation.unused->kib())
                                        : std::numeric_limits<double>::quiet_NaN());
    top = std::max(top, static_cast<double>(observation.actual.kib()));
  }
  return sparkline(values, top, unicode);
}

/// With all sizes in one unit, the titles are those of the classic tools. From 80 columns on, the
/// columns of these tools always stay.
DomainTable::Columns DomainTable::columns_for(Units units, const ConsoleStyle& style) {
  static constexpr std::array<std::array<const char*, kColumns>, kUnitsCount> kTitles{
      {{"DOMAIN", "MEMORY", "ACTUAL", "AVAILABLE", "UNUSED", "TREND", "USABLE", "CHANGE", "WHY"},
       {"Domain", "Memory", "Actual (KiB)", "Available (KiB)", "Unused (KiB)", "Trend",
        "Usable (KiB)", "Change", "Why"},
       {"Domain", "Memory", "Actual (MiB)", "Available (MiB)", "Unused (MiB)", "Trend",
        "Usable (MiB)", "Change", "Why"},
       {"Domain", "Memory", "Actual (GiB)", "Available (GiB)", "Unused (GiB)", "Trend",
        "Usable (GiB)", "Change", "Why"}}};
  Columns columns = kColumn;
  for (std::size_t i = 0; i < kColumns; ++i) {
    columns.at(i).title = kTitles.at(static_cast<std::size_t>(units)).at(i);
  }
  if (style.width >= kClassicFrom) {
    columns.at(change).keep = 50;
    columns.at(available).keep = 70;
  }
  return columns;
}

ColumnLayout DomainTable::lay_out(const Columns& columns, std::span<const Row> rows,
                                  const ConsoleStyle& style) {
  std::vector<std::size_t> widths(kColumns);
  std::vector<bool> shown(kColumns, true);
  shown[trend] = shown[memory] = style.interactive || style.color;
  for (std::size_t i = 0; i < kColumns; ++i) {
    widths[i] = display_width(columns.at(i).title);
    for (const Row& row : rows) widths[i] = std::max(widths[i], display_width(row.at(i)));
    if (style.interactive) widths[i] = widest_.at(i) = std::max(widths[i], widest_.at(i));
  }
  return {columns, std::move(widths), std::move(shown),
          static_cast<std::size_t>(std::max(style.width, 0))};
}

std::vector<Styled> DomainTable::lines(const Tick& tick, std::size_t room,
                                       const ConsoleStyle& style) {
  std::vector<Line> lines = lines_of(tick);
  std::size_t drawn = lines.size();
  if (room > 0 && lines.size() + 1 > room) {
    drawn = room > 3 ? room - 2 : 1;
    std::stable_sort(lines.begin(), lines.end(),
                     [](const Line& a, const Line& b) { return a.urgency() < b.urgency(); });
  }
  Writing writing{MemorySize::from_kib(1), style.width > 0 && style.width < kCompactBelow,
                  style.unicode, tick.limits.units};
  for (const Line& line : lines) writing.scale = std::max(writing.scale, line.domain->maximum);
  std::vector<Row> rows;
  for (const Line& line : std::span(lines).first(drawn)) rows.push_back(row_of(line, writing));
  const Columns columns = columns_for(tick.limits.units, style);
  const ColumnLayout layout = lay_out(columns, rows, style);

  Row header;
  for (std::size_t i = 0; i < kColumns; ++i) header.at(i) = {{columns.at(i).title, Tint::dim}};
  std::vector<Styled> out{layout.line(header, style.unicode)};
  for (std::size_t i = 0; i < drawn; ++i) {
    if (layout.shows(trend)) {
      rows[i][trend] = {{trend_of(*lines[i].domain, layout.width(trend), style.unicode),
                         lines[i].idle() ? Tint::dim
                         : lines[i].low  ? Tint::red
                                         : Tint::cyan}};
    }
    out.push_back(layout.line(rows[i], style.unicode));
  }
  if (drawn < lines.size()) out.push_back(rest_line(std::span(lines).subspan(drawn)));
  return out;
}

}  // namespace memcoord::observers
