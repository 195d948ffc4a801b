#include "engine/core/tick_notes.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "engine/core/names.h"

namespace memcoord {
namespace {

/// Domains that wait for their next report give nothing, for a tick or two: only a shortage that
/// lasts this many ticks is worth a warning.
constexpr int kLastingShortage = 3;

/// How many domains a note lists by name.
constexpr std::size_t kListed = 8;

std::vector<std::string> names_of(const Snapshot& snapshot) {
  std::vector<std::string> names;
  for (const Domain& domain : snapshot.domains) names.push_back(domain.name());
  return names;
}

/// "a, b, c and 12 more"
std::string listed(const std::vector<std::string>& names) {
  std::string text;
  const std::size_t shown = std::min(names.size(), kListed);
  for (std::size_t i = 0; i < shown; ++i) text += (i == 0 ? "" : ", ") + names[i];
  if (shown < names.size()) text += " and " + std::to_string(names.size() - shown) + " more";
  return text;
}

/// The name that a pattern without its wildcards is most like.
std::optional<std::string> nearest_to(std::string glob, const std::vector<std::string>& names) {
  std::erase_if(glob, [](char c) { return c == '*' || c == '?'; });
  return suggest_name(glob, names);
}

}  // namespace

void TickNotes::begin_tick(const History& history, MonotonicTime now) {
  counts_ = !counted_at_ || now - *counted_at_ >= kAboutASecond;
  if (counts_) counted_at_ = now;
  const auto gone = [&](const Uuid& uuid) {
    const DomainHistory* past = history.find(uuid);
    return past == nullptr || past->balloon.is_new();
  };
  std::erase_if(noted_dropped_, gone);
  said_.begin_turn(gone, !counts_);
}

void TickNotes::add(Tick& tick, Note note, const std::optional<Uuid>& about) {
  if (said_.is_news(note.text, about)) tick.notes.push_back(std::move(note));
}

void TickNotes::add_dropped_figures(Tick& tick) {
  for (const DroppedFigure& figure : tick.dropped) {
    if (!noted_dropped_.insert(figure.domain).second) continue;
    const Domain* domain = tick.snapshot.find(figure.domain);
    tick.notes.push_back({Note::Severity::warning,
                          domain->name() + ": reports " + figure.figure + " = " +
                              std::to_string(figure.value) + ", which " + figure.why +
                              "; memcoord decides without such figures, and counts them in the "
                              "journal (dropped)"});
  }
}

void TickNotes::add_skipped(Tick& tick, const DomainView& skipped) {
  const auto& [rule, why] = *skipped.skipped;
  const Domain& domain = skipped.domain;
  // A domain that is paused or waits for a report is ordinary; the table shows it.
  if (rule && domain.state != DomainState::hung) return;
  add(tick,
      {rule ? Note::Severity::warning : Note::Severity::info, domain.name() + ": skipped: " + why},
      domain.uuid());
}

void TickNotes::add_unmatched(Tick& tick, const std::vector<DomainFilter::Unmatched>& unmatched) {
  if (tick.snapshot.domains.empty()) return;
  for (const auto& [option, glob] : unmatched) {
    std::string text = option;
    text.append(" ").append(glob);
    if (!said_.is_news(text)) continue;
    const std::vector<std::string> names = names_of(tick.snapshot);
    const auto nearest = nearest_to(glob, names);
    text += " matches no active domain; ";
    if (nearest) {
      text.append("did you mean ").append(*nearest).append("?");
    } else {
      text.append("these are active: ").append(listed(names));
    }
    // Domains that are left alone may well be shut off.
    const bool suspect = nearest || option == "--include";
    tick.notes.push_back(
        {suspect ? Note::Severity::warning : Note::Severity::info, std::move(text)});
  }
}

void TickNotes::add_hints(Tick& tick, const Evaluation& evaluation) {
  // A hint's text has figures that change from tick to tick: its topic decides whether it is news.
  const auto add_hint = [&](const Hint& hint) {
    if (said_.is_news(hint.topic)) tick.notes.push_back(hint.note);
  };
  for (const Hint& hint : evaluation.hints) add_hint(hint);
  beyond_rescue_ = evaluation.beyond_rescue ? beyond_rescue_ + (counts_ ? 1 : 0) : 0;
  if (beyond_rescue_ >= kLastingShortage) add_hint(*evaluation.beyond_rescue);
}

}  // namespace memcoord
