#include "tests/workbench/hindsight.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <optional>
#include <tuple>

namespace memcoord::testing {
namespace {

using workbench::Comparison;
using workbench::ComparisonRow;
using workbench::Score;

constexpr double kClearly = 0.005;
constexpr double kClearlyMore = 1.2;
constexpr double kFutile = 5;
/// Moves under a GiB count as free.
constexpr double kFewMoves = 1;

double moved_gib(const Score& score) {
  return score.churn * score.domain_seconds / 3600.0 / 1024.0;
}

/// The value that `share` of the values do not pass.
double percentile(std::vector<double> values, double share) {
  if (values.empty()) return 0;
  const auto rank = static_cast<std::size_t>(std::ceil(share * static_cast<double>(values.size())));
  const std::size_t place = std::max<std::size_t>(rank, 1) - 1;
  std::nth_element(values.begin(), values.begin() + static_cast<std::ptrdiff_t>(place),
                   values.end());
  return values[place];
}

double mean(const std::vector<double>& values) {
  if (values.empty()) return 0;
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

const ComparisonRow* bound_of(const Comparison& comparison) {
  for (const ComparisonRow& row : comparison.rows) {
    if (row.kind == ComparisonRow::Kind::clairvoyant_bound) return &row;
  }
  return nullptr;
}

/// A lost host comes before any stall.
bool is_worse(const Loss& one, const Loss& other) {
  return std::tie(one.host_lost, one.by) > std::tie(other.host_lost, other.by);
}

/// One scenario under all policies.
struct Round {
  std::size_t place = 0;
  std::vector<const Score*> scores;  ///< a row each; null: none
};

std::optional<Loss> loss_of(const Round& round, std::size_t policy) {
  std::optional<Loss> loss;
  const Score& own = *round.scores[policy];
  for (std::size_t other = 0; other < round.scores.size(); ++other) {
    if (!round.scores[other] || !is_loss(own, *round.scores[other])) continue;
    const Score& better = *round.scores[other];
    const Loss found{round.place, policy, other, own.stalled - better.stalled,
                     own.host_oom > 0 && better.host_oom == 0};
    if (!loss || is_worse(found, *loss)) loss = found;
  }
  return loss;
}

bool is_futile(const Round& round, std::size_t policy) {
  const Score& own = *round.scores[policy];
  double next = 0;
  bool helped = true;
  for (std::size_t other = 0; other < round.scores.size(); ++other) {
    if (other == policy || !round.scores[other]) continue;
    next = std::max(next, moved_gib(*round.scores[other]));
    if (round.scores[other]->stalled <= own.stalled) helped = false;
  }
  return !helped && moved_gib(own) > std::max(kFutile * next, kFewMoves);
}

void add(PolicySummary& summary, const Round& round, std::size_t policy, Hindsight& hindsight) {
  const Score& score = *round.scores[policy];
  summary.guest_kills += score.guest_oom;
  summary.host_kills += score.host_oom;
  summary.breach_seconds += score.breach_seconds;
  summary.moved += moved_gib(score);
  if (is_futile(round, policy)) ++summary.futile;
  const auto loss = loss_of(round, policy);
  if (!loss) return;
  ++summary.behind;
  if (loss->host_lost) ++summary.behind_kills;
  hindsight.losses.push_back(*loss);
}

}  // namespace

bool is_loss(const Score& score, const Score& other) {
  if ((score.host_oom > 0) != (other.host_oom > 0)) return score.host_oom > 0;
  return score.stalled > other.stalled + kClearly && score.stalled > kClearlyMore * other.stalled;
}

Hindsight judge(const Comparison& comparison) {
  Hindsight hindsight;
  const ComparisonRow* bound = bound_of(comparison);
  std::vector<std::vector<double>> stalled;
  std::vector<std::vector<double>> served;
  for (const ComparisonRow& row : comparison.rows) {
    if (row.kind != ComparisonRow::Kind::clairvoyant_bound) {
      hindsight.policies.emplace_back().name = row.name;
    }
  }
  stalled.resize(hindsight.policies.size());
  served.resize(hindsight.policies.size());
  std::vector<double> bounds;
  for (std::size_t place = 0; place < comparison.scenarios.size(); ++place) {
    const Score* least = bound && bound->cells[place].score ? &*bound->cells[place].score : nullptr;
    if (least) bounds.push_back(least->stalled);
    if (least && least->stalled == 0) ++hindsight.served;
    Round round{place, {}};
    for (std::size_t row = 0; row < hindsight.policies.size(); ++row) {
      const auto& score = comparison.rows[row].cells[place].score;
      round.scores.push_back(score ? &*score : nullptr);
    }
    for (std::size_t row = 0; row < round.scores.size(); ++row) {
      const Score* score = round.scores[row];
      if (!score) continue;
      add(hindsight.policies[row], round, row, hindsight);
      stalled[row].push_back(score->stalled);
      if (least && least->stalled == 0) served[row].push_back(score->stalled);
      if (least && score->stalled < least->stalled) {
        hindsight.passed.push_back({place, row, row, least->stalled - score->stalled, false});
      }
    }
  }
  hindsight.bound = mean(bounds);
  for (std::size_t row = 0; row < stalled.size(); ++row) {
    PolicySummary& summary = hindsight.policies[row];
    summary.mean = mean(stalled[row]);
    summary.median = percentile(stalled[row], 0.5);
    summary.high = percentile(stalled[row], 0.99);
    summary.mean_served = mean(served[row]);
  }
  std::stable_sort(hindsight.losses.begin(), hindsight.losses.end(), is_worse);
  return hindsight;
}

}  // namespace memcoord::testing
