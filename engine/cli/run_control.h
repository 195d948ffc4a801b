#pragma once
// The control of one run: serves its state to a socket and a screen, and makes the changes that
// operators request.

#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "bindings/lua_policy.h"
#include "engine/cli/metrics_server.h"
#include "engine/cli/policy_loader.h"
#include "engine/cli/run_loop.h"
#include "engine/cli/run_options.h"
#include "engine/cli/service_manager.h"
#include "engine/control/http.h"
#include "engine/control/routes.h"
#include "engine/control/run_history.h"
#include "engine/control/run_state.h"
#include "engine/core/coordinator.h"
#include "engine/core/error.h"
#include "engine/metrics/metrics.h"
#include "engine/observers/action_log.h"
#include "engine/screen/route_source.h"

namespace memcoord::cli {

/// The control socket in the user's runtime folder ($XDG_RUNTIME_DIR), if there is one.
std::optional<std::filesystem::path> user_socket();
/// The control socket for a command: the one that --control names; otherwise that of the user's own
/// run, if there is one, or the service's.
std::filesystem::path control_socket(const std::string& named);

class RunControl {
 public:
  /// The run that is controlled. Its parts outlive the RunControl.
  struct Run {
    const RunOptions& options;
    Duration interval;
    std::string connection;  ///< "qemu:///system"
    const Clock& clock;
    Signals& signals;
    ReloadablePolicy& policy;
    observers::Log& log;
    metrics::RunMetrics& metrics;
    bool has_screen;  ///< it needs a source()
  };
  /// Serves the socket that --control names. Without the option, a run on a real host serves
  /// kServiceSocket if its folder is writable, otherwise user_socket(); it logs why it cannot.
  /// Also serves the address that --metrics names. Returns null if the run has neither a socket
  /// nor such an address nor a screen. Errors: those of HttpServer::listen() for a socket that
  /// --control names, and those of MetricsServer::open().
  static Result<std::unique_ptr<RunControl>> open(const Run& run);

  /// Call it before the first tick. This object must outlive the coordinator's ticks.
  void observe(Coordinator& coordinator, const std::string& fallback) {
    state_.set_fallback(fallback);
    coordinator.add_observer(state_);
    coordinator.add_observer(history_);
  }

  /// Call it after each tick.
  void set_journal_loss(std::optional<observers::JournalLoss> loss) {
    state_.set_journal_loss(std::move(loss));
  }

  /// The run, for a screen. The source must not outlive this object.
  [[nodiscard]] std::unique_ptr<screen::TickSource> source() const;

  /// Reads the token of --metrics again, if there is one. Logs an error, after which the old token
  /// stays. Returns the result in words; empty without a token.
  std::string read_token_again();

  /// The means to make changes.
  struct Means {
    Coordinator& coordinator;
    const Clock& clock;
    std::function<std::string()> reopen_journal;  ///< returns RunOutput::reopen()
    std::function<void(std::unique_ptr<bindings::LuaPolicy>)> replace_policy;
    std::function<void(std::unique_ptr<bindings::LuaPolicy>)> set_fallback;  ///< null: none
    ServiceManager& service;
  };
  /// Makes the changes requested since the last call. Call it in the loop's thread.
  void make_changes(const Means& means);

 private:
  explicit RunControl(const Run& run);
  Status serve(const Run& run);
  void make(control::Change& change, const Means& means);
  void pause(const control::Change& change, const Means& means);
  void resume(const control::Change& change, const Means& means);
  void reserve(const control::Change& change, const Means& means);
  void reload(control::Change& change, const Means& means);
  void set_fallback(control::Change& change, const Means& means);
  void show_pauses(WallTime now);

  struct ShownPause {
    std::string text;
    std::optional<WallTime> until;
  };
  std::map<std::optional<Uuid>, ShownPause> pauses_;
  ReloadablePolicy& policy_;
  metrics::RunMetrics& metrics_;
  std::string configuration_;  ///< its path, if there is one
  PolicyLoader what_if_loader_{PolicyLimitOptions{}};
  control::RunState state_;
  control::RunHistory history_;
  control::ChangeQueue changes_;
  control::RouteContext context_;
  control::Handler handler_;  ///< of context_
  // The last members: their threads use the others.
  std::unique_ptr<control::HttpServer> server_;
  std::unique_ptr<MetricsServer> metrics_server_;
};

}  // namespace memcoord::cli
