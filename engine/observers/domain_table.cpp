#include "engine/observers/domain_table.h"

#include <algorithm>
#include <limits>
#include <optional>
#include <span>

#include "engine/core/screen_text.h"
#include "engine/observers/shortage.h"

namespace memcoord::observers {
namespace {

constexpr std::size_t kRemembered = 32;  // samples of a domain: the longest trend
constexpr std::size_t kBar = 16;         // columns
constexpr int kCompactBelow = 64;        // columns; a narrower screen has sizes as "512M"
constexpr int kClassicFrom = 80;         // columns; a wider screen keeps all of the classic tools'
constexpr std::size_t kGoodWhy = 48;     // "short by 380 MiB: the host has nothing to grant"
constexpr std::size_t kLeastWhy = 24;
constexpr std::size_t kGap = 2;

enum Index : std::size_t { name, memory, actual, available, unused, trend, usable, change, why };

/// Without their titles.
constexpr std::array<TableColumn, DomainTable::kColumns> kColumn{{{"", false, 99, 0, 0},
                                                                  {"", false, 15, kBar, 0},
                                                                  {"", true, 95, 0, 0},
                                                                  {"", true, 60, 0, 0},
                                                                  {"", true, 90, 0, 0},
                                                                  {"", false, 35, 8, kRemembered},
                                                                  {"", true, 70, 0, 0},
                                                                  {"", true, 80, 0, 0},
                                                                  {"", false, 98, kGoodWhy, 60}}};

constexpr std::array<std::array<const char*, DomainTable::kColumns>, kUnitsCount> kTitles{
    {{"DOMAIN", "MEMORY", "ACTUAL", "AVAILABLE", "UNUSED", "TREND", "USABLE", "CHANGE", "WHY"},
     {"Domain", "Memory", "Actual (KiB)", "Available (KiB)", "Unused (KiB)", "Trend",
      "Usable (KiB)", "Change", "Why"},
     {"Domain", "Memory", "Actual (MiB)", "Available (MiB)", "Unused (MiB)", "Trend",
      "Usable (MiB)", "Change", "Why"},
     {"Domain", "Memory", "Actual (GiB)", "Available (GiB)", "Unused (GiB)", "Trend",
      "Usable (GiB)", "Change", "Why"}}};

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
  if (decision.holds()) return {{rules + " " + decision.rules.back().why, Tint::none}};
  if (decision.why.empty()) return {{rules, Tint::none}};
  return {{decision.why + " ", Tint::none}, {rules, Tint::dim}};
}

/// The tint of a row's name and reason: red is short of memory, yellow is other trouble.
Tint tint_of(const DomainTick& about, Tint otherwise) {
  switch (trouble_of(about)) {
    case Trouble::short_of_memory:
      return Tint::red;
    case Trouble::unreachable:
      return Tint::yellow;
    case Trouble::none:
      break;
  }
  return otherwise;
}

/// Skipped, and the policy proposed nothing for it.
bool is_idle(const DomainTick& about) {
  return about.skipped && !about.decision;
}

/// The shortage in red, then the reason.
Styled shortage_cell(const std::string& text) {
  const std::size_t colon = text.find(':');
  return {{text.substr(0, colon), Tint::red}, {text.substr(colon), Tint::none}};
}

Styled why_cell(const DomainTick& about) {
  if (about.is_short) return shortage_cell(shortage_of(about));
  if (about.move_failed()) {
    const Outcome& outcome = *about.outcome;
    const std::string why =
        outcome.error ? outcome.error->message : std::string(to_text(outcome.kind));
    return {{why, Tint::yellow}};
  }
  if (about.decision) return decision_text(*about.decision);
  const std::string state(to_text(about.domain.state));
  const bool is_running = about.domain.state == DomainState::running;
  const Tint tint = tint_of(about, Tint::dim);
  if (!about.skipped) return is_running ? Styled{} : Styled{{state, tint}};
  const std::string& why = about.skipped->why;
  const bool has_state = is_running || about.skipped->rule == Rule::running_only;
  return {{has_state ? why : state + "; " + why, tint}};
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
  std::size_t longest_name = 0;
  bool compact = false;
  bool unicode = false;
  Units units = Units::automatic;
};

Styled change_cell(const DomainTick& about, const Writing& writing) {
  if (!about.moves()) return {};
  const bool grows = about.decision->grows();
  return {{(grows ? "+" : "-") + size_text(moved_by(about), writing.compact, writing.units),
           grows ? Tint::green : Tint::cyan}};
}

std::array<Styled, DomainTable::kColumns> row_of(const DomainTick& about, const Writing& writing) {
  const Domain& domain = about.domain;
  const bool idle = is_idle(about) && trouble_of(about) == Trouble::none;
  const Tint plain = idle ? Tint::dim : Tint::none;
  const auto size = [&](const std::optional<MemorySize>& figure, Tint tint) {
    return Styled{{size_text(figure, writing.compact, writing.units), tint}};
  };
  std::array<Styled, DomainTable::kColumns> row;
  row[name] = {{fit(domain.name(), writing.longest_name, writing.unicode),
                tint_of(about, idle ? Tint::dim : Tint::bold)}};
  row[memory] = bar_cell(domain, writing.scale, idle, writing.unicode);
  row[actual] = size(domain.actual, plain);
  row[available] = size(domain.guest.available, plain);
  const bool by_usable = counted(domain, about.tick.limits.headroom) == Headroom::usable;
  row[unused] = size(domain.guest.unused, about.is_short && !by_usable ? Tint::red : plain);
  row[usable] = size(domain.guest.usable, about.is_short && by_usable ? Tint::red : plain);
  row[change] = change_cell(about, writing);
  row[why] = why_cell(about);
  return row;
}

/// Whether the figure that counts against the floor is usable in any domain.
bool counts_usable(const Tick& tick) {
  const auto& domains = tick.snapshot.domains;
  return std::any_of(domains.begin(), domains.end(), [&](const Domain& domain) {
    return counted(domain, tick.limits.headroom) == Headroom::usable;
  });
}

/// The change before the reason, for a screen without a column for it.
Styled with_change(const DomainTick& about, const Styled& reason, Units units) {
  if (!about.moves() || about.is_short) return reason;
  const bool grows = about.decision->grows();
  Styled text{
      {(grows ? "+" : "-") + moved_by(about).text(units), grows ? Tint::green : Tint::cyan}};
  if (!reason.empty()) text.push_back({", ", Tint::none});
  text.insert(text.end(), reason.begin(), reason.end());
  return text;
}

/// Names longer than a third of the screen are cut.
std::size_t longest_name(int width) {
  if (width <= 0) return std::numeric_limits<std::size_t>::max();
  return static_cast<std::size_t>(std::clamp(width / 3, 12, 40));
}

}  // namespace

std::vector<Styled> TableLines::all() const {
  std::vector<Styled> lines{header};
  for (const Row& row : rows) lines.push_back(row.line);
  if (!rest.empty()) lines.push_back(rest);
  return lines;
}

void DomainTable::Past::add(const Domain& domain, MonotonicTime at) {
  const auto& unused = domain.guest.unused;
  if (!observations.empty() && at >= since && at - since < kAboutASecond) {
    Observation& point = observations.back();
    if (!point.unused || (unused && *unused < *point.unused)) point.unused = unused;
    point.actual = domain.actual;
    return;
  }
  if (observations.size() == kRemembered) observations.erase(observations.begin());
  observations.push_back({unused, domain.actual});
  since = at;
}

void DomainTable::remember(const Tick& tick) {
  if (tick.sample_error) return;
  const std::pair time(tick.number, tick.snapshot.taken_at);
  if (last_ == time) return;
  last_ = time;
  short_ = 0;
  for (const Domain& domain : tick.snapshot.domains) {
    Past& past = past_[domain.uuid()];
    if (past.newest && past.newest->id != domain.id) past = {};
    past.before = std::exchange(past.newest, domain);
    past.last_tick = tick.number;
    past.add(domain, tick.snapshot.taken_at);
    short_ += is_short(domain, past.before ? &*past.before : nullptr, tick.limits) ? 1 : 0;
  }
  if (past_.size() == tick.snapshot.domains.size()) return;
  std::erase_if(past_, [&](const auto& one) { return one.second.last_tick != tick.number; });
}

const Domain* DomainTable::earlier(const Domain& domain) const {
  const auto found = past_.find(domain.uuid());
  return found == past_.end() || !found->second.before ? nullptr : &*found->second.before;
}

std::string DomainTable::problem(const Tick& tick, const Domain& domain) const {
  return problem_of(tick, domain, earlier(domain));
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

/// With all sizes in one unit, the titles are those of the classic tools, and from 80 columns on
/// the columns of these tools always stay.
DomainTable::Columns DomainTable::columns_for(const Tick& tick, const ConsoleStyle& style,
                                              std::size_t name_width) {
  const Units units = tick.limits.units;
  Columns columns = kColumn;
  for (std::size_t i = 0; i < kColumns; ++i) {
    columns.at(i).title = kTitles.at(static_cast<std::size_t>(units)).at(i);
  }
  if (style.width <= 0) {
    columns.at(why).least = columns.at(why).good = 0;
    return columns;
  }
  if (counts_usable(tick)) std::swap(columns.at(unused).keep, columns.at(usable).keep);
  std::vector<std::size_t> kept{actual, unused};
  std::size_t least = kLeastWhy;
  if (units != Units::automatic && style.width >= kClassicFrom) {
    columns.at(available).keep = columns.at(unused).keep = columns.at(actual).keep;
    columns.at(why).keep = columns.at(actual).keep - 1;
    kept.push_back(available);
    least = 1;
  }
  const auto width = static_cast<std::size_t>(style.width);
  const std::size_t beside_name = width - std::min(width, name_width + kGap);
  std::size_t room = beside_name;
  for (const std::size_t i : kept) {
    const std::size_t taken =
        kGap + std::max(display_width(columns.at(i).title), size_width(units, style));
    room -= std::min(room, taken);
  }
  columns.at(why).least =
      std::min(std::clamp(room, least, kGoodWhy), std::max<std::size_t>(beside_name, 1));
  return columns;
}

/// Sizes of any figure up to 1023 of its unit fit, so that columns keep their width.
std::size_t DomainTable::size_width(Units units, const ConsoleStyle& style) {
  const bool compact = style.width > 0 && style.width < kCompactBelow;
  return units == Units::automatic && !compact ? 8 : 5;
}

std::vector<std::size_t> DomainTable::widths_for(const Tick& tick, const Columns& columns,
                                                 std::span<const Row> rows,
                                                 const ConsoleStyle& style) {
  std::vector<std::size_t> widths(kColumns);
  const std::size_t size = size_width(tick.limits.units, style);
  for (const std::size_t i : {actual, available, unused, usable}) widths[i] = size;
  widths[change] = size + 1;
  for (std::size_t i = 0; i < kColumns; ++i) {
    widths[i] = std::max(widths[i], display_width(columns.at(i).title));
    for (const Row& row : rows) widths[i] = std::max(widths[i], display_width(row.at(i)));
    if (i != why) widths[i] = widest_.at(i) = std::max(widths[i], widest_.at(i));
  }
  return widths;
}

/// All names count, on the screen or not: paging moves no column.
std::size_t DomainTable::name_width(const Tick& tick, std::size_t longest) {
  for (const Domain& domain : tick.snapshot.domains) {
    if (domain.name().size() > widest_[name]) {
      widest_[name] = std::max(widest_[name], std::min(display_width(domain.name()), longest));
    }
  }
  widest_[name] = std::max(widest_[name], std::string_view("DOMAIN").size());
  return widest_[name];
}

std::vector<DomainTick> DomainTable::about(const Tick& tick) const {
  return domain_ticks(tick, [this](const Domain& domain) { return earlier(domain); });
}

std::size_t DomainTable::matching(const Tick& tick, const TableView& view) const {
  return chosen_rows(about(tick), view).size();
}

TableLines DomainTable::lines(const Tick& tick, std::size_t room, const ConsoleStyle& style,
                              const TableView& view) {
  const std::vector<DomainTick> all = about(tick);
  const std::vector<const DomainTick*> chosen = chosen_rows(all, view);
  const Page page = page_of(chosen, room, view);
  Writing writing{MemorySize::from_kib(1), longest_name(style.width),
                  style.width > 0 && style.width < kCompactBelow, style.unicode, tick.limits.units};
  for (const DomainTick& about : all) {
    writing.scale = std::max(writing.scale, about.domain.maximum);
  }
  const auto on_page = std::span(chosen).subspan(page.first, page.count);
  std::vector<Row> rows;
  for (const DomainTick* about : on_page) rows.push_back(row_of(*about, writing));
  const Columns columns = columns_for(tick, style, name_width(tick, writing.longest_name));
  std::vector<bool> shown(kColumns, true);
  shown[trend] = shown[memory] = style.interactive || style.color;
  const ColumnLayout layout(columns, widths_for(tick, columns, rows, style), std::move(shown),
                            static_cast<std::size_t>(std::max(style.width, 0)));

  TableLines out;
  out.first = page.first;
  out.header = header_line(columns, layout, view, style);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const DomainTick& about = *on_page[i];
    if (about.is_short && display_width(rows[i][why]) > layout.width(why)) {
      rows[i][why] = shortage_cell(shortage_of(about, layout.width(why)));
    }
    if (!layout.shows(change)) rows[i][why] = with_change(about, rows[i][why], writing.units);
    if (layout.shows(trend)) {
      rows[i][trend] = {{trend_of(about.domain, layout.width(trend), style.unicode),
                         tint_of(about, is_idle(about) ? Tint::dim : Tint::cyan)}};
    }
    out.rows.push_back({about.domain.uuid(), layout.line(rows[i], style.unicode)});
  }
  if (page.summed_up) out.rest = rest_line(chosen, page, all.size());
  out.matching.reserve(chosen.size());
  for (const DomainTick* about : chosen) out.matching.push_back(about->domain.uuid());
  return out;
}

Styled DomainTable::header_line(const Columns& columns, const ColumnLayout& layout,
                                const TableView& view, const ConsoleStyle& style) {
  static constexpr std::array<std::size_t, kSortColumnCount> kSorts{
      kColumns, name, actual, available, unused, usable, change};
  Row header;
  for (std::size_t i = 0; i < kColumns; ++i) {
    const bool sorts = kSorts.at(static_cast<std::size_t>(view.sort)) == i;
    header.at(i) = {{columns.at(i).title, sorts ? Tint::bold : Tint::dim}};
  }
  return layout.line(header, style.unicode);
}

}  // namespace memcoord::observers
