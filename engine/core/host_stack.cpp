#include "engine/core/host_stack.h"

#include <algorithm>
#include <array>
#include <cmath>

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

/// The part of a whole, from 0 to 1.
double share_of(MemorySize part, MemorySize whole) {
  if (whole.is_zero()) return 0;
  return std::min(1.0, static_cast<double>(part.kib()) / static_cast<double>(whole.kib()));
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

HostHeadroom headroom_at(const Tick& tick, Duration interval) {
  const HostAccount& account = tick.account;
  const MemorySize in_all = std::max(account.reclaimable_in_all, account.reclaimable);
  HostHeadroom headroom{tick.grantable, in_all - account.shortfall, {}, account.reserved};
  const double share = share_of(account.reclaimable, in_all);
  const Duration apart = std::max<Duration>(interval, std::chrono::seconds(1));
  for (std::size_t i = 0; i < HostHeadroom::kTimes.size(); ++i) {
    const auto ticks = static_cast<double>(HostHeadroom::kTimes.at(i) / apart);
    const MemorySize taken = in_all.scaled(1 - std::pow(1 - share, ticks));
    headroom.within.at(i) = tick.grantable + (taken - account.shortfall);
  }
  return headroom;
}

MemorySize needed_to_start(MemorySize maximum) {
  return maximum + ProcessOverhead::usual(maximum);
}

Fit fit_of(std::span<const MemorySize> maxima, const HostHeadroom& headroom) {
  Fit fit;
  for (const MemorySize maximum : maxima) fit.needed += needed_to_start(maximum);
  fit.grantable = headroom.grantable;
  fit.reclaimable = headroom.reclaimable;
  if (fit.needed <= fit.grantable) {
    fit.kind = Fit::Kind::now;
    return fit;
  }
  if (fit.needed > headroom.in_all()) return fit;
  fit.kind = Fit::Kind::after_reclaiming;
  for (std::size_t i = headroom.within.size(); i-- > 0;) {
    if (fit.needed <= headroom.within.at(i)) fit.within = HostHeadroom::kTimes.at(i);
  }
  return fit;
}

}  // namespace memcoord
