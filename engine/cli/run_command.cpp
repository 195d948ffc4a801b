// memcoord without a command: opens the host and the outputs that the options name, and runs the
// loop to its end.

#include <fmt/core.h>
#include <malloc.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <limits>
#include <memory>
#include <utility>

#include "engine/cli/command.h"
#include "engine/cli/commands.h"
#include "engine/cli/configuration_check.h"
#include "engine/cli/help.h"
#include "engine/cli/policy_loader.h"
#include "engine/cli/run_control.h"
#include "engine/cli/run_loop.h"
#include "engine/cli/run_options.h"
#include "engine/cli/run_output.h"
#include "engine/cli/service_manager.h"
#include "engine/cli/system_time.h"
#include "engine/cli/systemd.h"
#include "engine/cli/version.h"
#include "engine/cli/watchdog.h"
#include "engine/core/time.h"
#include "engine/hypervisor/libvirt/libvirt_hypervisor.h"
#include "engine/hypervisor/simulated/simulated_hypervisor.h"
#include "engine/metrics/metrics.h"
#include "engine/observers/amounts.h"
#include "engine/screen/terminal.h"

namespace memcoord::cli {
namespace {

using namespace std::chrono_literals;

constexpr std::string_view kSimulated = "sim:";
constexpr const char* kDefaultScenario = "case1";

/// An open host, real or simulated, and its clock.
struct Connection {
  std::shared_ptr<Clock> clock;  ///< the system's, or a virtual one; must outlive the hypervisor
  std::unique_ptr<Hypervisor> hypervisor;
  std::function<bool()> over;  ///< whether the scenario has ended
};

libvirt::LibvirtOptions libvirt_options(const RunOptions& options, Duration interval) {
  libvirt::LibvirtOptions result;
  if (options.dry_run) result.access = libvirt::Access::read_write_if_allowed;
  result.deadline = std::clamp<Duration>(interval / 2, 100ms, 500ms);
  result.connections = options.connections;
  result.units = options.limits.units;
  result.period = statistics_period(interval);
  return result;
}

Result<Connection> open_libvirt(const RunOptions& options, Duration interval, Signals& signals) {
  if (options.no_wait) {
    return fail(ErrorCode::invalid_input, "--no-wait", "works on simulated hosts only",
                "add --connect sim:");
  }
  // libvirt may take long to give up. memcoord has nothing to restore yet.
  const Signals::LeaveAtOnce leave(signals);
  const std::string uri = options.connect.value_or(libvirt::default_uri());
  auto hypervisor = libvirt::open(uri, libvirt_options(options, interval));
  if (!hypervisor) {
    Error error = hypervisor.error();
    const auto scenarios = BundledFiles(BundledKind::scenario, data_directories()).names();
    if (scenarios && std::find(scenarios->begin(), scenarios->end(), uri) != scenarios->end()) {
      error.hint = "did you mean the simulated host sim:" + uri + "?";
    }
    if (error.code == ErrorCode::unavailable) {
      error.hint += "; or try a simulated host: --connect sim:case1";
    }
    return fail(std::move(error));
  }
  Connection connection;
  connection.clock = std::make_unique<SystemClock>(signals);
  connection.hypervisor = *std::move(hypervisor);
  connection.over = [] { return false; };
  return connection;
}

Result<Connection> open_simulated(const RunOptions& options, Signals& signals) {
  const std::string scenario_name = options.connect->substr(kSimulated.size());
  auto scenario = find_scenario(scenario_name.empty() ? kDefaultScenario : scenario_name);
  if (!scenario) return fail(scenario.error());
  Connection connection;
  if (options.no_wait) {
    connection.clock = std::make_unique<simulated::VirtualClock>();
  } else {
    connection.clock = std::make_unique<SystemClock>(signals);
  }
  auto hypervisor = std::make_unique<simulated::SimulatedHypervisor>(
      *std::move(scenario), *connection.clock, options.limits.host_floor);
  connection.over = [simulated = hypervisor.get()] { return simulated->finished(); };
  connection.hypervisor = std::move(hypervisor);
  return connection;
}

/// Opens the host that --connect names. The signals must outlive the connection. Errors: those of
/// libvirt::open() and load_scenario(); invalid_input for --no-wait on a real host.
Result<Connection> open_connection(const RunOptions& options, Duration interval, Signals& signals) {
  const bool simulated = options.connect.value_or("").starts_with(kSimulated);
  return simulated ? open_simulated(options, signals) : open_libvirt(options, interval, signals);
}

// Options from the configuration file; the command line wins.
Result<Origins> complete_options(RunOptions& options, const Command& command) {
  if (options.config.empty()) return Origins();
  const auto given = options.settings;
  auto origins = apply_configuration(options.config, command);
  if (!origins) return origins;
  for (const auto& [name, value] : given) {
    options.settings[name] = value;
    std::erase_if(*origins, [key = "set." + name](const Origin& one) { return one.key == key; });
  }
  return origins;
}

bool can_be_moved(const Domain& domain) {
  return domain.identity->unsuitable.empty() && !domain.settings().exclude &&
         domain.state != DomainState::shut_off && domain.state != DomainState::crashed;
}

// A run with checked options.
class Run {
 public:
  Run(const RunOptions& options, Duration interval)
      : options_(options),
        interval_(interval),
        log_(make_log(options.log_level, wants_color(options.color, Stream::error),
                      [this] { return wall_now(); })),
        service_(
            systemd_notifications([this](const std::string& message) { log_->warn(message); })),
        policy_limits_(options.no_wait ? with_simulation_time(options.policy_limits)
                                       : options.policy_limits),
        loader_(policy_limits_),
        policy_(loader_, options.policy, options.settings),
        metrics_(std::string(kVersion), interval, [this] { return wall_now(); }) {}

  Result<ExitCode> go();

 private:
  [[nodiscard]] WallTime wall_now() const;
  [[nodiscard]] CoordinatorOptions coordinator_options() const;
  [[nodiscard]] Result<std::unique_ptr<Policy>> load_fallback() const;
  /// The parts of a run that its loop needs.
  struct Parts {
    Coordinator& coordinator;
    Signals& signals;
    RunOutput& output;
    const Connection& connection;
    Watchdog& watchdog;
    RunControl* control;  ///< null without a control socket
    SupervisedClock& clock;
  };
  LoopHooks hooks(const Parts& parts);
  void after(const Tick& tick, const Parts& parts);
  /// Makes the reloads and changes requested since the last call.
  void handle_requests(const Parts& parts);
  void reload(const Parts& parts);
  void replace_policy(std::unique_ptr<bindings::LuaPolicy> policy, const Parts& parts);
  [[nodiscard]] WatchdogOptions watchdog_options(const Signals& signals) const;
  void take_over_state(bindings::LuaPolicy& policy);

  const RunOptions& options_;
  Duration interval_;
  std::shared_ptr<const Clock> clock_;  ///< the connection's; null until it is open
  std::shared_ptr<observers::Log> log_;
  ServiceManager service_;
  PolicyLimitOptions policy_limits_;
  PolicyLoader loader_;
  ReloadablePolicy policy_;
  metrics::RunMetrics metrics_;
  bool waiting_ = false;
};

WallTime Run::wall_now() const {
  if (clock_) return clock_->wall_now();
  return system_wall_time();
}

/// Gives the memory of large texts back to the system once they are sent. By default glibc keeps
/// it: the responses for 1,000 domains then take 5 MiB for good.
void release_large_texts() {
  constexpr int kLarge = 128 << 10;  // bytes
  ::mallopt(M_MMAP_THRESHOLD, kLarge);
  ::mallopt(M_TRIM_THRESHOLD, kLarge);
}

Result<ExitCode> Run::go() {
  release_large_texts();
  auto policy = policy_.load();
  if (!policy) return fail(policy.error());
  policy_.take_over(**policy);
  auto fallback = load_fallback();
  if (!fallback) return fail(fallback.error());
  // Before any thread begins, that of a journal's folder too: threads inherit which signals wait.
  const auto signals = Signals::listen();
  if (!signals) return fail(signals.error());
  auto output = RunOutput::open(options_, log_, [this] { return wall_now(); });
  if (!output) return fail(output.error());
  service_.connecting(options_.connect.value_or("libvirt"));
  auto connection = open_connection(options_, interval_, **signals);
  if (!connection) return fail(connection.error());
  clock_ = connection->clock;

  auto control = RunControl::open({options_, interval_, connection->hypervisor->description(),
                                   *connection->clock, **signals, policy_, *log_, metrics_,
                                   output->wants_screen()});
  if (!control) return fail(control.error());
  if (output->wants_screen()) {
    output->open_screen((*control)->source(), [&stop = **signals] { stop.request_stop(); });
  }

  const std::string policy_name = (*policy)->name();
  take_over_state(**policy);
  Watchdog watchdog(watchdog_options(**signals));
  SupervisedClock clock(*connection->clock, service_);
  Coordinator coordinator(*connection->hypervisor, clock, watchdog.watch(*std::move(policy)),
                          coordinator_options());
  const std::string fallback_name = *fallback ? (*fallback)->name() : "";
  if (*fallback) coordinator.set_fallback(watchdog.watch(*std::move(fallback)));
  if (*control) (*control)->observe(coordinator, fallback_name);
  output->observe(coordinator);
  if (*control || !options_.metrics_file.empty()) coordinator.add_observer(metrics_);
  log_->info(fmt::format("policy {} on {}, a tick every {}, headroom {}{}", policy_name,
                         connection->hypervisor->description(), observers::set_time_text(interval_),
                         to_text(options_.limits.headroom),
                         options_.dry_run ? ", dry run: nothing is moved" : ""));

  LoopOptions loop;
  loop.interval = interval_;
  loop.min_interval = options_.min_interval;
  if (options_.ticks) loop.ticks = static_cast<std::uint64_t>(*options_.ticks);
  loop.exit_when_idle = options_.exit_when_idle;
  service_.ready();
  const LoopEnd end = run_loop(
      coordinator, clock, loop,
      hooks({coordinator, **signals, *output, *connection, watchdog, control->get(), clock}));
  service_.stopping();
  output->end_display(end == LoopEnd::stopped);
  if (options_.restore_on_exit) output->log_restored(coordinator.restore());
  output->close(*connection->hypervisor);
  log_->info(std::string(to_text(end)) + ": " + output->summary().text());
  return end == LoopEnd::stopped || output->summary().any_tick_worked() ? ExitCode::ok
                                                                        : ExitCode::failed;
}

CoordinatorOptions Run::coordinator_options() const {
  CoordinatorOptions result;
  result.limits = options_.limits;
  result.dry_run = options_.dry_run;
  result.include = options_.include;
  result.exclude = options_.exclude;
  result.release_wait = std::min<Duration>(result.release_wait, interval_ / 2);
  result.interval = interval_;
  result.reports_on_demand = !options_.keep_periods;
  return result;
}

Result<std::unique_ptr<Policy>> Run::load_fallback() const {
  if (!options_.fallback_policy) return nullptr;
  return loader_.load(*options_.fallback_policy, {});
}

LoopHooks Run::hooks(const Parts& parts) {
  LoopHooks hooks;
  hooks.stop_requested = [&signals = parts.signals] { return signals.stop_requested(); };
  hooks.handle_requests = [this, parts] { handle_requests(parts); };
  hooks.over = parts.connection.over;
  hooks.idle = [&coordinator = parts.coordinator](const Tick& tick) {
    const auto& domains = tick.snapshot.domains;
    // A paused domain will be moved again.
    return !coordinator.any_paused() && !tick.sample_error &&
           std::none_of(domains.begin(), domains.end(), can_be_moved);
  };
  hooks.after = [this, parts](const Tick& tick) { after(tick, parts); };
  hooks.skipped = [this](std::uint64_t missed) {
    metrics_.count_skipped_ticks(missed);
    log_->debug(fmt::format("a tick took longer than the interval: {} skipped", missed));
  };
  hooks.early = [this] { metrics_.count_early_tick(); };
  return hooks;
}

void Run::after(const Tick& tick, const Parts& parts) {
  metrics_.set_connections(parts.connection.hypervisor->connections());
  parts.output.after_tick(metrics_);
  if (parts.control != nullptr) parts.control->set_journal_loss(parts.output.journal_loss());
  service_.alive(parts.clock.now());
  service_.show(tick, parts.clock.now());
  if (RunOutput::reader_is_gone()) parts.signals.request_stop();
  const bool empty = !tick.sample_error && tick.snapshot.domains.empty();
  if (empty && !waiting_ && !options_.exit_when_idle) {
    log_->info("no active domains: waiting for domains (--exit-when-idle ends the run instead)");
  }
  if (!tick.sample_error) waiting_ = empty;
}

WatchdogOptions Run::watchdog_options(const Signals& signals) const {
  WatchdogOptions watch;
  watch.limit = sandbox_limits(policy_limits_).time;
  watch.stop_requested = [&signals] { return signals.stop_requested(); };
  watch.log = [log = log_](const std::string& message) { log->error(message); };
  watch.give_up = [this, log = log_](WatchdogOptions::Reason reason, const std::string& state) {
    // _exit, because destructors and atexit handlers could wait for the call that hangs.
    screen::restore_now();
    if (reason == WatchdogOptions::Reason::asked) ::_exit(static_cast<int>(ExitCode::forced));
    service_.restarting("the policy hangs");
    log->error("the process restarts with the policy's state of its last good tick");
    start_again(state);
    log->error(
        "the process ends: it cannot restart, or its last restart was less than ten minutes ago");
    ::_exit(static_cast<int>(ExitCode::failed));
  };
  return watch;
}

void Run::take_over_state(bindings::LuaPolicy& policy) {
  const std::string state = take_handed_over();
  if (state.empty()) return;
  if (Status adopted = policy.adopt_state_text(state); !adopted) {
    log_->warn("policy " + policy.name() +
               " starts with an empty ctx.state: " + adopted.error().text());
  } else {
    log_->info("policy " + policy.name() + " keeps its ctx.state from before the restart");
  }
}

void Run::handle_requests(const Parts& parts) {
  if (parts.signals.consume_reload()) reload(parts);
  if (parts.control == nullptr) return;
  parts.control->make_changes(
      {parts.coordinator, parts.clock, [&parts] { return parts.output.reopen(); },
       [this, &parts](auto policy) { replace_policy(std::move(policy), parts); },
       [&parts](std::unique_ptr<bindings::LuaPolicy> policy) {
         parts.coordinator.set_fallback(policy ? parts.watchdog.watch(std::move(policy)) : nullptr);
       },
       service_});
}

void Run::reload(const Parts& parts) {
  const ServiceManager::Reload reload(service_, parts.clock.now());
  parts.output.reopen();
  if (parts.control != nullptr) parts.control->read_token_again();
  // Loading has a limit of one second.
  auto policy = parts.watchdog.during(options_.policy, std::chrono::seconds(2),
                                      [this] { return policy_.load(); });
  metrics_.count_reload(policy.has_value());
  if (!policy) {
    log_->error("cannot reload the policy, the old one stays: " + policy.error().text());
    return;
  }
  log_->info("policy " + (*policy)->name() + " reloaded");
  replace_policy(*std::move(policy), parts);
}

void Run::replace_policy(std::unique_ptr<bindings::LuaPolicy> policy, const Parts& parts) {
  const std::string name = policy->name();
  // Copying the state has a tick's limits.
  const auto state_lost =
      parts.watchdog.during(name, std::chrono::seconds(1) + sandbox_limits(policy_limits_).time,
                            [&] { return policy_.take_over(*policy); });
  if (state_lost) {
    log_->warn("policy " + name + " starts with an empty ctx.state: " + state_lost->text());
  }
  parts.coordinator.replace_policy(parts.watchdog.watch(std::move(policy)));
}

Result<std::int64_t> whole_ticks(const std::string& text) {
  return parse_whole_number(text, {1, std::numeric_limits<std::int64_t>::max()});
}

void add_examples(Command& command) {
  command.footer = examples_text({
      {"memcoord", "balance this host's domains every second with the default policy"},
      {"memcoord --policy band --set low=120MiB 5",
       "use another bundled policy with a parameter, a tick every 5 s"},
      {"memcoord --policy ./mine.lua --dry-run",
       "show the decisions of your own policy; change nothing"},
      {"memcoord --connect sim:case1 --no-wait --ticks 30", "run memcoord on a simulated host"},
      {"memcoord --journal ticks.jsonl --json | jq .decisions",
       "print decisions for another program"},
  });
}

}  // namespace

void add_run_command(Command& program) {
  const auto options = std::make_shared<RunOptions>();
  add_run_options(program, *options);
  add_examples(program);
  program.action = [options, &program]() -> Result<ExitCode> {
    const auto origins = complete_options(*options, program);
    if (!origins) return fail(origins.error());
    const auto interval = interval_of(*options, program);
    if (!interval) return fail(interval.error());
    if (const Status checked = check_together(*options); !checked) {
      return fail(with_origin(checked.error(), *origins));
    }
    auto result =
        options->check_config ? check_configuration(*options) : Run(*options, *interval).go();
    if (!result) return fail(with_origin(result.error(), *origins));
    return result;
  };
}

void add_record_command(Command& program) {
  const auto options = std::make_shared<RunOptions>();
  Command& command = program.add(
      "record",
      "Record what a host's domains need, in a journal for traces, density, compare, events and "
      "replay. Moves nothing, and has no control socket.",
      [options, &program]() -> Result<ExitCode> {
        const auto interval = interval_of(*options, program);
        if (!interval) return fail(interval.error());
        // A recording is a folder, whether its name says so or not.
        if (!options->journal.ends_with('/')) options->journal += '/';
        options->records = true;
        options->dry_run = true;
        options->control = "off";
        return Run(*options, *interval).go();
      });
  options->log_level = "error";
  add_option(command,
             {.names = "-o,--output",
              .value = "DIR",
              .description = "the folder of the journal; it is created if there is none",
              .required = true},
             into_text(options->journal));
  add_argument(
      command,
      {"INTERVAL", "TIME",
       "time between ticks: seconds, or a number with its unit (500ms, 2s, 1m); default 1s"},
      options->interval);
  add_option(command, {"-n,--ticks", "N", "end after N ticks"}, into(options->ticks, whole_ticks));
  add_option(command,
             {"-c,--connect", "URI",
              "the host: a libvirt URI (default LIBVIRT_DEFAULT_URI, else qemu:///system), or a "
              "simulated host (sim:, sim:SCENARIO, sim:FILE.lua)"},
             into_text(options->connect));
  add_repeated_option(
      command,
      {"--include", "GLOB",
       "count only domains whose name matches, and all others as the host's own use; repeatable"},
      append_to(options->include));
  add_repeated_option(command,
                      {"--exclude", "GLOB",
                       "count domains whose name matches as the host's own use; repeatable, wins "
                       "over --include"},
                      append_to(options->exclude));
  add_option(command,
             {"--journal-max", "SIZE",
              "the most that the folder may take: its oldest ticks are removed; at least 1MiB, "
              "default no limit"},
             into(options->journal_max, parse_journal_max));
  add_option(command,
             {"--journal-keep", "TIME",
              "how long the folder keeps ticks, such as 12h or 30d; default as long as "
              "--journal-max allows"},
             into(options->journal_keep, parse_age));
  command.footer = examples_text({
      {"memcoord record -o week/ --journal-keep 7d",
       "record this host until Ctrl-C, and keep seven days"},
  });
}

}  // namespace memcoord::cli
