#pragma once
// The server of --metrics: the run's state over TCP, read only.

#include <memory>
#include <string>

#include "engine/cli/run_options.h"
#include "engine/control/access_token.h"
#include "engine/control/http.h"
#include "engine/core/error.h"
#include "engine/observers/action_log.h"

namespace memcoord::cli {

/// The token in a file. Errors: those of control::read_token(), with the option in their object.
Result<std::string> read_metrics_token(const std::string& path);

class MetricsServer {
 public:
  /// Serves what the options name and logs where; returns null without --metrics. `handler` and
  /// `log` must outlive the server. Errors: those of read_metrics_token() and of
  /// HttpServer::listen() for a TCP address.
  static Result<std::unique_ptr<MetricsServer>> open(const RunOptions& options,
                                                     control::Handler handler, observers::Log& log);
  /// Reads the token's file again. Logs an error, after which the old token stays. Returns the
  /// result in words; empty without a token.
  std::string read_token_again();

 private:
  explicit MetricsServer(observers::Log& log) : log_(log) {}

  observers::Log& log_;
  std::unique_ptr<control::AccessToken> token_;  ///< null without --metrics-token
  std::unique_ptr<control::HttpServer> server_;  // the last member: its thread uses the token
};

}  // namespace memcoord::cli
