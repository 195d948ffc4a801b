// Measures ticks on a real libvirt connection, with one connection worker and with several.
//
//   libvirt_tick --connect URI [--ticks N] [--connections 1 4 ...] [--interval SECONDS] [--policy
//   FILE] [--refresh]
//
// --refresh asks every guest for a report before each tick. Prints, for each number of workers, the
// median and the 95th percentile of a tick's time and of the sample's part of it, and this
// process's processor time per tick. Moves nothing.

#include <fmt/format.h>
#include <sys/resource.h>

#include <algorithm>
#include <cstdio>
#include <string>
#include <thread>
#include <vector>

#include "bindings/lua_policy.h"
#include "engine/core/coordinator.h"
#include "engine/hypervisor/libvirt/libvirt_hypervisor.h"
#include "tests/tool_command_line.h"

namespace {

using namespace memcoord;
using Milliseconds = std::chrono::duration<double, std::milli>;

class RealClock final : public Clock {
 public:
  [[nodiscard]] MonotonicTime now() const override {
    return std::chrono::time_point_cast<Duration>(std::chrono::steady_clock::now());
  }
  [[nodiscard]] WallTime wall_now() const override {
    return std::chrono::time_point_cast<std::chrono::milliseconds>(
        std::chrono::system_clock::now());
  }
  bool sleep_for(Duration duration) override {
    std::this_thread::sleep_for(duration);
    return true;
  }
};

struct Arguments {
  std::string uri;
  std::string policy;
  int ticks = 50;
  double interval = 0;
  bool refresh = false;
  std::vector<std::size_t> connections;
};

double processor_milliseconds() {
  rusage usage{};
  (void)getrusage(RUSAGE_SELF, &usage);
  const auto of = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) * 1e3 + static_cast<double>(time.tv_usec) / 1e3;
  };
  return of(usage.ru_utime) + of(usage.ru_stime);
}

double quantile(std::vector<double> values, double q) {
  std::sort(values.begin(), values.end());
  return values[static_cast<std::size_t>(q * static_cast<double>(values.size() - 1))];
}

/// Asks all guests of the last tick for a report, within a tenth of the interval.
void refresh_all(Hypervisor& hypervisor, const Tick& last, double interval) {
  std::vector<Uuid> domains;
  for (const Domain& domain : last.snapshot.domains) {
    if (domain.state == DomainState::running) domains.push_back(domain.uuid());
  }
  constexpr double kLeast = 0.02;  // seconds
  hypervisor.refresh(domains, std::chrono::duration_cast<Duration>(
                                  std::chrono::duration<double>(std::max(kLeast, interval / 10))));
}

Status measure(const Arguments& arguments, std::size_t workers) {
  libvirt::LibvirtOptions options;
  options.connections = workers;
  // Requests go on while a guest hangs, as in a run of four ticks a second.
  options.deadline = arguments.refresh ? std::chrono::milliseconds(125) : std::chrono::seconds(10);
  auto hypervisor = libvirt::open(arguments.uri, options);
  if (!hypervisor) return fail(hypervisor.error());
  auto policy = bindings::LuaPolicy::load(arguments.policy);
  if (!policy) return fail(policy.error());
  RealClock clock;
  CoordinatorOptions how;
  how.dry_run = true;
  Coordinator coordinator(**hypervisor, clock, *std::move(policy), how);
  std::size_t domains = 0;
  std::vector<double> whole;
  std::vector<double> sampling;
  Tick tick;
  for (int i = 0; i < 3; ++i) tick = coordinator.tick();  // connections open, periods are set
  const double before = processor_milliseconds();
  for (int i = 0; i < arguments.ticks; ++i) {
    const MonotonicTime start = clock.now();
    if (arguments.refresh) refresh_all(**hypervisor, tick, arguments.interval);
    tick = coordinator.tick();
    if (!tick.sample_error) {
      whole.push_back(Milliseconds(clock.now() - start).count());
      sampling.push_back(Milliseconds(tick.timings.sample).count());
      domains = tick.snapshot.domains.size();
    } else if (arguments.refresh) {  // with so short a deadline, a late daemon costs its tick
      fmt::print(stderr, "{}\n", tick.sample_error->text());
    } else {
      return fail(*tick.sample_error);
    }
    const auto pause = std::chrono::duration<double>(arguments.interval) - (clock.now() - start);
    if (pause.count() > 0) std::this_thread::sleep_for(pause);
  }
  const double processor = (processor_milliseconds() - before) / arguments.ticks;
  (*hypervisor)->close();
  fmt::print("{:>7} {:>5} {:>10.1f} {:>8.1f} {:>12.1f} {:>8.1f} {:>10.2f}\n", domains, workers,
             quantile(whole, 0.5), quantile(whole, 0.95), quantile(sampling, 0.5),
             quantile(sampling, 0.95), processor);
  return {};
}

/// Seconds, or 0.
Result<double> parse_interval(const std::string& text) {
  if (text == "0") return 0.0;
  const auto interval = cli::parse_duration(text);
  if (!interval) return fail(interval.error());
  return std::chrono::duration<double>(*interval).count();
}

}  // namespace

int main(int argc, char** argv) {
  Arguments arguments;
  arguments.policy = MEMCOORD_POLICIES "/halving.lua";
  cli::Command tool("libvirt_tick", "Measure ticks on a real libvirt connection.");
  cli::add_option(
      tool, {.names = "--connect", .value = "URI", .description = "libvirt URI", .required = true},
      cli::into_text(arguments.uri));
  cli::add_option(tool, {"--ticks", "N", "ticks to measure"},
                  cli::into(arguments.ticks, testing::parse_count));
  cli::add_list(
      tool, {"--connections", "N...", "numbers of connection workers to compare; default 1 and 4"},
      [&arguments](const std::string& text) -> Status {
        const auto workers = testing::parse_count(text);
        if (!workers) return fail(workers.error());
        arguments.connections.push_back(static_cast<std::size_t>(*workers));
        return {};
      });
  cli::add_option(tool, {"--interval", "SECONDS", "from tick to tick; default 0, no pause"},
                  cli::into(arguments.interval, parse_interval));
  cli::add_flag(tool, {"--refresh", "ask every guest for a report before each tick"},
                arguments.refresh);
  cli::add_option(tool, {"--policy", "FILE", "policy file"}, cli::into_text(arguments.policy));
  if (const auto code = testing::ends_with(tool, argc, argv)) return *code;
  if (arguments.connections.empty()) arguments.connections = {1, 4};
  fmt::print("{:>7} {:>5} {:>10} {:>8} {:>12} {:>8} {:>10}\n", "domains", "workers", "tick ms",
             "p95", "sampling ms", "p95", "CPU ms");
  for (const std::size_t workers : arguments.connections) {
    if (const Status done = measure(arguments, workers); !done) {
      fmt::print(stderr, "{}\n", done.error().text());
      return 1;
    }
    (void)std::fflush(stdout);
  }
  return 0;
}
