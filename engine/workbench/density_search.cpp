#include "engine/workbench/density_search.h"

#include <algorithm>
#include <cmath>

namespace memcoord::workbench {
namespace {

/// Stalls of measured policies grow with the third to fifth power of the number of domains.
constexpr double kGrowth = 4;
/// A run without stalls counts as one with this part of the limit.
constexpr double kLeastPart = 0.01;
/// After so many trials on one side of the answer, the estimates are of little use.
constexpr int kMostInARow = 3;

/// The second of the first two numbers, as a part of the first.
constexpr double kSecondStart = 0.75;
/// An estimate from one side alone may be wrong by this part; a pair has it in between.
constexpr double kSpread = 1.0 / 16;

double middle(std::size_t a, std::size_t b) {
  return static_cast<double>(a + b) / 2;
}

}  // namespace

/// Where the limit is reached, by one trial.
double DensitySearch::at_limit(const Trial& trial) const {
  const auto number = static_cast<double>(trial.number);
  if (!trial.stalled || limit_ <= 0) return number;
  return number * std::pow(limit_ / std::max(*trial.stalled, limit_ * kLeastPart), 1 / kGrowth);
}

double DensitySearch::estimate() const {
  if (trials_ == 0) return static_cast<double>(first_);
  if (good_.number == 0) {
    const double down = static_cast<double>(bad_.number) - static_cast<double>(down_);
    return std::min(at_limit(bad_), down);
  }
  if (limit_ <= 0 || std::abs(in_a_row_) >= kMostInARow) return middle(good_.number, bad_.number);
  if (!bad_.stalled) return std::min(at_limit(good_), middle(good_.number, bad_.number));
  const double low = std::log(std::max(*good_.stalled, limit_ * kLeastPart));
  const double high = std::log(*bad_.stalled);
  const double part = high > low ? (std::log(limit_) - low) / (high - low) : 0.5;
  return static_cast<double>(good_.number) + part * static_cast<double>(bad_.number - good_.number);
}

/// The nearest number that is not decided yet.
std::size_t DensitySearch::within(double number) const {
  return static_cast<std::size_t>(std::clamp(number, static_cast<double>(good_.number + 1),
                                             static_cast<double>(bad_.number - 1)));
}

std::vector<std::size_t> DensitySearch::next(bool pairs) const {
  if (good_.number + 1 >= bad_.number) return {};
  const double estimated = estimate();
  if (!pairs) return {within(estimated)};
  double low = std::floor(estimated);
  double high = low + 1;
  if (trials_ == 0) {
    low = estimated * kSecondStart;
    high = estimated;
  } else if (good_.number == 0 || !bad_.stalled) {
    const double about = std::max(1.0, estimated * kSpread);
    low = estimated - about;
    high = estimated + about;
  }
  if (within(low) == within(high)) return {within(low)};
  return {within(low), within(high)};
}

void DensitySearch::served(std::size_t number, double stalled) {
  good_ = {number, stalled};
  in_a_row_ = std::max(in_a_row_, 0) + 1;
  ++trials_;
}

void DensitySearch::failed(std::size_t number, std::optional<double> stalled) {
  // A run may be ended for stalls that are certain to come.
  if (stalled) stalled = std::max(*stalled, limit_ * (1 + kLeastPart));
  bad_ = {number, stalled};
  in_a_row_ = std::min(in_a_row_, 0) - 1;
  if (trials_ > 0) down_ *= 2;
  ++trials_;
}

}  // namespace memcoord::workbench
