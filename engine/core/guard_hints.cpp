// What the operator should be told: page cache is not counted and something is short, or the host
// is short and nothing can be done.

#include <optional>
#include <string>

#include "engine/core/guard.h"

namespace memcoord::guard {
namespace {

constexpr const char* kWhatHelps = " (page cache); --headroom larger, the default, counts that";

/// What is usable is so far above what counts that the operator should know.
bool far_above(MemorySize usable, MemorySize counts, MemorySize floor) {
  return usable >= counts * 2 && usable >= floor * 2;
}

bool is_short_by_unused(const Domain& domain, const Limits& limits) {
  if (!domain.identity->unsuitable.empty() || domain.settings().exclude) return false;
  const auto& unused = domain.guest.unused;
  const auto& usable = domain.guest.usable;
  return unused && usable && *unused < limits.low_domain() &&
         far_above(*usable, *unused, limits.domain_floor);
}

std::string others_text(std::size_t others) {
  if (others == 0) return {};
  return "; " + std::to_string(others) + (others == 1 ? " other domain" : " other domains") +
         " likewise";
}

}  // namespace

std::vector<Hint> hints(const Snapshot& snapshot, MemorySize grantable, const Limits& limits) {
  std::vector<Hint> hints;
  if (limits.headroom != Headroom::unused) return hints;
  const Domain* first = nullptr;
  std::size_t others = 0;
  for (const Domain& domain : snapshot.domains) {
    if (!is_short_by_unused(domain, limits)) continue;
    if (first == nullptr) {
      first = &domain;
    } else {
      ++others;
    }
  }
  if (first != nullptr) {
    hints.push_back(
        {"domains: page cache",
         {Note::Severity::info, first->name() + ": counts as short by --headroom unused, with " +
                                    first->guest.unused->text(limits.units) + " unused, though " +
                                    first->guest.usable->text(limits.units) + " are usable" +
                                    kWhatHelps + others_text(others)}});
  }
  const Host& host = snapshot.host;
  if (grantable.is_zero() && host.available &&
      far_above(*host.available, host.free, limits.host_floor)) {
    hints.push_back({"host: page cache",
                     {Note::Severity::info,
                      "host: has nothing to give by --headroom unused, with " +
                          host.free.text(limits.units) + " free, though " +
                          host.available->text(limits.units) + " are available" + kWhatHelps}});
  }
  return hints;
}

std::optional<Hint> cannot_be_rescued(const Situation& situation) {
  const MemorySize there = obtainable(situation.snapshot.host);
  const MemorySize floor = situation.limits.host_floor;
  MemorySize can_give;
  for (const Standing& standing : situation.standings) can_give += standing.releasable;
  if (there >= floor || situation.rescue <= can_give) return std::nullopt;
  return Hint{"host: under its floor",
              {Note::Severity::warning,
               "host: has " + there.text() + " available, under its floor of " + floor.text() +
                   ", and its domains can give no more than " + can_give.text() +
                   "; stop or migrate a guest, or free memory that the host itself uses"}};
}

}  // namespace memcoord::guard
