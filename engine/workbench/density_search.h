#pragma once
// The search for the largest number of domains that a policy serves. Each trial is a simulated run
// of the whole trace, unless it fails early, so the search takes as few as it can.

#include <cstddef>
#include <optional>
#include <vector>

namespace memcoord::workbench {

/// Narrows the number down by trials. It begins where the instant allocator ends, because good
/// policies serve about as many, and estimates from the stalls of the trials so far where the limit
/// is reached. What it finds does not depend on the estimates if every number below a served one is
/// served.
class DensitySearch {
 public:
  /// `first`: the number to begin with. `most`: no more can be served. `limit`: the largest share
  /// of stalled time that counts as served.
  DensitySearch(std::size_t first, std::size_t most, double limit)
      : first_(first), bad_{most + 1, std::nullopt}, limit_(limit) {}

  /// The numbers to try next, in ascending order: one, or two with `pairs` where two can be told
  /// apart. None: found() is the answer. Where the smaller one fails, the other need not be tried.
  [[nodiscard]] std::vector<std::size_t> next(bool pairs = false) const;
  /// The run with this number stalled for this share of its time.
  void served(std::size_t number, double stalled);
  /// The run with this number was not served. `stalled`: the share until it was ended; none if it
  /// failed for another reason.
  void failed(std::size_t number, std::optional<double> stalled);
  /// The largest number that was served so far; 0 if none was.
  [[nodiscard]] std::size_t found() const { return good_.number; }

 private:
  struct Trial {
    std::size_t number = 0;
    std::optional<double> stalled;
  };
  [[nodiscard]] double estimate() const;
  [[nodiscard]] double at_limit(const Trial& trial) const;
  [[nodiscard]] std::size_t within(double number) const;

  std::size_t first_;
  Trial good_;  ///< number 0: none yet
  Trial bad_;   ///< the smallest number that is not served
  double limit_;
  int trials_ = 0;
  std::size_t down_ = 1;  ///< the least step down while nothing is served
  int in_a_row_ = 0;      ///< trials that ended alike: served if above 0
};

}  // namespace memcoord::workbench
