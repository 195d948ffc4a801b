#include "engine/observers/memory_use.h"

#include <algorithm>
#include <array>

namespace memcoord::observers {
namespace {

constexpr std::array<std::string_view, 3> kHostStates{"fine", "tight", "short"};

bool is_hosts_rule(const RuleHit& hit) {
  return hit.rule == Rule::numa_floor || hit.rule == Rule::host_floor ||
         hit.rule == Rule::share_out;
}

/// Whether the host gives a domain less than its policy asked for.
bool host_limits(const DomainTick& about) {
  return about.decision && about.decision->proposed > about.decision->actual &&
         std::any_of(about.decision->rules.begin(), about.decision->rules.end(), is_hosts_rule);
}

/// Whether a domain stays short of memory because of the host.
bool lacks_host_memory(const DomainTick& about) {
  if (!about.is_short || problem_of(about).empty() || about.skipped) return false;
  if (host_limits(about)) return true;
  const bool may_grow = about.domain.actual < ceiling_of(about.domain).size;
  return !about.decision && may_grow &&
         about.tick.grantable < missing(about).value_or(kLargestGuestPage);
}

std::string size_or_nothing(MemorySize size, Units units) {
  return size.is_zero() ? "nothing" : size.text(units);
}

/// The texts of sizes begin with a digit.
std::string begun_with_capital(std::string text) {
  if (text.starts_with('n')) text.front() = 'N';
  return text;
}

std::string others_text(std::ptrdiff_t others) {
  if (others == 0) return {};
  return ", and " + std::to_string(others) + (others == 1 ? " other" : " others");
}

/// "web, and 2 others"; empty without a domain of that kind.
std::string those_that(bool (*is_one)(const DomainTick&), const std::vector<DomainTick>& domains) {
  const auto first = std::find_if(domains.begin(), domains.end(), is_one);
  if (first == domains.end()) return {};
  return first->domain.name() + others_text(std::count_if(first + 1, domains.end(), is_one));
}

}  // namespace

std::optional<GuestUse> use_of(const Domain& domain) {
  const GuestStatistics& guest = domain.guest;
  if (!guest.unused) return std::nullopt;
  const MemorySize cache =
      guest.usable ? *guest.usable - *guest.unused : guest.disk_caches.value_or(MemorySize());
  GuestUse use;
  use.free = std::min(*guest.unused, domain.actual);
  use.cache = std::min(cache, domain.actual - use.free);
  use.used = domain.actual - use.free - use.cache;
  return use;
}

std::string_view to_text(HostState state) {
  return kHostStates.at(static_cast<std::size_t>(state));
}

HostVerdict verdict_on(const Tick& tick, const std::vector<DomainTick>& domains) {
  const Limits& limits = tick.limits;
  const HostAccount& account = tick.account;
  const auto text_of = [&](MemorySize size) { return size_or_nothing(size, limits.units); };
  const std::string at_hand = text_of(tick.grantable) + " can be granted at once, " +
                              text_of(account.reclaimable) + " reclaimed from guests";
  if (account.shortfall > account.reclaimable_in_all + kRemainder) {
    return {HostState::short_of_memory,
            "Guests must release " + text_of(account.shortfall) + " before any can grow, but " +
                text_of(account.reclaimable_in_all) + " can be reclaimed from them."};
  }
  if (const MemorySize left = host_headroom(tick.snapshot.host, limits.headroom);
      left < limits.host_floor) {
    return {HostState::short_of_memory, "The host has " + text_of(left) +
                                            " left, under its floor of " +
                                            text_of(limits.host_floor) + "; " + at_hand + "."};
  }
  if (const std::string lacking = those_that(lacks_host_memory, domains); !lacking.empty()) {
    return {HostState::short_of_memory,
            "The host has too little memory for " + lacking + "; " + at_hand + "."};
  }
  if (const std::string limited = those_that(host_limits, domains); !limited.empty()) {
    return {HostState::tight, "The host limits the grow of " + limited + "; " + at_hand + "."};
  }
  const MemorySize whole =
      std::min(tick.snapshot.host.total, limits.host_memory.value_or(MemorySize::largest()));
  const bool tight =
      tick.grantable + account.reclaimable - account.shortfall < whole.scaled(kTightShare);
  return {tight ? HostState::tight : HostState::fine, begun_with_capital(at_hand) + "."};
}

}  // namespace memcoord::observers
