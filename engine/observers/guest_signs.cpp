#include "engine/observers/guest_signs.h"

#include "engine/observers/shortage.h"

namespace memcoord::observers {
namespace {

std::optional<MemorySize> used_by_report(const GuestStatistics& guest) {
  const auto& left = guest.usable ? guest.usable : guest.unused;
  if (!guest.available || !left) return std::nullopt;
  return *guest.available - *left;
}

std::optional<std::uint64_t> faults_of(const GuestStatistics& guest) {
  if (!guest.major_faults || !guest.minor_faults) return std::nullopt;
  return *guest.major_faults + *guest.minor_faults;
}

}  // namespace

GuestSigns::Found GuestSigns::next(const Domain& domain, const Limits& limits) {
  const GuestStatistics& guest = domain.guest;
  Found found;
  if (!guest.last_update || guest.last_update == report_) return found;
  const auto used = used_by_report(guest);
  const auto faults = faults_of(guest);
  const bool event = domain.started_at && domain.started_at != started_at_ && report_;
  // The counters of a guest that was restored from a file may fall, too.
  const bool began_anew = faults && faults_ && *faults < *faults_ / 2 && !domain.restored_at;
  found.rebooted = event || began_anew;
  const bool soon = report_ && *guest.last_update - *report_ <= kKillTime;
  if (soon && nothing_left_ && used && used_ && !found.rebooted) {
    const MemorySize fell = *used_ - *used;
    const bool kill = fell >= kLeastKilled && fell >= used_->scaled(kLeastShare);
    if (kill) found.fall = Found::Fall{*used_, *used};
  }
  // A guest that swaps out has room in its swap yet.
  const bool swaps_out = swap_out_ && guest.swap_out && *guest.swap_out > *swap_out_;
  const auto& left = guest.usable ? guest.usable : guest.unused;
  nothing_left_ = left && *left < limits.domain_floor.scaled(kNothingLeft) && !swaps_out;
  swap_out_ = guest.swap_out;
  report_ = guest.last_update;
  started_at_ = domain.started_at;
  used_ = used;
  faults_ = faults;
  return found;
}

}  // namespace memcoord::observers
