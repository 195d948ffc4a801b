#include "engine/hypervisor/simulated/simulated_hypervisor.h"

#include <utility>

namespace memcoord::simulated {

WallTime VirtualClock::wall_now() const {
  constexpr WallTime kStart{std::chrono::sys_days{std::chrono::year{2024} / 1 / 1}};
  return kStart + std::chrono::duration_cast<std::chrono::milliseconds>(now_.time_since_epoch());
}

bool VirtualClock::sleep_for(Duration duration) {
  if (duration > Duration()) now_ += duration;
  return true;
}

SimulatedHypervisor::SimulatedHypervisor(Scenario scenario, const Clock& clock,
                                         MemorySize host_floor)
    : clock_(clock), start_(clock.now()), host_(std::move(scenario), host_floor) {
  oom_kills_told_.resize(host_.domains().size());
}

std::string SimulatedHypervisor::description() const {
  return "sim:" + host_.scenario().name;
}

bool SimulatedHypervisor::finished() const {
  return clock_.now() - start_ >= host_.scenario().duration;
}

void SimulatedHypervisor::catch_up() {
  // A first look at the very start would find guests that have not reported yet.
  const Duration passed = std::max<Duration>(clock_.now() - start_, std::chrono::milliseconds(1));
  host_.advance_to(passed, clock_.wall_now());
}

Result<Snapshot> SimulatedHypervisor::sample() {
  catch_up();
  return host_.look(clock_.now(), clock_.wall_now());
}

std::vector<Outcome> SimulatedHypervisor::apply(std::span<const Move> moves) {
  catch_up();
  std::vector<Outcome> outcomes;
  outcomes.reserve(moves.size());
  for (const Move& move : moves) outcomes.push_back(host_.set_target(move));
  return outcomes;
}

std::vector<Note> SimulatedHypervisor::take_notes() {
  std::vector<Note> notes;
  for (std::size_t i = 0; i < host_.domains().size(); ++i) {
    const SimulatedDomain& domain = host_.domains()[i];
    const int kills = domain.guest.score.oom_kills;
    if (kills == oom_kills_told_[i]) continue;
    oom_kills_told_[i] = kills;
    notes.push_back(
        {Note::Severity::warning, domain.identity->name + ": its OOM killer ended the workload"});
  }
  return notes;
}

}  // namespace memcoord::simulated
