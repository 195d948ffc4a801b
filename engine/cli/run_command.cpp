// memcoord itself: balances memory until something ends it.

#include <fmt/core.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <memory>

#include "engine/cli/commands.h"
#include "engine/cli/configuration.h"
#include "engine/cli/connection.h"
#include "engine/cli/help.h"
#include "engine/cli/logging.h"
#include "engine/cli/policy_loader.h"
#include "engine/cli/restart.h"
#include "engine/cli/run_loop.h"
#include "engine/cli/run_options.h"
#include "engine/cli/run_output.h"
#include "engine/cli/signals.h"
#include "engine/cli/watchdog.h"
#include "engine/cli/workbench_options.h"

namespace memcoord::cli {
namespace {

// A configuration file fills in what the command line leaves open.
Status complete_options(RunOptions& options, const Command& command) {
  if (!options.config.empty()) {
    const auto given = options.settings;
    if (Status applied = apply_configuration(options.config, command); !applied) return applied;
    for (const auto& [name, value] : given) options.settings[name] = value;
  }
  return {};
}

bool can_be_moved(const Domain& domain) {
  return domain.identity->unsuitable.empty() && !domain.settings().exclude &&
         domain.state != DomainState::shut_off && domain.state != DomainState::crashed;
}

// A run whose options are all known to be usable.
class Run {
 public:
  Run(const RunOptions& options, Duration interval)
      : options_(options),
        interval_(interval),
        log_(make_log(options.log_level, wants_color(options.color, Stream::error),
                      [this] { return wall_now(); })),
        loader_(options.fast ? unhurried(options.policy_limits) : options.policy_limits),
        policy_(loader_, options.policy, options.settings) {}

  Result<ExitCode> go();

 private:
  [[nodiscard]] WallTime wall_now() const;
  [[nodiscard]] CoordinatorOptions coordinator_options() const;
  [[nodiscard]] Result<std::unique_ptr<Policy>> load_fallback() const;
  LoopHooks hooks(Coordinator& coordinator, Signals& signals, RunOutput& output,
                  const Connection& connection, Watchdog& watchdog);
  void after(const Tick& tick, RunOutput& output, Signals& signals);
  void reload(Coordinator& coordinator, RunOutput& output, Watchdog& watchdog);
  [[nodiscard]] WatchdogOptions watchdog_options(const Signals& signals) const;
  void take_over_state(bindings::LuaPolicy& policy);

  const RunOptions& options_;
  Duration interval_;
  std::shared_ptr<const Clock> clock_;  ///< the connection's, as soon as there is one
  std::shared_ptr<observers::Log> log_;
  PolicyLoader loader_;
  ReloadablePolicy policy_;
  bool waiting_ = false;
};

WallTime Run::wall_now() const {
  if (clock_) return clock_->wall_now();
  return std::chrono::floor<std::chrono::milliseconds>(std::chrono::system_clock::now());
}

Result<ExitCode> Run::go() {
  auto policy = policy_.load();
  if (!policy) return fail(policy.error());
  auto fallback = load_fallback();
  if (!fallback) return fail(fallback.error());
  auto output = RunOutput::open(options_, log_);
  if (!output) return fail(output.error());
  const auto signals = Signals::listen();
  if (!signals) return fail(signals.error());
  auto connection = open_connection(options_, interval_, **signals);
  if (!connection) return fail(connection.error());
  clock_ = connection->clock;

  const std::string policy_name = (*policy)->name();
  take_over_state(**policy);
  Watchdog watchdog(watchdog_options(**signals));
  Coordinator coordinator(*connection->hypervisor, *connection->clock,
                          watchdog.watch(*std::move(policy)), coordinator_options());
  if (*fallback) coordinator.set_fallback(watchdog.watch(*std::move(fallback)));
  output->observe(coordinator);
  log_->info(fmt::format(
      "policy {} on {}, a tick every {:g} s, headroom {}{}", policy_name,
      connection->hypervisor->description(), std::chrono::duration<double>(interval_).count(),
      to_text(options_.limits.headroom), options_.dry_run ? ", dry run: nothing is moved" : ""));

  LoopOptions loop;
  loop.interval = interval_;
  if (options_.ticks) loop.ticks = static_cast<std::uint64_t>(*options_.ticks);
  loop.exit_when_idle = options_.exit_when_idle;
  const LoopEnd end = run_loop(coordinator, *connection->clock, loop,
                               hooks(coordinator, **signals, *output, *connection, watchdog));
  output->end_display();
  if (options_.restore_on_exit) output->tell_restored(coordinator.restore());
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
  return result;
}

Result<std::unique_ptr<Policy>> Run::load_fallback() const {
  if (!options_.fallback_policy) return nullptr;
  return loader_.load(*options_.fallback_policy, {});
}

LoopHooks Run::hooks(Coordinator& coordinator, Signals& signals, RunOutput& output,
                     const Connection& connection, Watchdog& watchdog) {
  LoopHooks hooks;
  hooks.stop_requested = [&signals] { return signals.stop_requested(); };
  hooks.take_reload = [&signals] { return signals.take_reload(); };
  hooks.reload = [this, &coordinator, &output, &watchdog] {
    reload(coordinator, output, watchdog);
  };
  hooks.over = connection.over;
  hooks.idle = [](const Tick& tick) {
    const auto& domains = tick.snapshot.domains;
    return !tick.sample_error && std::none_of(domains.begin(), domains.end(), can_be_moved);
  };
  hooks.after = [this, &output, &signals](const Tick& tick) { after(tick, output, signals); };
  hooks.skipped = [this](std::uint64_t missed) {
    log_->debug(fmt::format("a tick took longer than the interval: {} left out", missed));
  };
  return hooks;
}

void Run::after(const Tick& tick, RunOutput& output, Signals& signals) {
  output.after_tick();
  if (RunOutput::reader_is_gone()) signals.request_stop();
  const bool empty = !tick.sample_error && tick.snapshot.domains.empty();
  if (empty && !waiting_ && !options_.exit_when_idle) {
    log_->info("no active domains: waiting for some (--exit-when-idle ends the run instead)");
  }
  if (!tick.sample_error) waiting_ = empty;
}

WatchdogOptions Run::watchdog_options(const Signals& signals) const {
  WatchdogOptions watch;
  watch.limit = sandbox_limits(options_.policy_limits).time;
  watch.stop_requested = [&signals] { return signals.stop_requested(); };
  watch.say = [log = log_](const std::string& message) { log->error(message); };
  watch.give_up = [log = log_](WatchdogOptions::Reason reason, const std::string& state) {
    // _exit: destructors and atexit handlers could wait for the very call that is stuck.
    if (reason == WatchdogOptions::Reason::asked) ::_exit(static_cast<int>(ExitCode::forced));
    log->error("the process starts again, with what the policy kept in its last good tick");
    start_again(state);
    log->error("the process ends: it has been started again not long ago, or cannot be");
    ::_exit(static_cast<int>(ExitCode::failed));
  };
  return watch;
}

void Run::take_over_state(bindings::LuaPolicy& policy) {
  const std::string state = take_handed_over();
  if (state.empty()) return;
  if (Status adopted = policy.adopt_state_text(state); !adopted) {
    log_->warn("policy " + policy.name() + " starts without ctx.state: " + adopted.error().text());
  } else {
    log_->info("policy " + policy.name() + " has what it kept before the process started again");
  }
}

void Run::reload(Coordinator& coordinator, RunOutput& output, Watchdog& watchdog) {
  output.reopen();
  // Loading has a second, and what is kept is read and written within a tick's limits.
  const auto limit = std::chrono::seconds(2) + sandbox_limits(options_.policy_limits).time;
  auto policy = watchdog.during(options_.policy, limit, [this] { return policy_.reload(); });
  if (!policy) {
    log_->error("the policy is not reloaded, the one at work stays: " + policy.error().text());
    return;
  }
  const std::string name = policy->policy->name();
  log_->info("policy " + name + " reloaded");
  if (policy->state_lost) {
    log_->warn("policy " + name +
               " starts without the ctx.state of the one before: " + policy->state_lost->text());
  }
  coordinator.replace_policy(watchdog.watch(std::move(policy->policy)));
}

void add_examples(Command& command) {
  command.footer = examples_text({
      {"memcoord", "balance this host's domains with the default policy, every second"},
      {"memcoord --policy band --set low=120MiB 5", "a bundled policy, a parameter, every 5 s"},
      {"memcoord --policy ./mine.lua --dry-run", "see what your own policy would do"},
      {"memcoord --connect sim:case1 --fast --ticks 30", "watch it at work without a hypervisor"},
      {"memcoord --journal ticks.jsonl --json | jq .decisions", "for programs"},
  });
}

}  // namespace

void add_run_command(Command& program) {
  const auto options = std::make_shared<RunOptions>();
  add_run_options(program, *options);
  add_examples(program);
  program.action = [options, &program]() -> Result<ExitCode> {
    if (Status complete = complete_options(*options, program); !complete)
      return fail(complete.error());
    const auto interval = interval_of(*options, program);
    if (!interval) return fail(interval.error());
    return Run(*options, *interval).go();
  };
}

}  // namespace memcoord::cli
