#include "engine/workbench/density_search.h"

#include <doctest/doctest.h>

#include <cmath>
#include <functional>
#include <vector>

using memcoord::workbench::DensitySearch;

namespace {

constexpr double kLimit = 0.0001;

struct Found {
  std::size_t number = 0;
  int trials = 0;
  int rounds = 0;
};

/// Searches where a run with a number of domains stalls for `stalled(number)`.
Found found(DensitySearch search, const std::function<double(double)>& stalled,
            double limit = kLimit, bool pairs = false) {
  Found result;
  for (auto numbers = search.next(pairs); !numbers.empty(); numbers = search.next(pairs)) {
    ++result.rounds;
    for (const std::size_t number : numbers) {
      ++result.trials;
      const double share = stalled(static_cast<double>(number));
      if (share > limit) {
        search.failed(number, share);
        break;
      }
      search.served(number, share);
    }
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
      const auto smooth = power_law(static_cast<double>(right), 5);
      for (const bool pairs : {false, true}) {
        CAPTURE(pairs);
        CHECK(found(DensitySearch(first, 100, kLimit), cliff, kLimit, pairs).number == right);
        CHECK(found(DensitySearch(first, 100, 0), cliff, 0, pairs).number == right);
        CHECK(found(DensitySearch(first, 100, kLimit), smooth, kLimit, pairs).number == right);
      }
    }
  }
}

TEST_CASE("where stalls grow as those of most policies do, five trials suffice, or four pairs") {
  for (const double power : {3.0, 4.0, 5.0}) {
    for (const std::size_t right : {60U, 66U, 78U, 85U, 90U, 96U}) {
      CAPTURE(power);
      CAPTURE(right);
      const auto stalled = power_law(static_cast<double>(right), power);
      const Found one = found(DensitySearch(88, 97, kLimit), stalled);
      CHECK(one.number == right);
      CHECK(one.trials <= 5);
      const Found two = found(DensitySearch(88, 97, kLimit), stalled, kLimit, true);
      CHECK(two.number == right);
      CHECK(two.rounds <= 4);
    }
  }
}

TEST_CASE("runs that fail by a kill tell nothing, and the search takes larger steps") {
  DensitySearch search(88, 97, kLimit);
  int trials = 0;
  for (auto numbers = search.next(); !numbers.empty(); numbers = search.next()) {
    const std::size_t number = numbers.front();
    if (number <= 20) {
      search.served(number, 0);
    } else {
      search.failed(number, std::nullopt);
    }
    ++trials;
  }
  CHECK(search.found() == 20);
  CHECK(trials <= 14);
}

TEST_CASE("where nothing can be served, no run is tried") {
  CHECK(DensitySearch(0, 0, kLimit).next().empty());
  CHECK(DensitySearch(0, 0, kLimit).next(true).empty());
}

TEST_CASE("two numbers at once ascend, differ, and are not decided yet") {
  DensitySearch search(88, 97, kLimit);
  CHECK(search.next(true) == std::vector<std::size_t>{66, 88});
  search.served(66, kLimit / 2);
  search.failed(88, kLimit * 2);
  CHECK(search.next(true) == std::vector<std::size_t>{77, 78});
  search.served(77, kLimit * 0.9);
  search.failed(78, kLimit * 1.1);
  CHECK(search.next(true).empty());
  DensitySearch small(1, 1, kLimit);
  CHECK(small.next(true) == std::vector<std::size_t>{1});
}
