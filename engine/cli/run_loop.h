#pragma once
// The loop round the coordinator's ticks: their pace, and when it ends.

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "engine/core/coordinator.h"
#include "engine/core/time.h"

namespace memcoord::cli {

struct LoopOptions {
  Duration interval = kDefaultInterval;
  std::optional<std::uint64_t> ticks = {};  ///< end after so many
  bool exit_when_idle = false;              ///< end at the first tick without a domain that counts
};

/// What the loop asks of its surroundings and tells them.
struct LoopHooks {
  std::function<bool()> stop_requested;
  std::function<bool()> take_reload;       ///< whether a reload was asked for since the last call
  std::function<void()> reload;            ///< does it
  std::function<bool()> over;              ///< nothing more can come: the scenario is at its end
  std::function<bool(const Tick&)> idle;   ///< no domain in this tick counts
  std::function<void(const Tick&)> after;  ///< after each tick
  std::function<void(std::uint64_t)> skipped;  ///< so many ticks did not fit: one took too long
};

enum class LoopEnd { ticks_done, idle, over, stopped };
std::string_view to_text(LoopEnd end);

/// Runs ticks at a steady pace until something ends it: tick n is due at the start plus n
/// intervals, however long the ticks take; one that is overdue when the last one ends is left out.
LoopEnd run_loop(Coordinator& coordinator, Clock& clock, const LoopOptions& options,
                 const LoopHooks& hooks);

}  // namespace memcoord::cli
