#include "engine/screen/route_source.h"

#include <unistd.h>

#include <algorithm>
#include <utility>

#include "engine/observers/json.h"
#include "engine/observers/tick_json.h"

namespace memcoord::screen {
namespace {

using control::Request;
using control::Response;
using observers::Json;

constexpr std::chrono::seconds kPatience{2};  // with one request

Request request_for(const Query& query) {
  if (query.kind == Query::Kind::explain) {
    return {"GET", "/v1/domains/" + query.domain->text(), {{"as", "text"}}, {}, {}};
  }
  Json body = Json::object();
  if (query.domain) body.set("domain", query.domain->text());
  return {
      "POST", query.kind == Query::Kind::pause ? "/v1/pause" : "/v1/resume", {}, body.line(), {}};
}

Reply reply_from(const Query& query, const Result<Response>& response,
                 const std::filesystem::path& socket) {
  auto body =
      response ? control::response_body(*response) : Result<std::string>(fail(response.error()));
  if (!body) return {query.kind, body.error().text(), true};
  if (query.kind == Query::Kind::explain) return {query.kind, *std::move(body), false};
  auto done = control::done_text(*body, socket);
  if (!done) return {query.kind, done.error().text(), true};
  return {query.kind, *std::move(done), false};
}

std::optional<Reply> next_reply(std::deque<Reply>& replies) {
  if (replies.empty()) return std::nullopt;
  Reply reply = std::move(replies.front());
  replies.pop_front();
  return reply;
}

}  // namespace

TickSource::Reading RunSource::read() {
  return {.newest = state_.view().newest, .reply = next_reply(replies_)};
}

void RunSource::ask(const Query& query) {
  if (query.kind == Query::Kind::refresh) return;
  Request request = request_for(query);
  request.peer = control::Peer{::getuid(), ::getpid()};
  replies_.push_back(reply_from(query, handler_(request), "this run"));
}

Result<std::shared_ptr<const Tick>> request_newest_tick(const std::filesystem::path& socket,
                                                        Units units) {
  constexpr int kNoTickYet = 503;
  const auto response = control::send_request(socket, {"GET", "/v1/tick", {}, {}, {}}, kPatience);
  if (!response) return fail(response.error());
  if (response->status == kNoTickYet) return nullptr;
  const auto body = control::response_body(*response);
  if (!body) return fail(body.error());
  auto tick = observers::tick_from_json_line(*body, socket.string());
  if (!tick) return fail(tick.error());
  tick->limits.units = units;
  return std::make_shared<const Tick>(*std::move(tick));
}

void SocketSource::begin(std::function<void()> news) {
  news_ = std::move(news);
  answered_ = std::chrono::steady_clock::now();
  thread_ = std::jthread([this](const std::stop_token& stop) { run(stop); });
}

TickSource::Reading SocketSource::read() {
  const std::lock_guard lock(mutex_);
  return {.newest = newest_,
          .problem = problem_,
          .silent = std::chrono::floor<std::chrono::seconds>(std::chrono::steady_clock::now() -
                                                             answered_),
          .reply = next_reply(replies_)};
}

void SocketSource::ask(const Query& query) {
  const std::lock_guard lock(mutex_);
  if (std::find(queries_.begin(), queries_.end(), query) != queries_.end()) return;
  queries_.push_back(query);
  changed_.notify_all();
}

void SocketSource::run(const std::stop_token& stop) {
  auto due = std::chrono::steady_clock::now();
  while (!stop.stop_requested()) {
    std::optional<Query> query;
    {
      std::unique_lock lock(mutex_);
      changed_.wait_until(lock, stop, due, [this] { return !queries_.empty(); });
      if (stop.stop_requested()) return;
      if (!queries_.empty()) {
        query = queries_.front();
        queries_.pop_front();
      }
    }
    if (query && query->kind != Query::Kind::refresh) {
      reply_to(*query);
    } else {
      poll();
      due = std::chrono::steady_clock::now() + options_.interval;
    }
    news_();
  }
}

void SocketSource::poll() {
  auto tick = request_newest_tick(options_.socket, options_.units);
  const std::lock_guard lock(mutex_);
  problem_ = tick ? std::string() : tick.error().object + ": " + tick.error().message;
  if (!tick) return;
  answered_ = std::chrono::steady_clock::now();
  newest_ = *std::move(tick);
}

void SocketSource::reply_to(const Query& query) {
  const auto response = control::send_request(options_.socket, request_for(query), kPatience);
  Reply reply = reply_from(query, response, options_.socket);
  const std::lock_guard lock(mutex_);
  replies_.push_back(std::move(reply));
}

}  // namespace memcoord::screen
