#include "engine/workbench/density_search.h"

#include <doctest/doctest.h>

#include <cmath>
#include <functional>

using memcoord::workbench::DensitySearch;

namespace {

constexpr double kLimit = 0.0001;

struct Found {
  std::size_t number = 0;
  int trials = 0;
};

/// Searches where a run with a number of domains stalls for `stalled(number)`.
Found found(DensitySearch search, const std::function<double(double)>& stalled,
            double limit = kLimit) {
  Found result;
  while (const auto number = search.next()) {
    const double share = stalled(static_cast<double>(*number));
    if (share <= limit) {
      search.served(*number, share);
    } else {
      search.failed(*number, share);
    }
    ++result.trials;
  }
  result.number = search.found();
  return result;
}

/// Stalls reach the limit at `number` and grow with a power of it.
std::function<double(double)> power_law(double number, double power) {
  return [=](double n) { return kLimit * std::pow(n / (number + 0.5), power); };
}

}  // namespace

TEST_CASE("the search finds the largest number that is served, wherever it begins") {
  for (const std::size_t right : {0U, 1U, 2U, 49U, 50U, 51U, 97U, 100U}) {
    for (const std::size_t first : {0U, 1U, 50U, 100U}) {
      CAPTURE(right);
      CAPTURE(first);
      const auto cliff = [&](double n) { return n > static_cast<double>(right) ? 1.0 : 0.0; };
      CHECK(found(DensitySearch(first, 100, kLimit), cliff).number == right);
      CHECK(found(DensitySearch(first, 100, 0), cliff, 0).number == right);
      const auto smooth = power_law(static_cast<double>(right), 5);
      CHECK(found(DensitySearch(first, 100, kLimit), smooth).number == right);
    }
  }
}

TEST_CASE("where stalls grow as those of most policies do, five trials suffice") {
  for (const double power : {3.0, 4.0, 5.0}) {
    for (const std::size_t right : {60U, 66U, 78U, 85U, 90U, 96U}) {
      CAPTURE(power);
      CAPTURE(right);
      const Found one =
          found(DensitySearch(88, 97, kLimit), power_law(static_cast<double>(right), power));
      CHECK(one.number == right);
      CHECK(one.trials <= 5);
    }
  }
}

TEST_CASE("runs that fail by a kill tell nothing, and the search takes larger steps") {
  DensitySearch search(88, 97, kLimit);
  int trials = 0;
  while (const auto number = search.next()) {
    if (*number <= 20) {
      search.served(*number, 0);
    } else {
      search.failed(*number, std::nullopt);
    }
    ++trials;
  }
  CHECK(search.found() == 20);
  CHECK(trials <= 14);
}

TEST_CASE("where nothing can be served, no run is tried") {
  CHECK_FALSE(DensitySearch(0, 0, kLimit).next());
}
