#include "engine/metrics/metric_state.h"

#include <algorithm>

namespace memcoord::metrics {
namespace {

template <class Enum>
constexpr std::size_t index_of(Enum value) {
  return static_cast<std::size_t>(value);
}

void count_outcome(Counters& counters, const Outcome& outcome) {
  if (outcome.from == outcome.to) return;
  const bool grows = outcome.to > outcome.from;
  const std::size_t direction = index_of(grows ? Direction::grow : Direction::shrink);
  ++counters.moves.at(direction).at(index_of(outcome.kind));
  if (outcome.kind != Outcome::Kind::applied) return;
  counters.moved.at(direction) += grows ? outcome.to - outcome.from : outcome.from - outcome.to;
}

void count_decision(Counters& counters, const Decision& decision) {
  for (const RuleHit& hit : decision.rules) ++counters.interventions.at(index_of(hit.rule));
  // A domain without a size does not exist.
  if (decision.actual.is_zero() || decision.proposed == decision.actual) return;
  const bool grows = decision.proposed > decision.actual;
  ++counters.proposals.at(index_of(grows ? Direction::grow : Direction::shrink));
}

TickResult result_of(const Tick& tick) {
  if (tick.sample_error) return TickResult::sample_error;
  return tick.policy_error ? TickResult::policy_error : TickResult::ok;
}

}  // namespace

std::string_view to_text(TickResult result) {
  constexpr std::array<std::string_view, kTickResultCount> kTexts{"ok", "sample_error",
                                                                  "policy_error"};
  return kTexts.at(index_of(result));
}
std::string_view to_text(Stage stage) {
  constexpr std::array<std::string_view, kStageCount> kTexts{"sample", "decide", "review", "apply"};
  return kTexts.at(index_of(stage));
}
std::string_view to_text(Direction direction) {
  return direction == Direction::grow ? "grow" : "shrink";
}
std::string_view to_text(SkipReason reason) {
  constexpr std::array<std::string_view, kSkipReasonCount> kTexts{"running_only", "fresh_stats",
                                                                  "paused", "excluded"};
  return kTexts.at(index_of(reason));
}

void StageTimes::add(Duration time) {
  const auto bucket = std::lower_bound(kBounds.begin(), kBounds.end(), time) - kBounds.begin();
  ++counts.at(static_cast<std::size_t>(bucket));
  sum += std::max(time, Duration());
}

void count(Counters& counters, const Tick& tick) {
  ++counters.ticks.at(index_of(result_of(tick)));
  const auto add = [&](Stage stage, Duration time) {
    counters.stages.at(index_of(stage)).add(time);
  };
  add(Stage::sample, tick.timings.sample);
  for (const Outcome& outcome : tick.late_outcomes) count_outcome(counters, outcome);
  if (tick.sample_error) return;
  add(Stage::decide, tick.timings.decide);
  add(Stage::review, tick.timings.review);
  add(Stage::apply, tick.timings.apply);
  for (const Decision& decision : tick.decisions) count_decision(counters, decision);
  for (const Outcome& outcome : tick.outcomes) count_outcome(counters, outcome);
}

}  // namespace memcoord::metrics
