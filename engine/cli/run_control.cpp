#include "engine/cli/run_control.h"

#include <fmt/core.h>
#include <unistd.h>

#include <cstdlib>
#include <vector>

#include "engine/cli/system_time.h"
#include "engine/cli/version.h"
#include "engine/observers/amounts.h"
#include "engine/observers/events.h"
#include "engine/page/page.h"

namespace memcoord::cli {
namespace {

namespace fs = std::filesystem;
using control::Change;

std::optional<fs::path> socket_to_serve(const RunOptions& options) {
  if (options.control == "off") return std::nullopt;
  if (!options.control.empty()) return options.control;
  if (options.connect.value_or("").starts_with("sim:")) return std::nullopt;
  const fs::path service(kServiceSocket);
  if (::access(service.parent_path().c_str(), W_OK) == 0) return service;
  return user_socket();
}

/// A note that names the user who requested the change.
Note change_note(const std::string& text, const Change& change) {
  return {Note::Severity::info, text + ", requested by " + change.who};
}

/// The policy of a change, or null.
std::unique_ptr<bindings::LuaPolicy> lua_policy_of(Change& change) {
  // The loaders in the constructor load no other kind of policy.
  return std::unique_ptr<bindings::LuaPolicy>(
      static_cast<bindings::LuaPolicy*>(change.policy.release()));
}

}  // namespace

std::optional<fs::path> user_socket() {
  const char* folder = std::getenv("XDG_RUNTIME_DIR");
  if (folder == nullptr || *folder == '\0') return std::nullopt;
  return fs::path(folder) / "memcoord.sock";
}

fs::path control_socket(const std::string& named) {
  if (!named.empty()) return named;
  std::error_code ignored;
  if (const auto own = user_socket(); own && fs::exists(*own, ignored)) return *own;
  return kServiceSocket;
}

RunControl::RunControl(const Run& run)
    : policy_(run.policy),
      metrics_(run.metrics),
      configuration_(run.options.config),
      changes_([&signals = run.signals] { signals.wake(); }),
      context_{.state = state_,
               .changes = changes_,
               .version = std::string(kVersion),
               .connection = run.connection,
               .interval = run.interval,
               .started_at = run.clock.wall_now(),
               .local_time = true,
               .now = system_wall_time} {
  using Loaded = Result<std::unique_ptr<Policy>>;
  context_.load_policy = [&policy = run.policy](const std::string& name, const auto& settings,
                                                files::Readable readable) -> Loaded {
    return policy.change_to(name, settings, readable);
  };
  context_.load_fallback = [&policy = run.policy](const std::string& name, const auto& settings,
                                                  files::Readable readable) -> Loaded {
    return policy.load_other(name, settings, readable);
  };
  context_.metrics = [&metrics = run.metrics, all = run.options.metrics_domains](bool openmetrics,
                                                                                 bool domains) {
    return metrics.text(openmetrics ? metrics::Format::openmetrics : metrics::Format::prometheus,
                        domains && all ? metrics::Domains::on : metrics::Domains::off);
  };
  context_.metrics_revision = [&metrics = run.metrics] { return metrics.revision(); };
  context_.history = &history_;
  context_.policies = BundledFiles(BundledKind::policy, data_directories())
                          .names()
                          .value_or(std::vector<std::string>());
  context_.load_bundled = [this](const std::string& name) -> Loaded {
    return what_if_loader_.load(name, {});
  };
  context_.page = page::page_file;
  context_.reload_policy = [&policy = run.policy]() -> Loaded { return policy.load(); };
  if (run.options.no_wait) {  // the clock's times mean nothing outside the run
    context_.now = [&state = state_, begin = context_.started_at] {
      const auto newest = state.view().newest;
      return newest ? newest->snapshot.wall_time : begin;
    };
  }
  handler_ = control::make_handler(context_);
}

Result<std::unique_ptr<RunControl>> RunControl::open(const Run& run) {
  // make_unique cannot call the private constructor.
  std::unique_ptr<RunControl> control(new RunControl(run));
  if (Status served = control->serve(run); !served) return fail(served.error());
  if (!control->server_ && !control->metrics_server_ && !run.has_screen) return nullptr;
  return control;
}

Status RunControl::serve(const Run& run) {
  auto metrics = MetricsServer::open(run.options, handler_, run.log);
  if (!metrics) return fail(metrics.error());
  metrics_server_ = *std::move(metrics);
  const auto socket = socket_to_serve(run.options);
  if (!socket) return {};
  auto server = control::HttpServer::listen(*socket, handler_);
  if (server) {
    server_ = *std::move(server);
  } else if (!run.options.control.empty()) {
    return fail(server.error());
  } else {
    run.log.info("the run has no control socket: " + server.error().text());
  }
  return {};
}

std::string RunControl::read_token_again() {
  return metrics_server_ ? metrics_server_->read_token_again() : std::string();
}

std::unique_ptr<screen::TickSource> RunControl::source() const {
  return std::make_unique<screen::RunSource>(state_, handler_);
}

void RunControl::make_changes(const Means& means) {
  for (Change& change : changes_.drain()) make(change, means);
  show_pauses(means.clock.wall_now());
}

void RunControl::make(Change& change, const Means& means) {
  switch (change.kind) {
    case Change::Kind::pause:
      pause(change, means);
      return;
    case Change::Kind::resume:
      resume(change, means);
      return;
    case Change::Kind::dry_run:
      means.coordinator.set_dry_run(change.on);
      means.coordinator.add_note(change_note(change.on ? "dry run on" : "dry run off", change));
      return;
    case Change::Kind::reload:
      reload(change, means);
      return;
    case Change::Kind::fallback:
      set_fallback(change, means);
      return;
    case Change::Kind::reserve:
      reserve(change, means);
      return;
    case Change::Kind::release:
      if (means.coordinator.release(change.domain_name)) {
        means.coordinator.add_note(
            change_note("the reserve for " + change.domain_name + " is released", change));
      }
      return;
    case Change::Kind::policy:
      break;
  }
  auto policy = lua_policy_of(change);
  means.coordinator.add_note(change_note("policy " + policy->name() + " decides", change));
  means.replace_policy(std::move(policy));
}

void RunControl::reload(Change& change, const Means& means) {
  const ServiceManager::Reload reload(means.service, means.clock.now());
  std::string text;
  metrics_.count_reload(change.policy != nullptr);
  if (auto policy = lua_policy_of(change)) {
    text = "policy " + policy->name() + " is loaded again, " +
           (policy_.is_current(*policy) ? "unchanged" : "with changes");
    means.coordinator.add_note(change_note("policy " + policy->name() + " reloaded", change));
    means.replace_policy(std::move(policy));
  } else {
    text = "the old policy stays";
    means.coordinator.add_note(
        {Note::Severity::error, "cannot reload the policy, the old one stays: " + change.problem +
                                    "; requested by " + change.who});
  }
  if (const std::string journal = means.reopen_journal(); !journal.empty()) text += "; " + journal;
  if (const std::string token = read_token_again(); !token.empty()) text += "; " + token;
  if (!configuration_.empty()) {
    text += "; " + configuration_ + " is not read again: restart memcoord to apply it";
  }
  if (change.result) change.result->set_value(std::move(text));
}

void RunControl::set_fallback(Change& change, const Means& means) {
  auto policy = lua_policy_of(change);
  const std::string name = policy ? policy->name() : std::string();
  means.coordinator.add_note(
      change_note(policy ? "fallback policy " + name : std::string("no fallback policy"), change));
  means.set_fallback(std::move(policy));
  state_.set_fallback(name);
}

void RunControl::pause(const Change& change, const Means& means) {
  const std::string what = change.domain ? change.domain_name : std::string("every domain");
  Pause pause{"paused", std::nullopt};
  ShownPause shown{what, std::nullopt};
  std::string until;
  if (change.time) {
    pause.until = means.clock.now() + *change.time;
    const WallTime now = means.clock.wall_now();
    shown.until = now + std::chrono::floor<WallTime::duration>(*change.time);
    until = " until " + observers::brief_time_text(*shown.until, now, true);
  }
  pause.why += until + " by " + change.who;
  shown.text += until + ", by " + change.who;
  means.coordinator.pause(change.domain, std::move(pause));
  means.coordinator.add_note(change_note(what + " paused" + until, change));
  pauses_[change.domain] = std::move(shown);
}

void RunControl::resume(const Change& change, const Means& means) {
  means.coordinator.resume(change.domain);
  if (change.domain) {
    pauses_.erase(change.domain);
  } else {
    pauses_.clear();
  }
  means.coordinator.add_note(change_note(
      (change.domain ? change.domain_name : std::string("every domain")) + " resumed", change));
}

void RunControl::reserve(const Change& change, const Means& means) {
  const Duration time = change.time.value_or(Duration());
  const bool added = means.coordinator.reserve({.name = change.domain_name,
                                                .uuid = change.domain,
                                                .size = change.size,
                                                .since = change.since,
                                                .until = means.clock.now() + time});
  const std::string what = change.size.text() + " for " + change.domain_name;
  means.coordinator.add_note(
      added ? change_note("reserve " + what + " for " + observers::set_time_text(time), change)
            : Note{Note::Severity::warning, "cannot reserve " + what + ": there are " +
                                                std::to_string(ReserveBook::kMost) +
                                                " reserves already"});
}

void RunControl::show_pauses(WallTime now) {
  std::erase_if(
      pauses_, [&](const auto& entry) { return entry.second.until && *entry.second.until <= now; });
  std::vector<control::RunState::Paused> shown;
  for (const auto& [domain, pause] : pauses_) shown.push_back({!domain, pause.text, domain});
  state_.set_paused(std::move(shown));
}

}  // namespace memcoord::cli
