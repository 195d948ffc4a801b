// The descriptions of all families.

#include "engine/metrics/families.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "tests/text.h"
#include "tests/unit/generated_text.h"
#include "tests/unit/metrics/metrics_text.h"

using namespace memcoord;
using namespace memcoord::test;
using metrics::Family;
using metrics::FamilyDescription;
using metrics::FamilyType;

namespace {

std::vector<FamilyDescription> all_families() {
  std::vector<FamilyDescription> all;
  for (const auto& some :
       {metrics::run_families(), metrics::host_families(), metrics::domain_families()}) {
    all.insert(all.end(), some.begin(), some.end());
  }
  return all;
}

std::string type_name(FamilyType type) {
  if (type == FamilyType::counter) return "counter";
  if (type == FamilyType::histogram) return "histogram";
  return type == FamilyType::info ? "info" : "gauge";
}

/// A run in which every family has a sample.
Tick full_tick() {
  Tick tick =
      tick_of(World()
                  .host(8_GiB, free(2_GiB), available(3_GiB), swap_free(1_GiB))
                  .domain("a", rss(1_GiB), unused(1_GiB), usable(2_GiB), swapped(1_MiB, 1_MiB)));
  tick.snapshot.domains[0].guest.major_faults = 1;
  tick.limits.host_memory = 6_GiB;
  tick.decisions = {{id("a"), 1_GiB, 1_GiB, 1_GiB, "", {}}};
  return tick;
}

std::string label_names(const std::vector<metrics::Label>& labels) {
  std::string names;
  for (const metrics::Label& label : labels) {
    names += (names.empty() ? "" : ", ") + std::string(label.name);
  }
  return names;
}

}  // namespace

TEST_CASE("every sample of a family has the labels that the family is described with") {
  const MetricsAfter run{full_tick()};
  const metrics::MetricState state = run.metrics.state();
  const metrics::Scrape scrape{state, metrics::domain_labels_of(state.sample->domains)};
  for (const FamilyDescription& description : all_families()) {
    CAPTURE(description.name);
    const Family family = metrics::make_family(description, scrape);
    CHECK((family.samples.empty() != family.histograms.empty()));
    for (const auto& sample : family.samples)
      CHECK(label_names(sample.labels) == description.labels);
    for (const auto& one : family.histograms) CHECK(label_names(one.labels) == description.labels);
  }
}

TEST_CASE("a family's help is a sentence without characters that the formats escape") {
  for (const FamilyDescription& family : all_families()) {
    CAPTURE(family.name);
    CHECK(family.help.ends_with("."));
    CHECK(family.help.find_first_of("\\\"\n|") == std::string_view::npos);
    for (const char c : family.help) CHECK((c >= ' ' && c <= '~'));
  }
}

TEST_CASE("docs/administration.md describes every family of metrics") {
  std::string rows;
  for (const FamilyDescription& family : all_families()) {
    rows += "| `" + std::string(family.name) + "` | " + type_name(family.type) + " | " +
            std::string(family.labels) + (family.labels.empty() ? "| " : " | ") +
            std::string(family.help) + " |\n";
  }
  std::string text = source_text("docs/administration.md");
  const std::string title =
      "<!-- The table of metrics begins here -->\n\n| metric | type | labels | meaning |\n"
      "| --- | --- | --- | --- |\n";
  const std::size_t start = text.find(title);
  const std::size_t end = text.find("\n<!-- The table of metrics ends here -->\n");
  REQUIRE(start != std::string::npos);
  REQUIRE(end != std::string::npos);
  text.replace(start, end - start, title + rows);
  check_source_text("docs/administration.md", text);
}
