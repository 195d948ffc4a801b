#pragma once
// Why a domain is short of memory, in words.

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "engine/core/tick.h"

namespace memcoord::observers {

/// Whether a domain has less headroom than its floor, or reads memory back from its swap. `before`
/// is the domain one tick earlier, or null.
bool is_short(const Domain& domain, const Domain* before, const Limits& limits);
/// Whether a guest has read memory back from its swap since one tick earlier.
bool swaps_in(const Domain& domain, const Domain* before);
/// A guest goes on running while its domain is migrated or backed up.
bool guest_runs(const Domain& domain);

/// Everything of a tick about one domain. Refers to the tick, and to the domain one tick earlier.
struct DomainTick {
  const Tick& tick;
  const Domain& domain;
  const Domain* before = nullptr;
  const SkippedDomain* skipped = nullptr;
  const Proposal* proposal = nullptr;
  const Decision* decision = nullptr;
  const Outcome* outcome = nullptr;  ///< of the last step of its move
  bool is_short = false;
  bool reports = true;  ///< its guest has reported, and not too long ago

  [[nodiscard]] bool moves() const { return decision && !decision->holds(); }
  /// A move that libvirt did not carry out, or may not have.
  [[nodiscard]] bool move_failed() const {
    return outcome && outcome->kind != Outcome::Kind::applied &&
           outcome->kind != Outcome::Kind::dry_run;
  }
};

/// One for each domain of the tick, in its order. `earlier` finds a domain one tick earlier, or
/// returns null.
std::vector<DomainTick> domain_ticks(const Tick& tick,
                                     const std::function<const Domain*(const Domain&)>& earlier);

DomainTick domain_tick(const Tick& tick, const Domain& domain, const Domain* before);

/// The largest size that a grow may reach, and what sets it: "maximum". The guard may know of a
/// larger process beside the guest's memory, and so of a lower limit.
struct Ceiling {
  MemorySize size;
  const char* of;
};
Ceiling ceiling_of(const Domain& domain);

/// How far its headroom is under its floor; none where only its swapping shows that it is short.
std::optional<MemorySize> missing(const DomainTick& about);
/// Whether the guard allows a grow that is no smaller than what is missing().
bool grow_covers_shortage(const DomainTick& about);
/// Whether its move ends the domain's shortage.
bool is_served(const DomainTick& about);
/// The policy's reason for the decision; empty where it only says that the domain is short, which
/// the text about a shortage says already. Call it where there is a decision.
std::string reason_beside_shortage(const DomainTick& about);
/// Why a domain that is short gets no memory, or not enough, or what its move is: one clause.
std::string reason_of(const DomainTick& about);

/// Why the domain is short of memory, and why it gets none or not enough: "short by 60 MiB: the
/// host has nothing to grant". Empty if it is not short.
std::string shortage_of(const DomainTick& about);
/// The same for a column of this width: where it is too long, with the amount alone, then without
/// it ("swaps: the host has nothing to grant"). It may still be too long.
std::string shortage_of(const DomainTick& about, std::size_t width);

/// Why an administrator should look at the domain: its shortage, unless its move ends it; "does not
/// answer". Empty if there is no reason.
std::string problem_of(const DomainTick& about);
std::string problem_of(const Tick& tick, const Domain& domain, const Domain* before);

}  // namespace memcoord::observers
