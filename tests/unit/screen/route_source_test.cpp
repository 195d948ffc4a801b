#include "engine/screen/route_source.h"

#include <doctest/doctest.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <filesystem>
#include <future>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "engine/control/http.h"
#include "engine/observers/tick_json.h"
#include "tests/integration/cli/scratch_files.h"
#include "tests/text.h"
#include "tests/world/world.h"

using namespace memcoord;
using namespace memcoord::screen;
using memcoord::control::Request;
using memcoord::control::Response;
using memcoord::test::id;

namespace {

Tick numbered_tick(std::uint64_t number) {
  Tick tick;
  tick.number = number;
  tick.policy = "halving";
  return tick;
}

/// A server whose requests a test sees, in a folder of its own.
struct FakeRun {
  explicit FakeRun(control::Handler handler) : handler_(std::move(handler)) { begin(); }
  void begin() { server = control::HttpServer::listen(socket, handler_).value(); }

  testing::ScratchFiles files;
  std::filesystem::path socket = files.path("run.sock");
  std::unique_ptr<control::HttpServer> server;

 private:
  control::Handler handler_;
};

/// Waits for news of a source until a reading satisfies a condition.
class Reader {
 public:
  explicit Reader(TickSource& source) : source_(source) {
    source_.begin([news = news_] {
      const std::lock_guard lock(news->mutex);
      news->came = true;
      news->changed.notify_all();
    });
  }
  template <class Holds>
  TickSource::Reading until(Holds holds) {
    for (;;) {
      TickSource::Reading reading = source_.read();
      if (holds(reading)) return reading;
      std::unique_lock lock(news_->mutex);
      REQUIRE(
          news_->changed.wait_for(lock, std::chrono::minutes(1), [this] { return news_->came; }));
      news_->came = false;
    }
  }

 private:
  /// The source's thread may outlive the reader.
  struct News {
    std::mutex mutex;
    std::condition_variable changed;
    bool came = false;
  };
  TickSource& source_;
  std::shared_ptr<News> news_ = std::make_shared<News>();
};

}  // namespace

TEST_CASE("a run's source has its newest tick, and asks its routes in the name of this process") {
  control::RunState state;
  std::vector<Request> requests;
  RunSource source(state, [&](const Request& request) {
    requests.push_back(request);
    if (request.method == "GET") return Response{200, "why\n", "text/plain"};
    return Response{200, R"({"done":"web is paused"})"};
  });
  CHECK_FALSE(source.read().newest);
  state.observe(numbered_tick(3));
  CHECK(source.read().newest->number == 3);

  source.ask({Query::Kind::explain, id("web")});
  source.ask({Query::Kind::pause, id("web")});
  source.ask({Query::Kind::resume, {}});
  source.ask({});
  REQUIRE(requests.size() == 3);
  CHECK(requests[0].path == "/v1/domains/" + id("web").text());
  CHECK(requests[1].path == "/v1/pause");
  CHECK(contains(requests[1].body, id("web").text()));
  CHECK(requests[1].peer->process == ::getpid());
  CHECK(requests[2].path == "/v1/resume");
  CHECK(requests[2].body == "{}");
  CHECK(source.read().reply->text == "why\n");
  CHECK(source.read().reply->text == "web is paused");
  CHECK(source.read().reply);
  CHECK_FALSE(source.read().reply);
}

TEST_CASE("a refused query is a failed reply with the reason and the hint") {
  const control::RunState state;
  RunSource source(state, [](const Request&) {
    return Response{409, R"({"error":"every domain is paused","hint":"resume them all"})"};
  });
  source.ask({Query::Kind::resume, id("web")});
  const auto reply = source.read().reply;
  REQUIRE(reply);
  CHECK(reply->failed);
  CHECK(contains(reply->text, "every domain is paused; resume them all"));
}

TEST_CASE("a socket's source polls ticks and sends queries in between") {
  std::uint64_t number = 0;
  FakeRun run([&](const Request& request) {
    if (request.path == "/v1/tick") {
      return Response{200, observers::to_json_line(numbered_tick(++number))};
    }
    return Response{200, "because\n", "text/plain"};
  });
  SocketSource source({run.socket, std::chrono::milliseconds(1), Units::mib});
  Reader reader(source);
  const auto reading =
      reader.until([](const auto& now) { return now.newest && now.newest->number >= 3; });
  CHECK(reading.newest->limits.units == Units::mib);
  CHECK(reading.problem.empty());
  source.ask({Query::Kind::explain, id("web")});
  const auto replied = reader.until([](const auto& now) { return now.reply.has_value(); });
  CHECK(replied.reply->text == "because\n");
}

TEST_CASE("a socket's source keeps its tick while the run is away, and goes on when it is back") {
  FakeRun run([](const Request&) {
    return Response{200, observers::to_json_line(numbered_tick(4))};
  });
  SocketSource source({run.socket, std::chrono::milliseconds(1), Units::automatic});
  Reader reader(source);
  reader.until([](const auto& now) { return now.newest != nullptr; });
  run.server.reset();
  // A request that was on its way may fail in another way.
  const auto away = reader.until(
      [](const auto& now) { return contains(now.problem, "run.sock: no memcoord runs here"); });
  CHECK(away.newest->number == 4);
  run.begin();
  reader.until([](const auto& now) { return now.problem.empty(); });
}

TEST_CASE("a socket of another program makes a failed reply and not an exception") {
  std::mutex mutex;
  Response response;
  FakeRun run([&](const Request& request) {
    if (request.path == "/v1/tick") {
      return Response{200, observers::to_json_line(numbered_tick(1))};
    }
    const std::lock_guard lock(mutex);
    return response;
  });
  for (const Response& other :
       {Response{200, "{}"}, Response{200, "[]"}, Response{200, R"({"done":5})"},
        Response{200, "no json"}, Response{400, R"({"error":5})"}, Response{500, "[]"},
        Response{400, R"({"error":"no","hint":5})"}}) {
    CAPTURE(other.body);
    {
      const std::lock_guard lock(mutex);
      response = other;
    }
    SocketSource source({run.socket, std::chrono::hours(1), Units::automatic});
    Reader reader(source);
    source.ask({Query::Kind::pause, {}});
    const auto reading = reader.until([](const auto& now) { return now.reply.has_value(); });
    CHECK(reading.reply->failed);
    if (other.status == 200) {
      CHECK(contains(reading.reply->text,
                     "run.sock: is not a memcoord's control socket: unexpected response"));
    }
  }
}

TEST_CASE("space does not wait for the interval") {
  std::uint64_t number = 0;
  FakeRun run([&](const Request&) {
    return Response{200, observers::to_json_line(numbered_tick(++number))};
  });
  SocketSource source({run.socket, std::chrono::hours(1), Units::automatic});
  Reader reader(source);
  reader.until([](const auto& now) { return now.newest != nullptr; });
  source.ask({});
  reader.until([](const auto& now) { return now.newest->number == 2; });
}

TEST_CASE("space asks once while the run does not answer") {
  std::atomic<std::uint64_t> number = 0;
  std::promise<void> may_answer;
  std::shared_future<void> answers = may_answer.get_future().share();
  FakeRun run([&](const Request& request) {
    answers.wait();
    if (request.path != "/v1/tick") return Response{200, "because\n", "text/plain"};
    return Response{200, observers::to_json_line(numbered_tick(++number))};
  });
  SocketSource source({run.socket, std::chrono::hours(1), Units::automatic});
  Reader reader(source);
  for (int i = 0; i < 100; ++i) source.ask({});
  source.ask({Query::Kind::explain, id("web")});
  may_answer.set_value();
  reader.until([](const auto& now) { return now.reply.has_value(); });
  CHECK(number <= 2);
}

TEST_CASE("a run before its first tick is not an error, and a tick of another version is") {
  Response response{503, R"({"error":"no tick has ended yet"})"};
  FakeRun run([&](const Request&) { return response; });
  const auto none = request_newest_tick(run.socket, Units::automatic);
  REQUIRE(none);
  CHECK(*none == nullptr);
  response = {200, R"({"format":"memcoord-tick","version":99})"};
  CHECK_FALSE(request_newest_tick(run.socket, Units::automatic));
  response = {200, "no json"};
  CHECK_FALSE(request_newest_tick(run.socket, Units::automatic));
}
