#include "engine/workbench/score.h"

namespace memcoord::workbench {

Score score_of(const simulated::SimulatedHost& host) {
  constexpr double kKibPerGib = 1024.0 * 1024.0;
  constexpr double kSecondsPerHour = 3600.0;
  double stalled = 0;
  double deficit = 0;
  double need = 0;
  double spare = 0;
  double moved = 0;
  Score score;
  for (const simulated::SimulatedDomain& domain : host.domains()) {
    const simulated::GuestScore& one = domain.guest.score;
    score.domain_seconds += one.seconds;
    score.guest_oom += one.oom_kills;
    stalled += one.stalled_seconds;
    deficit += one.deficit_kib_seconds;
    need += one.need_kib_seconds;
    spare += one.spare_kib_seconds;
    moved += one.moved_kib;
  }
  score.host_oom = host.score().oom_kills;
  score.breach_seconds = host.score().breach_seconds;
  score.deficit = deficit / kKibPerGib / kSecondsPerHour;
  if (need > 0) score.overhead = spare / need;
  if (score.domain_seconds > 0) {
    score.stalled = stalled / score.domain_seconds;
    score.churn = moved / 1024.0 / (score.domain_seconds / kSecondsPerHour);
  }
  return score;
}

}  // namespace memcoord::workbench
