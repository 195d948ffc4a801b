#include "engine/core/host_stack.h"

#include <algorithm>
#include <array>

#include "engine/core/balloon_tracker.h"

namespace memcoord {
namespace {

constexpr std::array<std::string_view, 3> kFitNames{"now", "after reclaiming", "no"};

/// Takes at most `wanted` from what is left.
MemorySize take(MemorySize& left, MemorySize wanted) {
  const MemorySize taken = std::min(left, wanted);
  left -= taken;
  return taken;
}

}  // namespace

HostStack stack_of(const Tick& tick) {
  const Host& host = tick.snapshot.host;
  const HostAccount& account = tick.account;
  HostStack stack;
  MemorySize free = std::min(host_headroom(host, tick.limits.headroom), host.total);
  MemorySize in_use = host.total - free;
  stack.backed = take(in_use, account.committed - account.unbacked - host.merged);
  stack.used = in_use;
  stack.floor = take(free, tick.limits.host_floor);
  stack.grantable = take(free, tick.grantable);
  stack.unbacked = take(free, account.unbacked);
  stack.reserved = free;
  stack.uncovered = account.unbacked - stack.unbacked;
  return stack;
}

std::string_view to_text(Fit::Kind kind) {
  return kFitNames.at(static_cast<std::size_t>(kind));
}

Fit fit_of(MemorySize maximum, const Tick& tick) {
  Fit fit;
  fit.needed = maximum + ProcessOverhead::usual(maximum);
  fit.grantable = tick.grantable;
  fit.reclaimable = tick.account.reclaimable_in_all - tick.account.shortfall;
  if (fit.needed <= fit.grantable) {
    fit.kind = Fit::Kind::now;
  } else if (fit.needed <= fit.grantable + fit.reclaimable) {
    fit.kind = Fit::Kind::after_reclaiming;
  }
  return fit;
}

}  // namespace memcoord
