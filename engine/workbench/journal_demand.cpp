#include "engine/workbench/journal_demand.h"

#include <fmt/format.h>

#include <algorithm>
#include <unordered_map>
#include <utility>

#include "engine/observers/amounts.h"
#include "engine/observers/shortage.h"
#include "engine/workbench/clairvoyant.h"
#include "engine/workbench/journal_time.h"
#include "engine/workbench/recorded_column.h"

namespace memcoord::workbench {
namespace {

/// Ten hours of kFineStep.
constexpr std::size_t kMostFineRows = 36'000;
/// A use of 0 means that the domain does not run.
constexpr MemorySize kLeastUse = MemorySize::from_kib(1);

bool runs_now(const Domain& domain) {
  return domain.state != DomainState::shut_off && domain.state != DomainState::crashed;
}

/// What the domain's process holds.
MemorySize resident_of(const Domain& domain) {
  return domain.rss.value_or(domain.actual);
}

/// What a domain is short of, if its guest's figures do not show all that it needs: the guest has
/// no usable memory left, and has never swapped. Zero for every other domain.
MemorySize hidden_shortage(const Tick& tick, const Domain& domain, const GuestNeed& need) {
  const auto& usable = domain.guest.usable ? domain.guest.usable : domain.guest.unused;
  if (!usable || *usable > Limits::kUsableFloor || need.has_swap()) return {};
  const auto headroom = headroom_of(domain, tick.limits.headroom);
  if (!headroom || !observers::guest_runs(domain)) return {};
  return tick.limits.domain_floor - *headroom;
}

/// Whether two totals may be the same host's: a new kernel keeps a little more or less for itself.
bool same_host(MemorySize one, MemorySize other) {
  const auto [least, most] = std::minmax(one, other);
  return most - least <= most / 20;
}

}  // namespace

MemorySize RecordedHost::largest_own_use() const {
  if (own_use.empty()) return {};
  MemorySize qemu;
  for (const RecordedDomain& domain : domains) qemu += domain.qemu.value_or(kUsualQemu);
  if (!domains.empty()) qemu = qemu * at_once / domains.size();
  return *std::max_element(own_use.begin(), own_use.end()) + qemu;
}

struct DemandRecorder::State {
  State(std::optional<std::chrono::seconds> wanted, TraceBounds most)
      : bounds(most),
        fixed_step(wanted.has_value()),
        step(wanted.value_or(kFineStep)),
        time(step) {}

  Status take(const Tick& tick);
  Result<Recording> finish();

  Status begin_row(Duration at);
  void coarsen();
  void take_host(const Host& host, MemorySize resident);
  RecordedColumn& column_of(const Domain& domain, std::size_t position);
  MemorySize take_domain(const Tick& tick, Duration at, std::size_t position);
  void note_presence(RecordedColumn& column, const Domain& domain);
  static void take_overhead(RecordedColumn& column, const Domain& domain, Duration at);
  void drop_fixed();
  Status check() const;

  TraceBounds bounds;
  bool fixed_step;
  std::chrono::seconds step;
  JournalTime time;
  std::vector<std::chrono::seconds> times;
  std::vector<MemorySize> own_use;
  std::vector<RecordedColumn> columns;  ///< in the order in which they were first observed
  std::unordered_map<Uuid, std::size_t> by_uuid;
  std::vector<std::size_t> by_position;  ///< the column of the domain at a place of the snapshot
  std::optional<MemorySize> total;
  Limits limits;
  std::size_t samples = 0;
  std::size_t at_once = 0;
  std::size_t running = 0;  ///< in the tick before
  std::size_t still_running = 0;
  std::size_t starts = 0;
  std::size_t stops = 0;
  std::vector<std::string> fixed;  ///< domains that no balloon served
};

/// Begins the row of this time, unless it has begun.
Status DemandRecorder::State::begin_row(Duration at) {
  const auto row_at = [&] {
    return std::chrono::duration_cast<std::chrono::seconds>(at) / step * step;
  };
  if (!times.empty() && times.back() >= row_at()) return {};
  if (!fixed_step && step == kFineStep && times.size() >= kMostFineRows) {
    coarsen();
    if (times.back() >= row_at()) return {};
  }
  if ((times.size() + 1) * std::max<std::size_t>(columns.size(), 1) > bounds.values) {
    return fail(ErrorCode::limit_exceeded, "",
                fmt::format("more than {} values: {} domains in {} rows", bounds.values,
                            columns.size(), times.size()),
                "give rows a larger distance: --step 1m");
  }
  times.push_back(row_at());
  own_use.emplace_back();
  return {};
}

/// Merges the rows into rows of kCoarseStep.
void DemandRecorder::State::coarsen() {
  step = kCoarseStep;
  std::vector<std::size_t> row_of;
  std::vector<std::chrono::seconds> merged;
  for (const std::chrono::seconds at : times) {
    const std::chrono::seconds begin = at / step * step;
    if (merged.empty() || merged.back() != begin) merged.push_back(begin);
    row_of.push_back(merged.size() - 1);
  }
  const auto merge = [&](std::vector<MemorySize>& values) {
    std::vector<MemorySize> largest(values.empty() ? 0 : row_of[values.size() - 1] + 1);
    for (std::size_t i = 0; i < values.size(); ++i) {
      largest[row_of[i]] = std::max(largest[row_of[i]], values[i]);
    }
    values = std::move(largest);
  };
  merge(own_use);
  for (RecordedColumn& column : columns) merge(column.trace.used);
  times = std::move(merged);
}

RecordedColumn& DemandRecorder::State::column_of(const Domain& domain, std::size_t position) {
  if (position < by_position.size()) {
    RecordedColumn& likely = columns[by_position[position]];
    if (likely.uuid == domain.uuid()) return likely;
  }
  const auto [found, is_new] = by_uuid.emplace(domain.uuid(), columns.size());
  if (is_new) {
    RecordedColumn column;
    column.uuid = domain.uuid();
    column.first_name = domain.name();
    column.first_maximum = domain.maximum;
    column.id = domain.id;
    column.last_observed = samples;
    column.recorded.initial = domain.actual;
    column.recorded.resident = resident_of(domain);
    if (samples > 0) ++starts;
    columns.push_back(std::move(column));
  }
  if (position >= by_position.size()) by_position.resize(position + 1);
  return columns[by_position[position] = found->second];
}

void DemandRecorder::State::note_presence(RecordedColumn& column, const Domain& domain) {
  const bool restarted = column.id != domain.id;
  if (column.last_observed + 1 == samples) {
    ++still_running;
    if (restarted) ++starts, ++stops;
  } else if (column.last_observed != samples) {
    ++starts;
  }
  column.id = domain.id;
  column.last_observed = samples;
}

void DemandRecorder::State::take_overhead(RecordedColumn& column, const Domain& domain,
                                          Duration at) {
  const bool steady = domain.actual == column.actual;
  RecordedDomain& recorded = column.recorded;
  if (steady && domain.rss > domain.actual) {
    const MemorySize own = *domain.rss - domain.actual;
    recorded.qemu = std::max(recorded.qemu.value_or(MemorySize()), own);
  }
  if (!steady) column.stamp = domain.guest.last_update;
  column.overhead.learn(domain, {steady, steady && domain.guest.last_update != column.stamp});
  column.actual = domain.actual;
  const auto& estimated = column.overhead.estimated();
  auto& beyond = recorded.beyond_use;
  if (estimated && (beyond.empty() || beyond.back().size != *estimated)) {
    beyond.push_back({at, *estimated});
  }
}

/// Returns what the domain's process holds.
MemorySize DemandRecorder::State::take_domain(const Tick& tick, Duration at, std::size_t position) {
  const Domain& domain = tick.snapshot.domains[position];
  RecordedColumn& column = column_of(domain, position);
  note_presence(column, domain);
  if (column.trace.name != domain.name()) column.trace.name = domain.name();
  if (domain.maximum < column.trace.provisioned) column.maximum_fell = true;
  column.trace.provisioned = std::max(column.trace.provisioned, domain.maximum);
  const MemorySize resident = resident_of(domain);
  column.resident = std::max(column.resident, resident);
  take_overhead(column, domain, at);
  column.movable =
      column.movable || (domain.identity->unsuitable.empty() && !domain.settings().exclude);
  MemorySize need = column.need.observe(domain, time.since_last());
  const MemorySize hidden = hidden_shortage(tick, domain, column.need);
  // One tick of it is a rise that memory follows.
  need = std::min(need + std::min(hidden, column.hidden), domain.maximum);
  column.hidden = hidden;
  auto& used = column.trace.used;
  used.resize(times.size());
  used.back() = std::max({used.back(), need, kLeastUse});
  if (!column.recorded.has_reported) column.recorded.has_reported = column.need.has_reported();
  column.recorded.free_page_reporting = domain.free_page_reporting;
  if (!(column.recorded.settings == domain.settings())) {
    column.recorded.settings = domain.settings();
  }
  return resident;
}

void DemandRecorder::State::take_host(const Host& host, MemorySize resident) {
  total = std::max(total.value_or(MemorySize()), host.total);
  own_use.back() = std::max(own_use.back(), host.total - obtainable(host) - resident);
}

Status DemandRecorder::State::take(const Tick& tick) {
  if (tick.restoring) return {};
  const auto at = time.place(tick);
  if (!at) return fail(at.error());
  if (tick.sample_error) return {};
  const Snapshot& snapshot = tick.snapshot;
  const bool all_unknown =
      std::none_of(snapshot.domains.begin(), snapshot.domains.end(),
                   [&](const Domain& one) { return by_uuid.count(one.uuid()) > 0; });
  const bool other_domains = time.went_back() && all_unknown && !columns.empty();
  const bool other_size = total && !same_host(*total, snapshot.host.total);
  if (other_size || other_domains) {
    const std::string difference =
        other_size ? fmt::format("of {} and {}", total->text(), snapshot.host.total.text())
                   : "whose domains are others at the same time";
    return fail(ErrorCode::invalid_input, "", "the ticks are of two hosts, " + difference,
                "name the journals of one host at a time");
  }
  if (Status row = begin_row(*at); !row) return row;
  limits = tick.limits;
  still_running = 0;
  MemorySize resident;
  std::size_t present = 0;
  for (std::size_t i = 0; i < snapshot.domains.size(); ++i) {
    if (!runs_now(snapshot.domains[i])) continue;
    resident += take_domain(tick, *at, i);
    ++present;
  }
  if (columns.size() > bounds.columns) return fail(too_many_domains(bounds.columns));
  if (samples > 0) stops += running - still_running;
  running = present;
  at_once = std::max(at_once, present);
  take_host(snapshot.host, resident);
  ++samples;
  return {};
}

/// Counts the memory of domains that no balloon ever served as the host's own.
void DemandRecorder::State::drop_fixed() {
  MemorySize resident;
  std::erase_if(columns, [&](const RecordedColumn& column) {
    if (column.movable) return false;
    fixed.push_back(column.trace.name);
    resident += column.resident;
    return true;
  });
  for (MemorySize& use : own_use) use += resident;
}

Status DemandRecorder::State::check() const {
  const std::string hint = "record for a day or longer, so that the daily peaks are in it";
  if (samples == 0) return fail(ErrorCode::invalid_input, "", "has no ticks with a sample", hint);
  if (columns.empty()) {
    return fail(ErrorCode::invalid_input, "",
                fixed.empty() ? "no domain ran during the recording"
                              : "memcoord could move none of the recorded domains",
                "");
  }
  const bool any_reported =
      std::any_of(columns.begin(), columns.end(),
                  [](const RecordedColumn& column) { return column.recorded.has_reported; });
  if (!any_reported) {
    return fail(ErrorCode::invalid_input, "", "no domain reported its memory",
                "the guests need a balloon driver and a statistics period");
  }
  if (times.size() < 2) {
    return fail(ErrorCode::invalid_input, "",
                samples == 1 ? std::string("holds one tick, which shows no demand over time")
                             : fmt::format("lasts less than the {} between two rows of demand",
                                           observers::duration_text(step)),
                hint);
  }
  return {};
}

Result<Recording> DemandRecorder::State::finish() {
  drop_fixed();
  if (Status sound = check(); !sound) return fail(sound.error());
  Recording recording;
  recording.notes = time.notes();
  note_domains(columns, fixed, {starts, stops}, recording.notes);
  make_names_unique(columns, recording.notes);
  recording.host.total = *total;
  recording.host.own_use = std::move(own_use);
  recording.host.limits = limits;
  recording.host.at_once = at_once;
  for (RecordedColumn& column : columns) {
    column.trace.used.resize(times.size());
    column.trace.kernel = kKernelNeed;
    recording.trace.columns.push_back(std::move(column.trace));
    recording.host.domains.push_back(std::move(column.recorded));
  }
  recording.trace.times = std::move(times);
  return recording;
}

DemandRecorder::DemandRecorder(std::optional<std::chrono::seconds> step, TraceBounds bounds)
    : state_(std::make_unique<State>(step, bounds)) {}
DemandRecorder::~DemandRecorder() = default;
Status DemandRecorder::take(const Tick& tick) {
  return state_->take(tick);
}
Result<Recording> DemandRecorder::finish() {
  return state_->finish();
}

}  // namespace memcoord::workbench
