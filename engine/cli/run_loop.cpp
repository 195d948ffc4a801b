#include "engine/cli/run_loop.h"

namespace memcoord::cli {
namespace {

// Waits for the moment, through reloads; false where the loop is to end instead.
bool wait_until(MonotonicTime due, Clock& clock, const LoopHooks& hooks) {
  for (;;) {
    if (hooks.stop_requested()) return false;
    if (hooks.take_reload()) hooks.reload();
    const Duration left = due - clock.now();
    if (left <= Duration::zero()) return true;
    clock.sleep_for(left);
  }
}

}  // namespace

std::string_view to_text(LoopEnd end) {
  switch (end) {
    case LoopEnd::ticks_done:
      return "all ticks done";
    case LoopEnd::idle:
      return "no active domains";
    case LoopEnd::over:
      return "the scenario is at its end";
    case LoopEnd::stopped:
      return "asked to end";
  }
  return "";
}

LoopEnd run_loop(Coordinator& coordinator, Clock& clock, const LoopOptions& options,
                 const LoopHooks& hooks) {
  MonotonicTime due = clock.now();
  for (std::uint64_t done = 0;;) {
    if (!wait_until(due, clock, hooks)) return LoopEnd::stopped;
    const Tick tick = coordinator.tick();
    hooks.after(tick);
    if (options.ticks && ++done >= *options.ticks) return LoopEnd::ticks_done;
    if (options.exit_when_idle && hooks.idle(tick)) return LoopEnd::idle;
    if (hooks.over()) return LoopEnd::over;
    due += options.interval;
    if (const Duration late = clock.now() - due; late > Duration::zero()) {
      const auto missed = static_cast<std::uint64_t>(late / options.interval) + 1;
      due += options.interval * static_cast<std::int64_t>(missed);
      hooks.skipped(missed);
    }
  }
}

}  // namespace memcoord::cli
