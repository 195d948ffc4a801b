#pragma once
// The two sources of ticks. Both ask the routes of the control socket (engine/control/routes.h).

#include <condition_variable>
#include <deque>
#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <stop_token>
#include <string>
#include <thread>

#include "engine/control/http.h"
#include "engine/control/run_state.h"
#include "engine/core/error.h"
#include "engine/core/memory_size.h"
#include "engine/core/time.h"
#include "engine/screen/tick_source.h"

namespace memcoord::screen {

/// The run in this process. Whoever runs it tells the screen about new ticks.
class RunSource final : public TickSource {
 public:
  /// Both outlive the source; the handler answers in any thread.
  RunSource(const control::RunState& state, control::Handler handler)
      : state_(state), handler_(std::move(handler)) {}
  void begin(std::function<void()> /*news*/) override {}
  Reading read() override;
  void ask(const Query& query) override;

 private:
  const control::RunState& state_;
  control::Handler handler_;
  std::deque<Reply> replies_;
};

/// The newest tick of the run that serves a socket; nothing before its first tick. Errors: those of
/// send_request() and response_body(); invalid_input (the tick is none that this program can read).
Result<std::shared_ptr<const Tick>> request_newest_tick(const std::filesystem::path& socket,
                                                        Units units);

/// A run that serves a control socket. A thread of its own sends the requests.
class SocketSource final : public TickSource {
 public:
  struct Options {
    std::filesystem::path socket;
    Duration interval{};  ///< between two requests for the newest tick
    Units units = Units::automatic;
    std::shared_ptr<const Tick> first = {};  ///< a tick that was requested already, or null
  };
  explicit SocketSource(Options options) : options_(std::move(options)), newest_(options_.first) {}
  void begin(std::function<void()> news) override;
  Reading read() override;
  void ask(const Query& query) override;

 private:
  void run(const std::stop_token& stop);
  void poll();
  void reply_to(const Query& query);

  Options options_;
  std::function<void()> news_;
  std::mutex mutex_;
  std::condition_variable_any changed_;
  std::shared_ptr<const Tick> newest_;              // under mutex_
  std::string problem_;                             // under mutex_
  std::chrono::steady_clock::time_point answered_;  // under mutex_: the last good answer
  std::deque<Query> queries_;                       // under mutex_
  std::deque<Reply> replies_;                       // under mutex_
  std::jthread thread_;                             // the last member: it uses the others
};

}  // namespace memcoord::screen
