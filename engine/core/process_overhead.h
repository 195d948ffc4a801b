#pragma once
// The host memory that a domain's QEMU process takes besides its guest's memory.

#include <algorithm>
#include <optional>

#include "engine/core/snapshot.h"

namespace memcoord {

/// What is known of one domain's QEMU. Its rss is the guest's touched pages and QEMU's own memory
/// in one figure, so the two are told apart by bounds: what rss has over the balloon's size is
/// QEMU's own for sure, and what it has over the memory that the guest itself uses is all that QEMU
/// can have.
class ProcessOverhead {
 public:
  /// How far the figures of a look belong to one moment.
  struct Circumstances {
    bool steady = false;    ///< the balloon has not moved since the look before
    bool reported = false;  ///< the guest's report is newer than the balloon's last move
  };
  /// Takes in one look at the domain.
  void learn(const Domain& domain, const Circumstances& circumstances);
  /// The most that rss was seen over the guest's memory, or the estimate where that is more. A
  /// guest that was under way when it was seen first may have freed what it had touched: of it only
  /// the former counts.
  [[nodiscard]] MemorySize size(const Domain& domain) const {
    if (seen_) return std::max(*seen_, estimated_.value_or(MemorySize()));
    return estimated_ ? *estimated_ : usual(domain);
  }
  /// What is usual, by a formula: of a domain that nothing is known of.
  [[nodiscard]] static MemorySize usual(const Domain& domain);

 private:
  std::optional<MemorySize> seen_;       ///< what rss had over the guest's memory: a maximum
  std::optional<MemorySize> estimated_;  ///< what rss had over what a fresh guest used: a minimum
  bool fresh_ = false;  ///< when it was seen first, it had not touched all of its memory
};

}  // namespace memcoord
