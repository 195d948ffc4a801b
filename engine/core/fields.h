#pragma once
// One list of fields for each value that is written, read or shown: the journal's JSON, the objects
// of policies, the worlds of policy tests and the reference tables of docs/ all follow from it. A
// new field stands here and where it is sampled.

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>
#include <tuple>
#include <type_traits>

#include "engine/core/tick.h"

namespace memcoord {

// --- enumerations by name: every value, in the order of its numbers ---

template <class Enum>
inline constexpr int kCountOf = 0;
template <>
inline constexpr int kCountOf<Rule> = static_cast<int>(kRuleCount);
template <>
inline constexpr int kCountOf<Headroom> = kHeadroomCount;
template <>
inline constexpr int kCountOf<DomainState> = 8;
template <>
inline constexpr int kCountOf<MemoryBacking::Kind> = 3;
template <>
inline constexpr int kCountOf<Outcome::Kind> = 6;
template <>
inline constexpr int kCountOf<ErrorCode> = 9;
template <>
inline constexpr int kCountOf<Note::Severity> = 3;

constexpr std::string_view to_text(ErrorCode code) {
  constexpr std::array<std::string_view, kCountOf<ErrorCode>> kNames{
      "invalid_input", "not_found",      "permission_denied", "unavailable", "timed_out",
      "policy_failed", "limit_exceeded", "unsupported",       "internal"};
  return kNames.at(static_cast<std::size_t>(code));
}
constexpr std::string_view to_text(Note::Severity severity) {
  constexpr std::array<std::string_view, kCountOf<Note::Severity>> kNames{"info", "warning",
                                                                          "error"};
  return kNames.at(static_cast<std::size_t>(severity));
}

/// The value of an enumeration that has this name, if one has.
template <class Enum>
std::optional<Enum> from_text(std::string_view text) {
  static_assert(kCountOf<Enum> > 0, "say how many values it has");
  for (int i = 0; i < kCountOf<Enum>; ++i) {
    if (to_text(static_cast<Enum>(i)) == text) return static_cast<Enum>(i);
  }
  return std::nullopt;
}

namespace fields {

template <class T>
inline constexpr bool kIsOptional = false;
template <class T>
inline constexpr bool kIsOptional<std::optional<T>> = true;

/// One field of a record.
template <class Record, class Member>
struct Entry {
  using Type = Member;

  constexpr Entry(std::string_view with_name, Member Record::*with_member,
                  std::string_view with_text)
      : name(with_name), member(with_member), text(with_text) {}

  std::string_view name;     ///< in JSON; its ending is its unit: _kib, _s; none for counts
  Member Record::*member;    ///< an optional without a value is left out of JSON
  std::string_view text;     ///< what it is, one clause in Markdown
  bool always = true;        ///< written always, and required of what is read
  bool for_policies = true;  ///< policies may see it

  /// The field is left out where it is as in a new record.
  [[nodiscard]] constexpr Entry unless_default() const {
    Entry entry = *this;
    entry.always = false;
    return entry;
  }
  /// Policies do not see the field.
  [[nodiscard]] constexpr Entry hidden() const {
    Entry entry = *this;
    entry.for_policies = false;
    return entry;
  }
  /// The name without its unit, as policies and their tests have it.
  [[nodiscard]] constexpr std::string_view plain_name() const {
    for (const std::string_view unit : {std::string_view("_kib"), std::string_view("_s")}) {
      if (name.ends_with(unit)) return name.substr(0, name.size() - unit.size());
    }
    return name;
  }
};

/// A record's entries, a std::tuple.
template <class Record>
inline constexpr std::nullptr_t kList = nullptr;
template <class T>
inline constexpr bool kIsListed =
    !std::is_same_v<std::remove_cv_t<decltype(kList<T>)>, std::nullptr_t>;

/// Whether JSON adds the domain's name to a record about one domain, beside its `uuid`. Readers go
/// by the UUID alone.
template <class Record>
inline constexpr bool kHasDomainName = false;
template <>
inline constexpr bool kHasDomainName<Proposal> = true;
template <>
inline constexpr bool kHasDomainName<Decision> = true;
template <>
inline constexpr bool kHasDomainName<SkippedDomain> = true;
template <>
inline constexpr bool kHasDomainName<DroppedFigure> = true;
template <>
inline constexpr bool kHasDomainName<Outcome> = true;
inline constexpr std::string_view kDomainNameText = "its name; missing if the domain has gone";

/// Calls `visit` with each entry of a record, in the list's order.
template <class Record, class Visit>
constexpr void each(Visit&& visit) {
  std::apply([&visit](const auto&... entries) { (visit(entries), ...); }, kList<Record>);
}

// --- the host ---

template <>
inline constexpr auto kList<NumaCell> = std::tuple{
    Entry{"id", &NumaCell::id, "its number"},
    Entry{"total_kib", &NumaCell::total, "its memory"},
    Entry{"free_kib", &NumaCell::free, "its free memory, page cache not counted"},
    Entry{"available_kib", &NumaCell::available,
          "its free memory with what its page cache would give back"},
};

template <>
inline constexpr auto kList<Host> = std::tuple{
    Entry{"total_kib", &Host::total, "the host's memory"},
    Entry{"free_kib", &Host::free, "free memory, page cache not counted (`MemFree`)"},
    Entry{"available_kib", &Host::available,
          "free memory with what the page cache would give back (`MemAvailable`)"},
    Entry{"available_is_estimate", &Host::available_is_estimate,
          "true where memcoord estimates `available_kib`"}
        .unless_default()
        .hidden(),
    Entry{"buffers_kib", &Host::buffers, "buffers of block devices"},
    Entry{"cached_kib", &Host::cached, "page cache"},
    Entry{"swap_free_kib", &Host::swap_free, "free swap space"},
    Entry{"page_size_kib", &Host::page_size, "the size of an ordinary page"},
    Entry{"merged_kib", &Host::merged, "memory that merging of equal pages (KSM) saves"}
        .unless_default()
        .hidden(),
    Entry{"cells", &Host::cells, "its NUMA cells"}.unless_default(),
};

// --- domains ---

template <>
inline constexpr auto kList<DomainSettings> = std::tuple{
    Entry{"minimum_kib", &DomainSettings::minimum, "no target is smaller"},
    Entry{"maximum_kib", &DomainSettings::maximum, "no target is larger"},
    Entry{"weight", &DomainSettings::weight, "its weight where memory is shared out"}
        .unless_default(),
    Entry{"priority", &DomainSettings::priority, "its priority: higher goes first"}
        .unless_default(),
    Entry{"exclude", &DomainSettings::exclude, "true where memcoord leaves it alone"}
        .unless_default(),
    Entry{"labels", &DomainSettings::labels, "its labels, by name"}.unless_default(),
};

template <>
inline constexpr auto kList<GuestStatistics> = std::tuple{
    Entry{"available_kib", &GuestStatistics::available,
          "the memory that the guest's kernel sees (`MemTotal`)"},
    Entry{"unused_kib", &GuestStatistics::unused,
          "free memory, page cache not counted (`MemFree`)"},
    Entry{"usable_kib", &GuestStatistics::usable,
          "memory that the guest can have without swapping (`MemAvailable`)"},
    Entry{"disk_caches_kib", &GuestStatistics::disk_caches, "page cache"},
    Entry{"swap_in_kib", &GuestStatistics::swap_in, "memory swapped in since its boot"},
    Entry{"swap_out_kib", &GuestStatistics::swap_out, "memory swapped out since its boot"},
    Entry{"major_faults", &GuestStatistics::major_faults, "major page faults since its boot"},
    Entry{"minor_faults", &GuestStatistics::minor_faults, "minor page faults since its boot"},
    Entry{"last_update", &GuestStatistics::last_update, "when the guest made this report"}.hidden(),
    Entry{"period_s", &GuestStatistics::period, "how often the guest reports; 0: never"}.hidden(),
};

template <>
inline constexpr auto kList<MemoryBacking> = std::tuple{
    Entry{"kind", &MemoryBacking::kind,
          "`ballooned`: the balloon gives memory back; `pinned`: all memory stays with the domain; "
          "`hidden`: it stays, and `rss_kib` does not count it"},
    Entry{"shared", &MemoryBacking::shared, "true where the host counts it as page cache"}
        .unless_default(),
    Entry{"hugepages", &MemoryBacking::hugepages, "true where it comes from the pool of hugepages"}
        .unless_default(),
    Entry{"beside_hugepages_kib", &MemoryBacking::beside_hugepages,
          "memory of a hugepage guest that comes from the ordinary pool"}
        .unless_default(),
    Entry{"unplugged_kib", &MemoryBacking::unplugged,
          "the part of the maximum that is not plugged in (virtio-mem)"}
        .unless_default(),
};

template <>
inline constexpr auto kList<NodeBinding> = std::tuple{
    Entry{"nodes", &NodeBinding::nodes, "the host's NUMA nodes"},
    Entry{"size_kib", &NodeBinding::size,
          "the memory of the guest's cells that is bound there; all where it is left out"},
};

template <>
inline constexpr auto kList<DomainIdentity> = std::tuple{
    Entry{"uuid", &DomainIdentity::uuid, "its UUID"},
    Entry{"name", &DomainIdentity::name, "its name"},
    Entry{"settings", &DomainIdentity::settings, "the operator's settings"}.unless_default(),
    Entry{"unsuitable", &DomainIdentity::unsuitable, "why a balloon cannot serve it"}
        .unless_default(),
    Entry{"backing", &DomainIdentity::backing, "where its memory comes from, unless ordinary"}
        .unless_default(),
    Entry{"hard_limit_kib", &DomainIdentity::hard_limit,
          "its cgroup's limit: the kernel kills a domain that passes it"},
    Entry{"bound_to", &DomainIdentity::bound_to, "the NUMA nodes that its memory is bound to"}
        .unless_default(),
};

/// What changes of a domain from tick to tick; JSON has it in one object with its identity.
template <>
inline constexpr auto kList<Domain> = std::tuple{
    Entry{"state", &Domain::state, "its state"},
    Entry{"actual_kib", &Domain::actual, "the balloon's size"},
    Entry{"maximum_kib", &Domain::maximum, "the domain's maximum"},
    Entry{"rss_kib", &Domain::rss, "host memory that its process holds"},
    Entry{"guest", &Domain::guest, "what the guest reports"},
    Entry{"started_at_s", &Domain::started_at,
          "when it was started or rebooted, if an event has reported that"},
    Entry{"restored_at_s", &Domain::restored_at,
          "when it was restored from a file or a snapshot, if an event has reported that"},
    Entry{"reported_after_s", &Domain::reported_after,
          "a moment after which its guest has surely made this report, where known"}
        .hidden(),
    Entry{"deflates_by_itself", &Domain::deflates_by_itself,
          "true where its balloon gives memory back to a guest that runs short (autodeflate)"}
        .unless_default(),
    Entry{"free_page_reporting", &Domain::free_page_reporting,
          "true where the guest hands pages that it frees to the host"}
        .unless_default(),
    Entry{"id", &Domain::id, "libvirt's number for it, another one after every start"}
        .unless_default(),
};

// --- what decides, and what is decided ---

template <>
inline constexpr auto kList<Limits> = std::tuple{
    Entry{"domain_floor_kib", &Limits::domain_floor,
          "headroom that a shrink leaves every domain: 100 MiB or more (`--domain-floor`)"},
    Entry{"host_floor_kib", &Limits::host_floor,
          "headroom that grows leave the host: 200 MiB or more (`--host-floor`)"},
    Entry{"max_reclaim", &Limits::max_reclaim,
          "share of its headroom that a tick may take from a domain, up to 0.5 (`--max-reclaim`)"},
    Entry{"headroom", &Limits::headroom,
          "the metric that counts as headroom: `larger`, `unused` or `usable` (`--headroom`)"},
    Entry{"stale_after_periods", &Limits::stale_after_periods,
          "after so many of its periods, and `stale_slack`, a report is stale"},
    Entry{"stale_slack_s", &Limits::stale_slack, "seconds on top of `stale_after_periods`"},
    Entry{"grace_s", &Limits::grace,
          "seconds without a shrink after a start, a reboot or a self-deflation"},
    Entry{"host_memory_kib", &Limits::host_memory,
          "what all guests may use together (`--host-memory`)"},
    Entry{"overcommit", &Limits::overcommit,
          "how much may be committed, as a multiple of the host's memory (`--overcommit`)"}
        .unless_default(),
};

template <>
inline constexpr auto kList<RuleHit> = std::tuple{
    Entry{"rule", &RuleHit::rule, "the guard's rule"},
    Entry{"before_kib", &RuleHit::before, "the target before it"},
    Entry{"after_kib", &RuleHit::after, "the target after it"},
    Entry{"why", &RuleHit::why, "its reason"},
};

template <>
inline constexpr auto kList<Proposal> = std::tuple{
    Entry{"uuid", &Proposal::domain, "the domain"},
    Entry{"target_kib", &Proposal::target, "the size that is asked for"},
    Entry{"why", &Proposal::why, "the reason"},
    Entry{"rule", &Proposal::rule, "the rule by which the engine asks, where it asks"},
};

template <>
inline constexpr auto kList<Decision> = std::tuple{
    Entry{"uuid", &Decision::domain, "the domain"},
    Entry{"actual_kib", &Decision::actual, "the balloon's size when it was decided"},
    Entry{"proposed_kib", &Decision::proposed, "the size that was asked for"},
    Entry{"target_kib", &Decision::target, "the size that the guard allows"},
    Entry{"why", &Decision::why, "the policy's reason"},
    Entry{"rules", &Decision::rules, "each rule that limited the target"},
};

template <>
inline constexpr auto kList<SkippedDomain> = std::tuple{
    Entry{"uuid", &SkippedDomain::domain, "the domain"},
    Entry{"rule", &SkippedDomain::rule,
          "the guard's rule; none for excluded and unsuitable domains"},
    Entry{"why", &SkippedDomain::why, "the reason"},
};

template <>
inline constexpr auto kList<DroppedFigure> = std::tuple{
    Entry{"uuid", &DroppedFigure::domain, "the domain"},
    Entry{"figure", &DroppedFigure::figure,
          "its name (`rss`: what libvirt reports of the process)"},
    Entry{"value", &DroppedFigure::value, "KiB, or a count"},
    Entry{"why", &DroppedFigure::why, "why it cannot be true"},
};

template <>
inline constexpr auto kList<Error> = std::tuple{
    Entry{"code", &Error::code, "what kind of error"},
    Entry{"object", &Error::object, "what it concerns"},
    Entry{"message", &Error::message, "what is wrong"},
    Entry{"hint", &Error::hint, "what to do"}.unless_default(),
    Entry{"detail", &Error::detail, "further lines, such as a traceback"}.unless_default(),
};

template <>
inline constexpr auto kList<Outcome> = std::tuple{
    Entry{"uuid", &Outcome::domain, "the domain"},
    Entry{"from_kib", &Outcome::from, "the balloon's size before"},
    Entry{"to_kib", &Outcome::to, "the target that was set"},
    Entry{"kind", &Outcome::kind,
          "`applied`, `dry run`, `vanished`, `skipped` (never sent), `failed`, or `unknown` (sent "
          "and not answered: it may be carried out later)"},
    Entry{"error", &Outcome::error, "why it failed"},
    Entry{"at_s", &Outcome::at, "when, on the clock of `monotonic_s`"},
};

template <>
inline constexpr auto kList<Note> = std::tuple{
    Entry{"severity", &Note::severity, "`info`, `warning` or `error`"},
    Entry{"text", &Note::text, "the message"},
};

// --- the tick ---

template <>
inline constexpr auto kList<Timings> = std::tuple{
    Entry{"sample_s", &Timings::sample, "sampling"},
    Entry{"decide_s", &Timings::decide, "the policy"},
    Entry{"review_s", &Timings::review, "the guard"},
    Entry{"apply_s", &Timings::apply, "moving balloons"},
};

template <>
inline constexpr auto kList<Reserve> = std::tuple{
    Entry{"name", &Reserve::name, "the domain's name"},
    Entry{"uuid", &Reserve::uuid, "its UUID, where the request has one"},
    Entry{"size_kib", &Reserve::size, "its memory and its QEMU's"},
    Entry{"since", &Reserve::since, "when it was asked for, in UTC"},
    Entry{"until_s", &Reserve::until, "when it ends at the latest, on the clock of `monotonic_s`"},
};

/// JSON has a snapshot's fields in the tick's own object.
template <>
inline constexpr auto kList<Snapshot> = std::tuple{
    Entry{"monotonic_s", &Snapshot::taken_at, "when it was taken, on a clock that never goes back"},
    Entry{"time", &Snapshot::wall_time, "when it was taken, in UTC"},
    Entry{"host", &Snapshot::host, "the host's memory"},
    Entry{"domains", &Snapshot::domains, "the active domains, by name"},
    Entry{"reserves", &Snapshot::reserves, "memory held for guests that are about to start"}
        .unless_default()
        .hidden(),
};

template <>
inline constexpr auto kList<Tick> = std::tuple{
    Entry{"tick", &Tick::number, "its number, from 1"},
    Entry{"policy", &Tick::policy, "the policy's name"},
    Entry{"fallback", &Tick::fallback,
          "the name of the fallback policy, if it decided in the policy's place"}
        .unless_default(),
    Entry{"limits", &Tick::limits, "the guard's limits"},
    Entry{"dry_run", &Tick::dry_run, "true where nothing is moved"},
    Entry{
        "restoring", &Tick::restoring,
        "true in the line that `--restore-on-exit` adds at the end. `host` and `domains` are from "
        "before it; `decisions` has one for each domain that had another size (`proposed_kib`: "
        "the size it had at first, `target_kib`: the size it gets), `outcomes` every step. No "
        "policy decided this, so `memcoord replay` skips it"}
        .unless_default(),
    Entry{"dropped", &Tick::dropped, "what guests report but cannot have; `guest` is without it"}
        .unless_default(),
    Entry{"grantable_kib", &Tick::grantable, "what the guard would give before any shrink"},
    Entry{"skipped", &Tick::skipped, "domains that no decision touches"},
    Entry{"proposals", &Tick::proposals,
          "what the policy asks for, and what the engine asks for in its place"},
    Entry{"decisions", &Tick::decisions, "what the guard allows"},
    Entry{"outcomes", &Tick::outcomes,
          "the results of its moves; a large grow takes several steps"},
    Entry{"late_outcomes", &Tick::late_outcomes,
          "the results, learnt before this tick's decisions, of earlier moves whose outcome was "
          "`unknown`"}
        .unless_default(),
    Entry{"notes", &Tick::notes, "what the operator should know"},
    Entry{"sample_error", &Tick::sample_error, "why there is no snapshot"},
    Entry{"policy_error", &Tick::policy_error, "why there are no proposals"},
    Entry{"timings", &Tick::timings, "how long each part took"},
};

}  // namespace fields
}  // namespace memcoord
