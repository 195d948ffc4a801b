#include "engine/fleet/host_figures.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <utility>
#include <vector>

#include "engine/core/printable.h"
#include "engine/fleet/metrics_text.h"
#include "engine/observers/amounts.h"

namespace memcoord::fleet {
namespace {

constexpr auto kBadFigures = ErrorCode::invalid_input;
constexpr std::string_view kVersion = "memcoord_build_info";
/// No host has more.
constexpr double kLargestSize = 0x1p60;
/// Of a text that the host chooses: it must leave the other hosts' rows readable.
constexpr std::size_t kLongestText = 100;

/// The samples of one memcoord.
class Metrics {
 public:
  explicit Metrics(std::vector<MetricSample> samples) : samples_(std::move(samples)) {}

  /// The first sample of a name, with this label if a label is named; null if there is none.
  [[nodiscard]] const MetricSample* find(std::string_view name, const std::string& label = {},
                                         std::string_view value = {}) const {
    const auto found =
        std::find_if(samples_.begin(), samples_.end(), [&](const MetricSample& sample) {
          return sample.name == name && (label.empty() || label_of(sample, label) == value);
        });
    return found == samples_.end() ? nullptr : &*found;
  }
  [[nodiscard]] std::string label(std::string_view name, const std::string& label) const {
    const MetricSample* sample = find(name);
    return sample == nullptr ? "" : label_of(*sample, label);
  }
  [[nodiscard]] bool is_set(std::string_view name) const {
    const MetricSample* sample = find(name);
    return sample != nullptr && sample->value == 1;
  }
  /// The value of the label of the sample that is 1; empty if there is none.
  [[nodiscard]] std::string chosen(std::string_view name, const std::string& label) const {
    for (const MetricSample& sample : samples_) {
      if (sample.name == name && sample.value == 1) return label_of(sample, label);
    }
    return {};
  }
  [[nodiscard]] double sum(std::string_view name) const {
    double sum = 0;
    for (const MetricSample& sample : samples_) {
      if (sample.name == name) sum += sample.value;
    }
    return sum;
  }

 private:
  static std::string label_of(const MetricSample& sample, const std::string& label) {
    const auto found = sample.labels.find(label);
    return found == sample.labels.end() ? "" : found->second;
  }

  std::vector<MetricSample> samples_;
};

tl::unexpected<Error> impossible(std::string_view name) {
  return fail(kBadFigures, "", "gives an impossible figure for " + std::string(name));
}

Result<std::optional<MemorySize>> size_in(const MetricSample* sample) {
  if (sample == nullptr) return std::nullopt;
  if (!(sample->value >= 0) || sample->value > kLargestSize) return impossible(sample->name);
  return MemorySize::from_bytes(static_cast<std::uint64_t>(sample->value));
}

/// Errors: unsupported if there is none.
Result<MemorySize> needed_size_in(const Metrics& metrics, const char* name) {
  const auto size = size_in(metrics.find(name));
  if (!size) return fail(size.error());
  if (*size) return **size;
  return fail(ErrorCode::unsupported, "",
              "is memcoord " + excerpt(metrics.label(kVersion, "version"), kLongestText) +
                  ", which has no " + name);
}

Status read_sizes(const Metrics& metrics, HostFigures& figures) {
  const auto total = needed_size_in(metrics, "memcoord_host_memory_bytes");
  if (!total) return fail(total.error());
  const auto grantable = needed_size_in(metrics, "memcoord_host_grantable_bytes");
  if (!grantable) return fail(grantable.error());
  figures.total = *total;
  figures.grantable = *grantable;
  const auto committed = size_in(metrics.find("memcoord_host_committed_bytes"));
  if (!committed) return fail(committed.error());
  figures.committed = *committed;
  const auto shortfall = size_in(metrics.find("memcoord_host_shortfall_bytes"));
  if (!shortfall) return fail(shortfall.error());
  figures.shortfall = *shortfall;
  const auto headroom = size_in(metrics.find("memcoord_headroom_bytes", "within", "all"));
  if (!headroom) return fail(headroom.error());
  figures.headroom = *headroom;
  const double domains = metrics.sum("memcoord_domains");
  if (!(domains >= 0) || domains > 1e9) return impossible("memcoord_domains");
  figures.domains = static_cast<std::uint64_t>(domains);
  return {};
}

/// Whether ticks still come, by the rule of the alert MemcoordBlind.
Status read_age(const Metrics& metrics, WallTime now, HostFigures& figures) {
  constexpr double kSlack = 30;
  constexpr double kMostSeconds = 1e11;
  const MetricSample* last = metrics.find("memcoord_last_tick_timestamp_seconds");
  const MetricSample* interval = metrics.find("memcoord_interval_seconds");
  if (last == nullptr || interval == nullptr) return {};
  const double now_s = seconds_of(now.time_since_epoch());
  if (!(std::abs(last->value) < kMostSeconds)) return impossible(last->name);
  if (!(interval->value > 0)) return impossible(interval->name);
  const double age = std::max(0.0, now_s - last->value);
  figures.since_tick = std::chrono::duration_cast<Duration>(std::chrono::duration<double>(age));
  if (!(age > kSlack + 3 * interval->value)) return {};
  return fail(ErrorCode::unavailable, "",
              "makes no ticks: the last was " + observers::duration_text(figures.since_tick) +
                  " ago by this machine's clock");
}

}  // namespace

Result<HostFigures> figures_in(std::string_view text, WallTime now) {
  auto samples = parse_metrics(text);
  if (!samples) return fail(kBadFigures, "", "is no memcoord: the response is no metrics");
  const Metrics metrics(*std::move(samples));
  HostFigures figures;
  figures.version = excerpt(metrics.label(kVersion, "version"), kLongestText);
  if (metrics.find(kVersion) == nullptr || metrics.find("memcoord_up") == nullptr) {
    return fail(kBadFigures, "", "is no memcoord: the metrics are of another program");
  }
  figures.policy = excerpt(metrics.label("memcoord_policy_info", "policy"), kLongestText);
  figures.dry_run = metrics.is_set("memcoord_dry_run");
  figures.fallback = metrics.is_set("memcoord_fallback_active");
  figures.host_state = excerpt(metrics.chosen("memcoord_host_state", "state"), kLongestText);
  if (const Status ticking = read_age(metrics, now, figures); !ticking) {
    return fail(ticking.error());
  }
  if (!metrics.is_set("memcoord_up")) {
    return fail(ErrorCode::unavailable, "", "cannot sample its host");
  }
  if (const Status read = read_sizes(metrics, figures); !read) return fail(read.error());
  return figures;
}

std::string state_text(const HostFigures& figures) {
  std::string text = figures.host_state.empty() ? "?" : figures.host_state;
  if (figures.dry_run) text += ", dry run";
  if (figures.fallback) text += ", fallback";
  return text;
}

std::string shortage_text(const HostFigures& figures, Units units) {
  if (figures.host_state != "short") return {};
  const MemorySize shortfall = figures.shortfall.value_or(MemorySize());
  if (!shortfall.is_zero()) {
    return "its guests must release " + shortfall.text(units) + " before it can grant memory";
  }
  const std::string grantable =
      figures.grantable.is_zero() ? "nothing" : figures.grantable.text(units);
  return "guests are short of memory, and it has " + grantable + " to grant";
}

HostFit fit_on(const HostFigures& figures, MemorySize maximum) {
  HostHeadroom room;
  room.grantable = figures.grantable;
  if (figures.headroom && !figures.dry_run) room.reclaimable = *figures.headroom - room.grantable;
  const Fit fit = fit_of({&maximum, 1}, room);
  const bool now = fit.kind == Fit::Kind::now;
  return {fit.kind, (now ? room.grantable : room.in_all()) - fit.needed};
}

}  // namespace memcoord::fleet
