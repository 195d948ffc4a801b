// The families of the run; what makes families of descriptions.

#include "engine/metrics/families.h"

#include <array>
#include <unordered_set>
#include <utility>

#include "engine/core/printable.h"

namespace memcoord::metrics {
namespace {

double number(std::uint64_t count) {
  return static_cast<double>(count);
}

void add(Family& family, double value) {
  family.samples.push_back({{}, value});
}

void fill_build(const Scrape& scrape, Family& family) {
  family.samples.push_back({{{"version", scrape.state.version}}, 1});
}

void fill_policy(const Scrape& scrape, Family& family) {
  if (!scrape.state.last_tick) return;
  family.samples.push_back({{{"policy", printable(scrape.state.policy, 200)}}, 1});
}

void fill_stages(const Scrape& scrape, Family& family) {
  const auto& stages = scrape.state.counters.stages;
  for (std::size_t i = 0; i < stages.size(); ++i) {
    const StageTimes& times = stages.at(i);
    HistogramSample& sample = family.histograms.emplace_back();
    sample.labels = {{"stage", label_text(static_cast<Stage>(i))}};
    for (std::size_t bucket = 0; bucket < StageTimes::kBounds.size(); ++bucket) {
      sample.count += times.counts.at(bucket);
      sample.buckets.push_back({seconds_of(StageTimes::kBounds.at(bucket)), sample.count});
    }
    sample.count += times.counts.back();
    sample.sum = seconds_of(times.sum);
  }
}

void fill_moves(const Scrape& scrape, Family& family) {
  const auto& moves = scrape.state.counters.moves;
  for (std::size_t i = 0; i < moves.size(); ++i) {
    const std::string direction = label_text(static_cast<Direction>(i));
    for (std::size_t kind = 0; kind < kOutcomeCount; ++kind) {
      family.samples.push_back(
          {{{"direction", direction}, {"outcome", label_text(static_cast<Outcome::Kind>(kind))}},
           number(moves.at(i).at(kind))});
    }
  }
}

void fill_moved(const Scrape& scrape, Family& family) {
  const auto& moved = scrape.state.counters.moved;
  for (std::size_t i = 0; i < moved.size(); ++i) {
    family.samples.push_back(
        {{{"direction", label_text(static_cast<Direction>(i))}}, bytes_of(moved.at(i))});
  }
}

constexpr std::array kRunFamilies{
    FamilyDescription{"memcoord_build_info", FamilyType::info, "version",
                      "The version of memcoord.", fill_build},
    FamilyDescription{"memcoord_policy_info", FamilyType::info, "policy",
                      "The policy of the last tick. A fallback policy may decide in its place: see "
                      "memcoord_fallback_active.",
                      fill_policy},
    FamilyDescription{
        "memcoord_up", kGauge, "",
        "1 if the last tick sampled the host. While it is 0, the figures of the host and of "
        "domains are left out.",
        [](const Scrape& scrape, Family& family) { add(family, scrape.state.sample ? 1 : 0); }},
    FamilyDescription{
        "memcoord_ready", kGauge, "",
        "1 from the first tick on that sampled the host and got an answer from the policy.",
        [](const Scrape& scrape, Family& family) { add(family, scrape.state.ready ? 1 : 0); }},
    FamilyDescription{"memcoord_dry_run", kGauge, "",
                      "1 if memcoord decides and reports, but moves no memory.",
                      [](const Scrape& scrape, Family& family) {
                        if (scrape.state.last_tick) add(family, scrape.state.dry_run ? 1 : 0);
                      }},
    FamilyDescription{
        "memcoord_fallback_active", kGauge, "",
        "1 if the fallback policy decided in the last tick, because the policy fails.",
        [](const Scrape& scrape, Family& family) {
          if (!scrape.state.last_tick) return;
          add(family, scrape.state.fallback_active ? 1 : 0);
        }},
    FamilyDescription{"memcoord_last_tick_timestamp_seconds", kGauge, "",
                      "When the last tick ended, whether it worked or not, in Unix time.",
                      [](const Scrape& scrape, Family& family) {
                        if (!scrape.state.last_tick) return;
                        add(family, seconds_of(scrape.state.last_tick->time_since_epoch()));
                      }},
    FamilyDescription{"memcoord_interval_seconds", kGauge, "",
                      "The time from tick to tick, early ticks aside.",
                      [](const Scrape& scrape, Family& family) {
                        add(family, seconds_of(scrape.state.interval));
                      }},
    FamilyDescription{
        "memcoord_ticks_total", kCounter, "result",
        "Ticks by result: ok, sample_error (the host gave no sample) or policy_error.",
        [](const Scrape& scrape, Family& family) {
          add_each<TickResult>(family, "result", scrape.state.counters.ticks);
        }},
    FamilyDescription{"memcoord_ticks_skipped_total", kCounter, "",
                      "Ticks left out because an earlier tick took longer than the interval.",
                      [](const Scrape& scrape, Family& family) {
                        add(family, number(scrape.state.counters.skipped_ticks));
                      }},
    FamilyDescription{"memcoord_ticks_early_total", kCounter, "",
                      "Ticks that came before the interval had passed, because memory was short "
                      "or the policy asked for it.",
                      [](const Scrape& scrape, Family& family) {
                        add(family, number(scrape.state.counters.early_ticks));
                      }},
    FamilyDescription{
        "memcoord_tick_stage_duration_seconds", FamilyType::histogram, "stage",
        "How long each stage of a tick took: sample, decide (the policy), review (the "
        "guard), apply (the moves).",
        fill_stages},
    FamilyDescription{
        "memcoord_policy_reloads_total", kCounter, "result",
        "Requests to load the policy again, by result. After one that failed, the "
        "old policy stays.",
        [](const Scrape& scrape, Family& family) {
          const Counters& counters = scrape.state.counters;
          family.samples.push_back({{{"result", "ok"}}, number(counters.reloads)});
          family.samples.push_back({{{"result", "failed"}}, number(counters.failed_reloads)});
        }},
    FamilyDescription{"memcoord_journal_lost_ticks_total", kCounter, "",
                      "Ticks that could not be written to the journal.",
                      [](const Scrape& scrape, Family& family) {
                        add(family, number(scrape.state.counters.journal_lost_ticks));
                      }},
    FamilyDescription{"memcoord_guard_interventions_total", kCounter, "rule",
                      "How often each rule of the guard limited or refused a proposal.",
                      [](const Scrape& scrape, Family& family) {
                        add_each<Rule>(family, "rule", scrape.state.counters.interventions);
                      }},
    FamilyDescription{"memcoord_proposals_total", kCounter, "direction",
                      "Proposals to grow or to shrink a domain, before the guard limits them.",
                      [](const Scrape& scrape, Family& family) {
                        add_each<Direction>(family, "direction", scrape.state.counters.proposals);
                      }},
    FamilyDescription{"memcoord_moves_total", kCounter, "direction, outcome",
                      "Moves of balloons by outcome. A move whose answer comes late counts as "
                      "unknown first, and then again by its outcome.",
                      fill_moves},
    FamilyDescription{"memcoord_moved_bytes_total", kCounter, "direction",
                      "Memory by which applied moves changed targets.", fill_moved},
    FamilyDescription{
        "memcoord_connections", kGauge, "state",
        "Connections to libvirt: open, or abandoned because a hung guest holds them. 0 on a "
        "simulated host.",
        [](const Scrape& scrape, Family& family) {
          const Connections& connections = scrape.state.connections;
          family.samples.push_back({{{"state", "open"}}, number(connections.open)});
          family.samples.push_back({{{"state", "abandoned"}}, number(connections.abandoned)});
        }},
};

}  // namespace

double bytes_of(MemorySize size) {
  return static_cast<double>(size.kib()) * 1024;
}

std::span<const FamilyDescription> run_families() {
  return kRunFamilies;
}

std::vector<std::string> domain_labels_of(std::span<const DomainFigures> domains) {
  constexpr std::size_t kLongest = 200;
  std::vector<std::string> labels;
  labels.reserve(domains.size());
  std::unordered_set<std::string_view> used;
  for (const DomainFigures& domain : domains) {
    std::string label = printable(domain.identity->name, kLongest);
    if (label.empty() || label != domain.identity->name || used.contains(label)) {
      label += (label.empty() ? "" : " ") + domain.identity->uuid.text();
    }
    // Strings do not move any more: there is room for all of them.
    used.insert(labels.emplace_back(std::move(label)));
  }
  return labels;
}

Family make_family(const FamilyDescription& description, const Scrape& scrape) {
  Family family{description.name, description.help, description.type};
  description.fill(scrape, family);
  return family;
}

}  // namespace memcoord::metrics
