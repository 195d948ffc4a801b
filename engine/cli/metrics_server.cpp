#include "engine/cli/metrics_server.h"

#include <utility>

#include "engine/control/web_access.h"

namespace memcoord::cli {
namespace {

/// Reads of many clients must not fill the memory of the host that memcoord balances.
constexpr control::HttpLimits kMetricsLimits{.unread = std::size_t{8} << 20U};

std::string served_text(const control::WebAccess& access) {
  const bool loopback = access.address.reach() == control::TcpAddress::Reach::loopback;
  const std::string url = "http://" + access.address.text() + "/";
  if (access.token || loopback) return "live page on " + url + ", metrics on /metrics there";
  return "metrics on " + url + "metrics, and no other path without --metrics-token";
}

}  // namespace

Result<std::string> read_metrics_token(const std::string& path) {
  auto token = control::read_token(path);
  if (token) return token;
  Error error = token.error();
  error.object = "--metrics-token " + path;
  return fail(std::move(error));
}

Result<std::unique_ptr<MetricsServer>> MetricsServer::open(const RunOptions& options,
                                                           control::Handler handler,
                                                           observers::Log& log) {
  if (!options.metrics) return nullptr;
  // make_unique cannot call the private constructor.
  std::unique_ptr<MetricsServer> made(new MetricsServer(log));
  control::WebAccess access{.address = *options.metrics, .hosts = options.metrics_hosts};
  if (!options.metrics_token.empty()) {
    auto token = read_metrics_token(options.metrics_token);
    if (!token) return fail(token.error());
    made->token_ = std::make_unique<control::AccessToken>(options.metrics_token, *std::move(token));
    access.token = [&token = *made->token_] { return token.text(); };
  }
  const std::string text = served_text(access);
  auto server = control::HttpServer::listen(
      *options.metrics, control::restricted(std::move(handler), std::move(access)), kMetricsLimits);
  if (!server) return fail(server.error());
  made->server_ = *std::move(server);
  log.info(text);
  return made;
}

std::string MetricsServer::read_token_again() {
  if (!token_) return {};
  if (Status read = token_->read_again(); !read) {
    log_.error("cannot read the token of --metrics again, the old one stays: " +
               read.error().text());
    return "the token of --metrics stays";
  }
  return "the token of --metrics is read again";
}

}  // namespace memcoord::cli
