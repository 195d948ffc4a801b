#include "engine/observers/memory_use.h"

#include <algorithm>
#include <array>
#include <utility>

#include "engine/core/guard.h"

namespace memcoord::observers {
namespace {

constexpr std::array<std::string_view, kHostStateCount> kHostStates{"fine", "tight", "short"};

/// Whether a rule limits what the host gives to all grows together.
bool is_hosts_rule(const RuleHit& hit) {
  const auto rules = guard::shared_bounds();
  return std::any_of(rules.begin(), rules.end(),
                     [&](const guard::SharedBound& bound) { return bound.rule == hit.rule; });
}

/// Whether the host gives a domain less than its policy asked for.
bool host_limits(const DomainTick& about) {
  return about.decision && about.decision->proposed > about.decision->actual &&
         std::any_of(about.decision->rules.begin(), about.decision->rules.end(), is_hosts_rule);
}

/// Whether its decision would end the domain's shortage if the tick were no dry run.
bool would_be_served(const DomainTick& about) {
  return about.tick.dry_run && grow_covers_shortage(about);
}

bool stays_short(const DomainTick& about) {
  return about.is_short && !about.skipped && !is_served(about);
}

/// Whether a domain stays short of memory because of the host.
bool lacks_host_memory(const DomainTick& about) {
  if (!stays_short(about) || would_be_served(about)) return false;
  if (host_limits(about)) return true;
  const bool may_grow = about.domain.actual < ceiling_of(about.domain).size;
  return !about.decision && may_grow && !about.tick.lacks_policy() &&
         about.tick.grantable < missing(about).value_or(kLargestGuestPage);
}

/// "web", "web and db", "web and 2 others"; empty without a domain of that kind.
std::string those_that(bool (*is_one)(const DomainTick&), const std::vector<DomainTick>& domains) {
  const auto first = std::find_if(domains.begin(), domains.end(), is_one);
  if (first == domains.end()) return {};
  const auto second = std::find_if(first + 1, domains.end(), is_one);
  if (second == domains.end()) return first->domain.name();
  const auto more = std::count_if(second + 1, domains.end(), is_one);
  return first->domain.name() + " and " +
         (more == 0 ? second->domain.name() : std::to_string(more + 1) + " others");
}

/// What the host has at hand, as a sentence about `host`: "The host", "It".
std::string at_hand_text(const char* host, const Tick& tick) {
  const auto text_of = [&](MemorySize size) {
    return size.is_zero() ? "nothing" : size.text(tick.limits.units);
  };
  return std::string(host) + " can grant " + text_of(tick.grantable) +
         " at once; shrinks can take " + text_of(tick.account.reclaimable) + " from guests.";
}

std::string shortfall_text(const Tick& tick) {
  const HostAccount& account = tick.account;
  const Units units = tick.limits.units;
  std::string text =
      "Guests must release " + account.shortfall.text(units) + " before any can grow";
  const MemorySize in_all = account.reclaimable_in_all;
  if (in_all.is_zero()) return text + ", but shrinks can take nothing from them.";
  const bool covered = in_all >= account.shortfall;
  return text + (covered ? "; shrinks can take " : ", but shrinks can take only ") +
         in_all.text(units) + " from them.";
}

std::optional<HostVerdict> short_verdict(const Tick& tick, const std::vector<DomainTick>& domains) {
  const auto because = [](std::string text) {
    return HostVerdict{HostState::short_of_memory, std::move(text)};
  };
  if (const std::string lacking = those_that(lacks_host_memory, domains); !lacking.empty()) {
    return because("The host has too little memory for " + lacking + ". " +
                   at_hand_text("It", tick));
  }
  const Limits& limits = tick.limits;
  if (const MemorySize left = host_headroom(tick.snapshot.host, limits.headroom);
      left < limits.host_floor) {
    return because("The host has " + left.text(limits.units) + " left, under its floor of " +
                   limits.host_floor.text(limits.units) + ". " + at_hand_text("It", tick));
  }
  if (tick.account.shortfall > tick.account.reclaimable_in_all + kToleratedShortfall) {
    return because(shortfall_text(tick));
  }
  return std::nullopt;
}

/// The verdict on a host that is not short.
HostVerdict other_verdict(const Tick& tick, const std::vector<DomainTick>& domains) {
  if (tick.account.shortfall > kToleratedShortfall) return {HostState::tight, shortfall_text(tick)};
  if (const std::string limited = those_that(host_limits, domains); !limited.empty()) {
    return {HostState::tight,
            "The host limits the grow of " + limited + ". " + at_hand_text("It", tick)};
  }
  const MemorySize whole =
      std::min(tick.snapshot.host.total, tick.limits.host_memory.value_or(MemorySize::largest()));
  const bool tight = tick.grantable + tick.account.reclaimable - tick.account.shortfall <
                     whole.scaled(kTightShare);
  return {tight ? HostState::tight : HostState::fine, at_hand_text("The host", tick)};
}

/// A sentence, with a space before it, about domains that are short while the host is not.
std::string shortage_elsewhere(const Tick& tick, const std::vector<DomainTick>& domains) {
  const auto count = std::count_if(domains.begin(), domains.end(), stays_short);
  if (count == 0) return {};
  std::string text =
      " " + std::to_string(count) + " domain" + (count == 1 ? " is" : "s are") + " short of memory";
  if (tick.dry_run) return text + " (dry run).";
  return text + (tick.lacks_policy() ? ": the policy fails." : ".");
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
  if (auto verdict = short_verdict(tick, domains)) return *verdict;
  HostVerdict verdict = other_verdict(tick, domains);
  verdict.text += shortage_elsewhere(tick, domains);
  return verdict;
}

}  // namespace memcoord::observers
