#pragma once
// Metric families: pure functions of a MetricState.

#include <algorithm>
#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/metrics/metric_state.h"

namespace memcoord::metrics {

/// An `info` has the value 1; its labels are its content.
enum class FamilyType { gauge, counter, histogram, info };

struct Label {
  std::string_view name;
  std::string value;  ///< well-formed UTF-8
};
struct Sample {
  std::vector<Label> labels;
  double value = 0;  ///< finite
};
struct HistogramSample {
  struct Bucket {
    double bound = 0;             ///< upper, inclusive
    std::uint64_t up_to_now = 0;  ///< in this bucket and all before it
  };
  std::vector<Label> labels;
  std::vector<Bucket> buckets;  ///< without the last one, which has no bound
  std::uint64_t count = 0;
  double sum = 0;
};

/// All samples of one name.
struct Family {
  std::string_view name;  ///< in Prometheus text: "memcoord_ticks_total", "memcoord_build_info"
  std::string_view help;
  FamilyType type = FamilyType::gauge;
  std::vector<Sample> samples = {};
  std::vector<HistogramSample> histograms = {};  ///< in place of `samples`
};

/// What families are made from.
struct Scrape {
  const MetricState& state;
  /// Of state.sample->domains, by position. Only domain_families() need them.
  std::vector<std::string> domain_labels = {};
};

/// The values of the label `domain`: the names, printable and each only once. A name that is empty,
/// was changed to be printable, or is there already gets the domain's UUID.
std::vector<std::string> domain_labels_of(std::span<const DomainFigures> domains);

inline constexpr FamilyType kGauge = FamilyType::gauge;
inline constexpr FamilyType kCounter = FamilyType::counter;

/// How to make one family.
struct FamilyDescription {
  std::string_view name;
  FamilyType type = FamilyType::gauge;
  std::string_view labels;  ///< their names: "direction, outcome"
  std::string_view help;    ///< ASCII without quotes, backslashes and line ends
  void (*fill)(const Scrape& scrape, Family& family) = nullptr;
};

// The parts of families.

double bytes_of(MemorySize size);

/// The value's text as a label's value: "dry_run".
template <class Enum>
std::string label_text(Enum value) {
  std::string text(to_text(value));
  std::replace(text.begin(), text.end(), ' ', '_');
  return text;
}

/// Adds a sample for each value of an enum. The values are the places of `counts`.
template <class Enum, std::size_t kCount>
void add_each(Family& family, std::string_view label,
              const std::array<std::uint64_t, kCount>& counts) {
  for (std::size_t i = 0; i < kCount; ++i) {
    family.samples.push_back(
        {{{label, label_text(static_cast<Enum>(i))}}, static_cast<double>(counts.at(i))});
  }
}

std::span<const FamilyDescription> run_families();
/// These and domain_families() can be made only of a state with a sample.
std::span<const FamilyDescription> host_families();
std::span<const FamilyDescription> domain_families();

Family make_family(const FamilyDescription& description, const Scrape& scrape);

}  // namespace memcoord::metrics
