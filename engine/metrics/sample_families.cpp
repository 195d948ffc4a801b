// The families of the newest sample: the host's and the domains'.

#include <fmt/format.h>

#include <array>
#include <cmath>

#include "engine/metrics/families.h"

namespace memcoord::metrics {
namespace {

// --- the host ---

/// `figure` is a function of the sample that returns a size, or an optional one.
template <auto kFigure>
void fill_host(const Scrape& scrape, Family& family) {
  const std::optional<MemorySize> size = kFigure(*scrape.state.sample);
  if (size) family.samples.push_back({{}, bytes_of(*size)});
}

using Sampled = const SampleFigures&;

void fill_headroom(const Scrape& scrape, Family& family) {
  const HostHeadroom& headroom = scrape.state.sample->headroom;
  const auto add = [&](std::string within, MemorySize size) {
    family.samples.push_back({{{"within", std::move(within)}}, bytes_of(size)});
  };
  add("0", headroom.grantable);
  for (std::size_t i = 0; i < HostHeadroom::kTimes.size(); ++i) {
    add(std::to_string(HostHeadroom::kTimes.at(i).count()), headroom.within.at(i));
  }
  add("all", headroom.in_all());
}

constexpr std::array kHostFamilies{
    FamilyDescription{"memcoord_host_memory_bytes", kGauge, "", "The host's memory.",
                      fill_host<[](Sampled figures) { return figures.host.total; }>},
    FamilyDescription{"memcoord_host_free_bytes", kGauge, "",
                      "The host's free memory, page cache not counted.",
                      fill_host<[](Sampled figures) { return figures.host.free; }>},
    FamilyDescription{"memcoord_host_available_bytes", kGauge, "",
                      "The memory that the host can allocate without swapping.",
                      fill_host<[](Sampled figures) { return figures.host.available; }>},
    FamilyDescription{"memcoord_host_budget_bytes", kGauge, "",
                      "What all guests may have together (--host-memory). Absent without it.",
                      fill_host<[](Sampled figures) { return figures.limits.host_memory; }>},
    FamilyDescription{"memcoord_host_floor_bytes", kGauge, "",
                      "The memory that the host keeps (--host-floor).",
                      fill_host<[](Sampled figures) { return figures.limits.host_floor; }>},
    FamilyDescription{"memcoord_host_headroom_bytes", kGauge, "",
                      "The memory that the host can spare, by --headroom, or what is left of the "
                      "budget where that is less.",
                      fill_host<[](Sampled figures) { return figures.account.headroom; }>},
    FamilyDescription{"memcoord_host_swap_free_bytes", kGauge, "", "The host's free swap space.",
                      fill_host<[](Sampled figures) { return figures.host.swap_free; }>},
    FamilyDescription{"memcoord_host_committed_bytes", kGauge, "",
                      "The memory that the domains may touch without asking: their sizes, grows in "
                      "flight, and the memory of QEMU itself.",
                      fill_host<[](Sampled figures) { return figures.account.committed; }>},
    FamilyDescription{"memcoord_host_unbacked_bytes", kGauge, "",
                      "The part of the committed memory that is not resident yet.",
                      fill_host<[](Sampled figures) { return figures.account.unbacked; }>},
    FamilyDescription{"memcoord_host_grantable_bytes", kGauge, "",
                      "The memory that the guard would give to grows, before any shrink.",
                      fill_host<[](Sampled figures) { return figures.grantable; }>},
    FamilyDescription{"memcoord_host_shortfall_bytes", kGauge, "",
                      "The memory that must be released before the host can grant anything.",
                      fill_host<[](Sampled figures) { return figures.account.shortfall; }>},
    FamilyDescription{"memcoord_host_reclaimable_bytes", kGauge, "",
                      "The memory that shrinks may take from all domains together in a tick.",
                      fill_host<[](Sampled figures) { return figures.account.reclaimable; }>},
    FamilyDescription{"memcoord_host_reserved_bytes", kGauge, "",
                      "The memory that the host holds for guests that are about to start.",
                      fill_host<[](Sampled figures) { return figures.account.reserved; }>},
    FamilyDescription{
        "memcoord_headroom_bytes", kGauge, "within",
        "What the host can promise to guests that are to start: now (0), within 1, 10 and 60 s, "
        "and after all that shrinks may take (all).",
        fill_headroom},
    FamilyDescription{
        "memcoord_host_state", kGauge, "state",
        "1 for the state of the host, 0 for the two others. short: it has too little memory for a "
        "domain that is short of memory, it is under its floor, or guests cannot release the "
        "shortfall (64 MiB of it do not count). tight: it limits a grow, has a shortfall of over "
        "64 MiB, or has less than 5 % of its memory (or budget) at hand. fine: otherwise.",
        [](const Scrape& scrape, Family& family) {
          std::array<std::uint64_t, observers::kHostStateCount> states{};
          states.at(static_cast<std::size_t>(scrape.state.sample->host_state)) = 1;
          add_each<observers::HostState>(family, "state", states);
        }},
    FamilyDescription{"memcoord_domains", kGauge, "state", "Active domains by state.",
                      [](const Scrape& scrape, Family& family) {
                        add_each<DomainState>(family, "state", scrape.state.sample->states);
                      }},
    FamilyDescription{
        "memcoord_domains_skipped", kGauge, "rule",
        "Domains that no decision may touch: running_only (they do not run), fresh_stats (no fresh "
        "report of the guest), paused (by an operator), excluded (by settings, options or their "
        "kind).",
        [](const Scrape& scrape, Family& family) {
          add_each<SkipReason>(family, "rule", scrape.state.sample->skipped);
        }},
};

// --- the domains ---

/// `figure` is a function of a domain's figures that returns an optional number.
template <auto kFigure>
void fill_domains(const Scrape& scrape, Family& family) {
  const auto& domains = scrape.state.sample->domains;
  family.samples.reserve(domains.size());
  for (std::size_t i = 0; i < domains.size(); ++i) {
    const std::optional<double> value = kFigure(domains[i]);
    if (value) family.samples.push_back({{{"domain", scrape.domain_labels[i]}}, *value});
  }
}

std::optional<double> bytes_in(const std::optional<MemorySize>& size) {
  return size ? std::optional(bytes_of(*size)) : std::nullopt;
}

using OneDomain = const DomainFigures&;
/// A size of a domain that answers.
template <auto kMember>
std::optional<double> size_in(OneDomain domain) {
  return domain.hung ? std::nullopt : bytes_in(domain.*kMember);
}
/// A size from the guest's report.
template <auto kMember>
std::optional<double> reported_size(OneDomain domain) {
  return domain.hung ? std::nullopt : bytes_in(domain.guest.*kMember);
}

std::optional<double> faults_in(OneDomain domain) {
  if (domain.hung || !domain.guest.major_faults) return std::nullopt;
  return static_cast<double>(*domain.guest.major_faults);
}

std::optional<double> report_time(OneDomain domain) {
  if (!domain.expects_report) return std::nullopt;
  return domain.reported_at ? seconds_of(domain.reported_at->time_since_epoch()) : 0;
}

void fill_domain_info(const Scrape& scrape, Family& family) {
  const auto& domains = scrape.state.sample->domains;
  family.samples.reserve(domains.size());
  for (std::size_t i = 0; i < domains.size(); ++i) {
    const DomainIdentity& identity = *domains[i].identity;
    family.samples.push_back({{{"domain", scrape.domain_labels[i]},
                               {"uuid", identity.uuid.text()},
                               {"weight", fmt::format("{}", identity.settings.weight)},
                               {"priority", std::to_string(identity.settings.priority)}},
                              1});
  }
}

constexpr std::array kDomainFamilies{
    FamilyDescription{"memcoord_domain_actual_bytes", kGauge, "domain",
                      "The size of the domain: its maximum less its balloon.",
                      fill_domains<size_in<&DomainFigures::actual>>},
    FamilyDescription{"memcoord_domain_maximum_bytes", kGauge, "domain",
                      "The largest size that the domain can have.",
                      fill_domains<size_in<&DomainFigures::maximum>>},
    FamilyDescription{"memcoord_domain_target_bytes", kGauge, "domain",
                      "The size that memcoord decided on last, since the domain was started.",
                      fill_domains<size_in<&DomainFigures::target>>},
    FamilyDescription{"memcoord_domain_rss_bytes", kGauge, "domain",
                      "The host memory that the QEMU process of the domain holds.",
                      fill_domains<size_in<&DomainFigures::rss>>},
    FamilyDescription{"memcoord_domain_unused_bytes", kGauge, "domain",
                      "The free memory of the guest, its page cache not counted.",
                      fill_domains<reported_size<&GuestStatistics::unused>>},
    FamilyDescription{"memcoord_domain_usable_bytes", kGauge, "domain",
                      "The memory that the guest can allocate without swapping.",
                      fill_domains<reported_size<&GuestStatistics::usable>>},
    FamilyDescription{"memcoord_domain_headroom_bytes", kGauge, "domain",
                      "The memory that the guest can spare, by --headroom.",
                      fill_domains<size_in<&DomainFigures::headroom>>},
    FamilyDescription{"memcoord_domain_swap_in_bytes_total", kCounter, "domain",
                      "What the guest has read from its swap space since it booted.",
                      fill_domains<reported_size<&GuestStatistics::swap_in>>},
    FamilyDescription{"memcoord_domain_swap_out_bytes_total", kCounter, "domain",
                      "What the guest has written to its swap space since it booted.",
                      fill_domains<reported_size<&GuestStatistics::swap_out>>},
    FamilyDescription{"memcoord_domain_major_faults_total", kCounter, "domain",
                      "Page faults of the guest that read from a disk, since it booted.",
                      fill_domains<faults_in>},
    FamilyDescription{"memcoord_domain_report_timestamp_seconds", kGauge, "domain",
                      "When the guest reported last, in Unix time; 0 if memcoord knows no report. "
                      "Left out if the "
                      "domain is excluded or does not run.",
                      fill_domains<report_time>},
    FamilyDescription{
        "memcoord_domain_skipped", kGauge, "domain", "1 if no decision may touch the domain.",
        fill_domains<[](OneDomain domain) { return std::optional(domain.skipped ? 1.0 : 0.0); }>},
    FamilyDescription{"memcoord_domain_info", FamilyType::info, "domain, uuid, weight, priority",
                      "The domain's UUID, weight and priority.", fill_domain_info},
};

}  // namespace

std::span<const FamilyDescription> host_families() {
  return kHostFamilies;
}
std::span<const FamilyDescription> domain_families() {
  return kDomainFamilies;
}

}  // namespace memcoord::metrics
