#include "engine/hypervisor/simulated/guest.h"

#include <algorithm>
#include <cmath>

namespace memcoord::simulated {
namespace {

/// What the kernel leaves to the workload and the page cache.
double room(const Guest& guest, const Model& model) {
  return std::max(0.0, guest.total(model) - kib(model.kernel_used) - kib(model.min_watermark));
}

/// The balloon goes towards its target. It fills with what is free or page cache, never with what
/// the workload holds.
void move_balloon(Guest& guest, const Model& model, double seconds) {
  const double before = guest.actual;
  if (guest.target > guest.actual) {
    guest.actual = std::min(guest.target, guest.actual + kib(model.deflate_rate) * seconds);
  } else if (guest.target < guest.actual) {
    const double give = std::max(0.0, guest.unused(model) + guest.cache - kib(model.low_watermark));
    const double step =
        std::min({guest.actual - guest.target, kib(model.inflate_rate) * seconds, give});
    guest.actual -= step;
    const double from_cache = std::max(0.0, guest.resident + guest.cache - room(guest, model));
    guest.cache -= std::min(guest.cache, from_cache);
  }
  guest.score.moved_kib += std::abs(guest.actual - before);
}

/// The workload takes what it wants: free memory, then the page cache's, then it swaps, then it is
/// killed.
void serve_workload(Guest& guest, const Forces& forces, const Model& model, double seconds) {
  const double available = room(guest, model);
  const double before = guest.resident;
  const double missing = std::max(0.0, guest.demand - available);
  if (missing > forces.swap) {
    ++guest.score.oom_kills;
    guest.demand = guest.resident = guest.swapped = 0;
    guest.restart_in = std::chrono::duration<double>(model.restart).count();
    return;
  }
  // What has to go out goes at once, the workload waiting; what may come back comes as it is used.
  const double held = std::min(guest.swapped, guest.demand);
  const double back = std::min(std::max(0.0, held - missing), kib(model.swap_rate) * seconds);
  const double swapped = std::max(missing, held - back);
  guest.swap_out += std::max(0.0, swapped - guest.swapped);
  const double came_in = std::max(0.0, held - swapped);
  guest.swap_in += came_in;
  guest.major_faults += came_in / 4;
  // A workload that is short goes on touching what is out.
  if (missing > 0) {
    const double thrashed = std::min(missing, kib(model.swap_rate) * seconds);
    guest.swap_in += thrashed;
    guest.swap_out += thrashed;
    guest.major_faults += thrashed / 4;
  }
  guest.swapped = swapped;
  guest.resident = guest.demand - swapped;
  guest.minor_faults += std::max(0.0, guest.resident - before) / 4;
}

void keep_score(Guest& guest, const Model& model, double wanted, double seconds) {
  GuestScore& score = guest.score;
  const double short_by = std::max(0.0, wanted - room(guest, model));
  score.seconds += seconds;
  if (short_by > 0) score.stalled_seconds += seconds;
  score.deficit_kib_seconds += short_by * seconds;
  const double need = wanted + kernel(model);
  score.need_kib_seconds += need * seconds;
  score.spare_kib_seconds += std::max(0.0, guest.actual - need) * seconds;
}

}  // namespace

double kernel(const Model& model) {
  return kib(model.kernel_reserved) + kib(model.kernel_used) + kib(model.min_watermark);
}

bool Guest::is_calm(const Model& model) const {
  return actual == target && swapped == 0 && restart_in == 0 && !touching &&
         demand <= room(*this, model);
}

double Guest::need(const Model& model) const {
  return demand + kernel(model);
}

double Guest::total(const Model& model) const {
  return std::max(0.0, actual - kib(model.kernel_reserved));
}

double Guest::unused(const Model& model) const {
  return std::max(0.0, total(model) - kib(model.kernel_used) - resident - cache);
}

double Guest::usable(const Model& model) const {
  // As Linux makes its MemAvailable: of the page cache, too, it keeps something.
  const double kept = kib(model.low_watermark) + std::min(cache / 2, kib(model.low_watermark));
  return std::max(0.0, unused(model) + cache - kept);
}

void advance(Guest& guest, const Forces& forces, const Model& model, double seconds) {
  if (forces.paused) return;
  guest.restart_in = std::max(0.0, guest.restart_in - seconds);
  guest.demand = guest.restart_in > 0 ? 0 : forces.demand;
  if (forces.driver && guest.actual != guest.target) move_balloon(guest, model, seconds);
  serve_workload(guest, forces, model, seconds);
  const double wanted_cache = std::max(forces.cache, guest.restart_in > 0 ? guest.cache : 0.0);
  guest.cache = std::clamp(wanted_cache, 0.0, std::max(0.0, room(guest, model) - guest.resident));
  const double used =
      kib(model.kernel_reserved) + kib(model.kernel_used) + guest.resident + guest.cache;
  const double behind = forces.free_page_reporting ? used : std::max(guest.touched, used);
  const double reached = guest.touched + kib(model.touch_rate) * seconds;
  guest.touching = std::min(guest.actual, behind) > reached;
  guest.touched = std::min({guest.actual, behind, reached});
  keep_score(guest, model, forces.demand, seconds);
}

}  // namespace memcoord::simulated
