#include "tests/calibration/curve.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <fstream>
#include <string_view>
#include <utility>

#include "engine/hypervisor/simulated/simulated_hypervisor.h"

namespace memcoord::calibration {
namespace {

constexpr std::string_view kColumns =
    "t_s,target_kib,demand_kib,cache_kib,actual_kib,unused_kib,usable_kib,swapped_out_kib";
/// A kernel swaps less than this also without pressure.
constexpr MemorySize kSwapsInEarnest = MemorySize::from_mib(1);

Result<double> number(std::string_view text, const std::string& where) {
  double value = 0;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (problem != std::errc() || end != text.data() + text.size()) {
    return fail(ErrorCode::invalid_input, where, "'" + std::string(text) + "' is not a number");
  }
  return value;
}

MemorySize kib(double value) {
  return MemorySize::from_kib(value <= 0 ? 0 : static_cast<std::uint64_t>(value));
}

/// "# name value"
Status take_comment(std::string_view line, Curve& curve, const std::string& where) {
  line.remove_prefix(std::min<std::size_t>(2, line.size()));
  const std::size_t space = line.find(' ');
  const std::string_view key = line.substr(0, space);
  const auto value =
      number(space == std::string_view::npos ? std::string_view() : line.substr(space + 1), where);
  if (!value) return fail(value.error());
  if (key == "maximum_kib") curve.maximum = kib(*value);
  if (key == "initial_kib") curve.initial = kib(*value);
  if (key == "swap_kib") curve.swap = kib(*value);
  if (key == "killed_at_s") curve.killed_at = *value;
  return {};
}

Status take_row(std::string_view line, Curve& curve, const std::string& where) {
  std::array<double, 8> cells{};
  for (std::size_t i = 0; i < cells.size(); ++i) {
    const std::size_t comma = line.find(',');
    const auto cell = number(line.substr(0, comma), where);
    if (!cell) return fail(cell.error());
    cells[i] = *cell;
    line.remove_prefix(comma == std::string_view::npos ? line.size() : comma + 1);
  }
  curve.points.push_back({cells[0], kib(cells[1]), kib(cells[2]), kib(cells[3]), kib(cells[4]),
                          kib(cells[5]), kib(cells[6]), kib(cells[7])});
  return {};
}

Duration duration(double seconds) {
  return std::chrono::duration_cast<Duration>(std::chrono::duration<double>(seconds));
}

/// The recorded plan, from one sample to the next.
simulated::Plan plan_of(const Curve& curve, MemorySize CurvePoint::*figure) {
  std::vector<simulated::Plan::Point> points;
  for (const CurvePoint& point : curve.points) {
    points.push_back({duration(point.seconds), point.*figure});
  }
  return {std::move(points), simulated::Plan::Shape::ramp};
}

simulated::Scenario scenario_of(const Curve& curve, const simulated::Model& model) {
  simulated::Scenario scenario;
  scenario.model = model;
  // A lab guest does not restart its workload.
  scenario.model.restart = std::chrono::hours(24);
  scenario.duration = std::chrono::hours(24);
  simulated::ScenarioDomain domain;
  domain.name = curve.name;
  domain.maximum = curve.maximum;
  domain.initial = curve.initial;
  domain.swap = curve.swap;
  domain.demand = plan_of(curve, &CurvePoint::demand);
  domain.cache = plan_of(curve, &CurvePoint::cache);
  scenario.domains = {domain};
  return scenario;
}

double difference(MemorySize a, MemorySize b) {
  return static_cast<double>(std::max(a, b).kib() - std::min(a, b).kib());
}

std::optional<double> swaps_at(const Curve& curve) {
  for (const CurvePoint& point : curve.points) {
    if (point.swapped_out >= kSwapsInEarnest) return point.seconds;
  }
  return std::nullopt;
}

}  // namespace

Result<Curve> read_curve(const std::filesystem::path& path) {
  std::ifstream in(path);
  if (!in) return fail(ErrorCode::not_found, path.string(), "no such curve");
  Curve curve;
  curve.name = path.stem().string();
  std::size_t number_of_line = 0;
  for (std::string line; std::getline(in, line);) {
    const std::string where = path.string() + ":" + std::to_string(++number_of_line);
    if (line == kColumns) continue;
    const Status taken =
        line.starts_with('#') ? take_comment(line, curve, where) : take_row(line, curve, where);
    if (!taken) return fail(taken.error());
  }
  if (curve.points.empty()) return fail(ErrorCode::invalid_input, path.string(), "holds no points");
  return curve;
}

void write_curve(const Curve& curve, std::ostream& out) {
  out << "# maximum_kib " << curve.maximum.kib() << "\n# initial_kib " << curve.initial.kib()
      << "\n# swap_kib " << curve.swap.kib() << '\n';
  if (curve.killed_at) out << "# killed_at_s " << *curve.killed_at << '\n';
  out << kColumns << '\n';
  for (const CurvePoint& point : curve.points) {
    out << std::round(point.seconds * 100) / 100 << ',' << point.target.kib() << ','
        << point.demand.kib() << ',' << point.cache.kib() << ',' << point.actual.kib() << ','
        << point.unused.kib() << ',' << point.usable.kib() << ',' << point.swapped_out.kib()
        << '\n';
  }
}

Curve simulate(const Curve& real, const simulated::Model& model) {
  simulated::VirtualClock clock;
  simulated::SimulatedHypervisor hypervisor(scenario_of(real, model), clock);
  Curve played{real.name, real.maximum, real.initial, real.swap, {}, {}};
  MonotonicTime start = clock.now();
  MemorySize target = real.initial;
  for (const CurvePoint& point : real.points) {
    // The recording sets a target right after a sample: this point's target after the previous
    // point.
    if (point.target != target) {
      const Domain now = hypervisor.sample()->domains.front();
      const Move move{now.uuid(), now.actual, point.target};
      (void)hypervisor.apply({&move, 1});
      target = point.target;
    }
    const Duration until = duration(point.seconds) - (clock.now() - start);
    if (until > Duration()) clock.sleep_for(until);
    const Domain domain = hypervisor.sample()->domains.front();
    CurvePoint observed = point;
    observed.actual = domain.actual;
    observed.unused = domain.guest.unused.value_or(MemorySize());
    observed.usable = domain.guest.usable.value_or(MemorySize());
    observed.swapped_out = domain.guest.swap_out.value_or(MemorySize());
    played.points.push_back(observed);
    const bool killed = hypervisor.host().domains().front().guest.score.oom_kills > 0;
    if (killed && !played.killed_at) played.killed_at = point.seconds;
  }
  return played;
}

Agreement compare(const Curve& real, const Curve& simulated) {
  Agreement agreement;
  const std::size_t n = std::min(real.points.size(), simulated.points.size());
  const double whole = static_cast<double>(real.maximum.kib()) * static_cast<double>(n);
  for (std::size_t i = 0; i < n; ++i) {
    const CurvePoint& a = real.points[i];
    const CurvePoint& b = simulated.points[i];
    agreement.actual += difference(a.actual, b.actual) / whole;
    agreement.unused += difference(a.unused, b.unused) / whole;
    agreement.usable += difference(a.usable, b.usable) / whole;
  }
  agreement.real_swaps_at = swaps_at(real);
  agreement.simulated_swaps_at = swaps_at(simulated);
  return agreement;
}

}  // namespace memcoord::calibration
