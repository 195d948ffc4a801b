// Plays plans on real guests and on the simulated host, and prints how far they differ.
//
//   calibrate [--record FOLDER]              boots guests
//   calibrate --recorded FOLDER [--points]   compares curves recorded earlier
//   calibrate --short                        the lab's test: two guests must agree
//
// Four guests run at once, each with its own plan, because different plans show different errors.
// It samples once a second. --record writes the real curves, one CSV for each guest; the unit tests
// compare the simulated host with them.

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "engine/hypervisor/libvirt/libvirt_hypervisor.h"
#include "tests/calibration/curve.h"
#include "tests/lab/guest.h"
#include "tests/lab/guest/load.h"
#include "tests/tool_command_line.h"

namespace {

using namespace memcoord;
using calibration::Curve;
using SteadyClock = std::chrono::steady_clock;

constexpr double kSeconds = 75;
constexpr double kShortSeconds = 32;
/// A curve leaves out the balloon that fills while its guest boots.
constexpr double kSettled = 4;
constexpr MemorySize kMaximum = MemorySize::from_mib(768);

struct BalloonStep {
  double at = 0;  ///< seconds
  MemorySize target;
};

/// A guest: its plan (tests/lab/guest/plan.cpp), and the moves of its balloon.
struct Experiment {
  std::string name;
  MemorySize initial;
  std::string load;
  std::string files;
  MemorySize swap;
  std::vector<BalloonStep> steps;
};

std::vector<Experiment> experiments() {
  return {
      {"balloon-steps",
       kMaximum,
       "20:8,300:20,300:10,60:5,60:32",
       "",
       {},
       {{12, 600_MiB}, {20, 520_MiB}, {32, 768_MiB}, {45, 400_MiB}, {50, 300_MiB}, {58, 640_MiB}}},
      {"page-cache",
       512_MiB,
       "20:8,120:15,120:25,40:5,40:22",
       "0:10,250:15,250:30,30:1,30:24",
       {},
       {{30, 420_MiB}, {38, 340_MiB}, {60, 512_MiB}}},
      {"swap", 320_MiB, "20:8,360:34,360:8,60:5,60:20", "", 256_MiB, {{60, 400_MiB}}},
      {"killed", 320_MiB, "20:8,420:40,420:27", "", {}, {}},
  };
}

/// Growth, a balloon that shrinks and grows, and the moments of swapping and of a kill.
std::vector<Experiment> short_experiments() {
  return {
      {"swap", 320_MiB, "20:6,360:16,360:3,60:2,60:5", "", 256_MiB, {{26, 400_MiB}}},
      {"killed", 420_MiB, "20:8,420:16,420:8", "", {}, {{5, 320_MiB}}},
  };
}

/// The amount of a plan after so many seconds, in MiB.
double planned(const std::string& plan, double seconds) {
  double reached = 0;
  for (const lab::Leg& leg : lab::read_plan(plan)) {
    if (seconds < leg.seconds) return reached + (leg.mib - reached) * seconds / leg.seconds;
    seconds -= leg.seconds;
    reached = leg.mib;
  }
  return reached;
}

MemorySize planned_size(const std::string& plan, double seconds) {
  return plan.empty()
             ? MemorySize()
             : MemorySize::from_kib(static_cast<std::uint64_t>(1024 * planned(plan, seconds)));
}

double seconds_since(SteadyClock::time_point start) {
  return std::chrono::duration<double>(SteadyClock::now() - start).count();
}

/// A guest that runs.
struct Trial {
  Experiment experiment;
  std::unique_ptr<lab::Guest> guest;
  SteadyClock::time_point started;
  bool has_started = false;
  std::size_t next_step = 0;
  MemorySize target;
  Curve curve;
};

std::vector<Trial> start_all(const lab::LabHost& host, const std::vector<Experiment>& experiments) {
  std::vector<Trial> trials;
  for (const Experiment& experiment : experiments) {
    lab::GuestSpec spec = lab::guest_of(experiment.name, experiment.load, experiment.initial);
    spec.maximum = kMaximum;
    spec.swap = experiment.swap;
    if (!experiment.files.empty()) {
      spec.disk = kMaximum;
      spec.more = "files=" + experiment.files;
    }
    Trial trial{
        experiment, std::make_unique<lab::Guest>(host, spec), {}, false, 0, experiment.initial, {}};
    trial.curve = {experiment.name, kMaximum, experiment.initial, experiment.swap, {}, {}};
    trials.push_back(std::move(trial));
  }
  for (std::size_t started = 0; started < trials.size();) {
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    for (Trial& trial : trials) {
      if (trial.has_started || trial.guest->times_said("lab: start") == 0) continue;
      trial.started = SteadyClock::now();
      trial.has_started = true;
      ++started;
    }
  }
  return trials;
}

void look_at(Trial& trial, const Domain& domain) {
  const double now = seconds_since(trial.started);
  const bool killed = trial.guest->was_oom_killed();
  if (killed && !trial.curve.killed_at) trial.curve.killed_at = now;
  if (now < kSettled || !domain.guest.unused || !domain.guest.usable) return;
  trial.curve.points.push_back({now, trial.target, planned_size(trial.experiment.load, now),
                                planned_size(trial.experiment.files, now), domain.actual,
                                *domain.guest.unused, *domain.guest.usable,
                                domain.guest.swap_out.value_or(MemorySize())});
}

std::optional<Move> next_move(Trial& trial, const Domain& domain) {
  const std::vector<BalloonStep>& steps = trial.experiment.steps;
  if (trial.next_step == steps.size()) return std::nullopt;
  if (seconds_since(trial.started) < steps[trial.next_step].at) return std::nullopt;
  trial.target = steps[trial.next_step++].target;
  return Move{domain.uuid(), domain.actual, trial.target};
}

std::vector<Curve> play_to_real_guests(const std::vector<Experiment>& experiments, double seconds) {
  const lab::LabHost host;
  std::vector<Trial> trials = start_all(host, experiments);
  auto hypervisor = libvirt::open(host.uri(), {});
  if (!hypervisor) throw std::runtime_error(hypervisor.error().text());
  const auto begun = SteadyClock::now();
  for (int i = 0; seconds_since(begun) < seconds; ++i) {
    std::this_thread::sleep_until(begun + std::chrono::seconds(i));
    const auto snapshot = (*hypervisor)->sample();
    if (!snapshot) throw std::runtime_error(snapshot.error().text());
    std::vector<Move> moves;
    for (Trial& trial : trials) {
      for (const Domain& domain : snapshot->domains) {
        if (domain.name() != trial.experiment.name) continue;
        look_at(trial, domain);
        if (const auto move = next_move(trial, domain)) moves.push_back(*move);
      }
    }
    if (!moves.empty()) (void)(*hypervisor)->apply(moves);
  }
  (*hypervisor)->close();
  std::vector<Curve> curves;
  for (Trial& trial : trials) curves.push_back(std::move(trial.curve));
  return curves;
}

std::string moment(const std::optional<double>& seconds) {
  return seconds ? fmt::format("{:.0f} s", *seconds) : "never";
}

void print(const Curve& real) {
  const Curve simulated = calibration::simulate(real);
  const calibration::Agreement agreement = calibration::compare(real, simulated);
  fmt::print("{:<14} {:>7.1f} % {:>7.1f} % {:>7.1f} %   {:>6} / {:<6} {:>6} / {:<6}\n", real.name,
             100 * agreement.actual, 100 * agreement.unused, 100 * agreement.usable,
             moment(agreement.real_swaps_at), moment(agreement.simulated_swaps_at),
             moment(real.killed_at), moment(simulated.killed_at));
}

void print_points(const Curve& real) {
  const Curve simulated = calibration::simulate(real);
  fmt::print("{}, MiB, real / simulated\n{:>6} {:>7} {:>7} {:>13} {:>13} {:>13} {:>13}\n",
             real.name, "t", "demand", "cache", "actual", "unused", "usable", "swapped out");
  for (std::size_t i = 0; i < real.points.size(); ++i) {
    const calibration::CurvePoint& a = real.points[i];
    const calibration::CurvePoint& b = simulated.points[i];
    fmt::print("{:>6.1f} {:>7.0f} {:>7.0f}", a.seconds, a.demand.mib(), a.cache.mib());
    for (const auto figure :
         {&calibration::CurvePoint::actual, &calibration::CurvePoint::unused,
          &calibration::CurvePoint::usable, &calibration::CurvePoint::swapped_out}) {
      fmt::print(" {:>5.0f} / {:<5.0f}", (a.*figure).mib(), (b.*figure).mib());
    }
    fmt::print("\n");
  }
}

std::vector<Curve> recorded_curves(const std::filesystem::path& folder) {
  std::vector<Curve> curves;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    if (entry.path().extension() != ".csv") continue;
    auto curve = calibration::read_curve(entry.path());
    if (!curve) throw std::runtime_error(curve.error().text());
    curves.push_back(*std::move(curve));
  }
  return curves;
}

// Guests run late beside other tests. The recorded curves must agree within 5 %
// (tests/unit/hypervisor).
constexpr double kMaxApart = 0.08;
constexpr double kMaxSecondsApart = 3;

bool agree(const std::optional<double>& real, const std::optional<double>& simulated) {
  if (!real || !simulated) return real.has_value() == simulated.has_value();
  return std::abs(*real - *simulated) <= kMaxSecondsApart;
}

bool agrees(const Curve& real) {
  const Curve simulated = calibration::simulate(real);
  const calibration::Agreement agreement = calibration::compare(real, simulated);
  return !real.points.empty() && agreement.actual <= kMaxApart && agreement.unused <= kMaxApart &&
         agreement.usable <= kMaxApart &&
         agree(agreement.real_swaps_at, agreement.simulated_swaps_at) &&
         agree(real.killed_at, simulated.killed_at);
}

struct Arguments {
  bool is_short = false;
  std::filesystem::path record;
  std::filesystem::path recorded;
  bool points = false;
};

std::vector<Curve> curves_for(const Arguments& arguments) {
  if (arguments.is_short) return play_to_real_guests(short_experiments(), kShortSeconds);
  if (arguments.recorded.empty()) return play_to_real_guests(experiments(), kSeconds);
  return recorded_curves(arguments.recorded);
}

int calibrate(const Arguments& arguments) {
  const std::vector<Curve> curves = curves_for(arguments);
  const std::filesystem::path& folder = arguments.record;
  fmt::print("mean difference, as a share of the maximum; moments: real / simulated\n");
  fmt::print("{:<14} {:>9} {:>9} {:>9}   {:>15} {:>15}\n", "guest", "actual", "unused", "usable",
             "swaps", "killed");
  for (const Curve& curve : curves) {
    print(curve);
    if (arguments.points) print_points(curve);
    if (folder.empty()) continue;
    std::ofstream out(folder / (curve.name + ".csv"));
    calibration::write_curve(curve, out);
    if (!out.flush()) throw std::runtime_error(folder.string() + ": cannot be written");
  }
  if (arguments.is_short && !std::all_of(curves.begin(), curves.end(), agrees)) {
    fmt::print(stderr,
               "calibrate: real and simulated guests are more than {:.0f} % or {:.0f} s apart\n",
               100 * kMaxApart, kMaxSecondsApart);
    return 1;
  }
  return 0;
}

Result<std::filesystem::path> parse_folder(const std::string& text) {
  if (std::filesystem::is_directory(text)) return std::filesystem::path(text);
  return fail(ErrorCode::not_found, text, "no such folder");
}

}  // namespace

int main(int argc, char** argv) {
  Arguments arguments;
  cli::Command tool("calibrate", "Real guests and simulated ones, on the same plans");
  cli::add_option(tool, {"--record", "FOLDER", "write the real curves there"},
                  cli::into(arguments.record, parse_folder));
  cli::add_option(tool, {"--recorded", "FOLDER", "no guests: the curves that were written there"},
                  cli::into(arguments.recorded, parse_folder));
  cli::add_flag(tool, {"--short", "two guests, half a minute, and whether they agree"},
                arguments.is_short);
  cli::add_flag(tool, {"--points", "every sample"}, arguments.points);
  if (const auto code = testing::ends_with(tool, argc, argv)) return *code;
  try {
    return calibrate(arguments);
  } catch (const std::exception& error) {
    fmt::print(stderr, "calibrate: {}\n", error.what());
    return 1;
  }
}
