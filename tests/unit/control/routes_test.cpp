#include "engine/control/routes.h"

#include <doctest/doctest.h>
#include <unistd.h>

#include <chrono>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "engine/observers/json.h"
#include "tests/text.h"
#include "tests/world/fakes.h"
#include "tests/world/world.h"

using namespace memcoord;
using namespace memcoord::control;
using namespace memcoord::test;
using memcoord::observers::Json;

namespace {

std::unique_ptr<Policy> policy_named(const std::string& name) {
  return asks({}, name);
}

/// The routes of a run on a host with "web", which is short, and "db".
struct ControlledRun {
  RunState state;
  int woken = 0;
  ChangeQueue changes{[this] { ++woken; }};
  RouteContext context{.state = state,
                       .changes = changes,
                       .version = "0.1",
                       .connection = "test:///",
                       .interval = std::chrono::seconds(1),
                       .started_at = WallTime(),
                       .local_time = false,
                       .now = [] { return WallTime(std::chrono::seconds(30)); },
                       .load_policy = {},
                       .reload_policy = [] { return policy_named("same"); }};
  Handler handler = make_handler(context);

  ControlledRun() {
    context.load_policy = [](const std::string& name, const auto&,
                             files::Readable) -> Result<std::unique_ptr<Policy>> {
      if (name == "bad") {
        return fail(ErrorCode::invalid_input, "bad.lua:1", "is not a policy", "fix it");
      }
      return policy_named(name);
    };
  }
  ControlledRun& tick() {
    Tick tick;
    tick.number = 1;
    tick.policy = "adaptive";
    tick.snapshot = World().host(8_GiB).domain("db").domain("web", actual(1_GiB), unused(40_MiB));
    state.observe(tick);
    return *this;
  }
  [[nodiscard]] Response get(const std::string& path,
                             std::map<std::string, std::string> query = {}) const {
    return handler({"GET", path, std::move(query), {}, {}});
  }
  [[nodiscard]] Response post(const std::string& path, const std::string& body) const {
    return handler({"POST", path, {}, body, {}});
  }
};

std::string error_in(const Response& response) {
  return Json::parse(response.body).value().at("error").string();
}

}  // namespace

TEST_CASE("status counts the domains and names those with problems") {
  ControlledRun run;
  CHECK(contains(run.get("/v1/status", {{"as", "text"}}).body, "no tick has ended yet"));
  run.tick();
  const std::string text = run.get("/v1/status", {{"as", "text"}}).body;
  CHECK(contains(text, "domains   2, 0 skipped\n"));
  CHECK(contains(text, "problems  web: short by 60 MiB: the host has nothing to grant\n"));
  const Json json = Json::parse(run.get("/v1/status").body).value();
  CHECK(json.at("domains").number() == 2);
  CHECK(json.at("problems").at(0).at("domain").string() == "web");
}

TEST_CASE("a domain is explained by its name and by its UUID, and an unknown one is refused") {
  ControlledRun run;
  CHECK(run.get("/v1/domains/web").status == 503);
  run.tick();
  CHECK(run.get("/v1/domains/web").status == 200);
  CHECK(run.get("/v1/domains/" + id("web").text()).body == run.get("/v1/domains/web").body);
  const Response unknown = run.get("/v1/domains/nobody");
  CHECK(unknown.status == 404);
  CHECK(error_in(unknown) == "no active domain nobody");
  CHECK(contains(run.get("/v1/domains/wbe").body, "did you mean web? "));
}

TEST_CASE("the newest tick has the journal's format") {
  ControlledRun run;
  CHECK(run.get("/v1/tick").status == 503);
  CHECK(contains(run.tick().get("/v1/tick").body, "\"memcoord-tick\""));
  Tick tick;
  tick.number = 2;
  run.state.observe(tick);
  CHECK(Json::parse(run.get("/v1/tick").body).value().at("tick").number() == 2);
}

TEST_CASE("events are chosen by age and domain") {
  ControlledRun run;
  run.tick();
  CHECK(contains(run.get("/v1/events", {{"as", "text"}}).body, "web           short"));
  CHECK(Json::parse(run.get("/v1/events").body).value().size() == 1);
  CHECK(Json::parse(run.get("/v1/events", {{"domain", "db"}}).body).value().size() == 0);
}

TEST_CASE("changes wait in the queue, and wake the loop") {
  ControlledRun run;
  run.tick();
  CHECK(run.post("/v1/pause", R"({"domain":"web","seconds":60})").status == 200);
  CHECK(run.post("/v1/policy", R"({"name":"band"})").status == 200);
  CHECK(run.post("/v1/dry-run", R"({"on":true})").status == 200);
  CHECK(run.post("/v1/reload", "").status == 200);
  CHECK(run.woken == 4);
  const auto changes = run.changes.drain();
  REQUIRE(changes.size() == 4);
  CHECK(changes[0].domain == id("web"));
  CHECK(changes[0].time == std::chrono::minutes(1));
  CHECK(changes[1].policy->name() == "band");
  CHECK(changes[2].on);
  CHECK(changes[3].policy->name() == "same");
  CHECK(run.changes.drain().empty());
}

TEST_CASE("a request that cannot be carried out is refused and queues nothing") {
  ControlledRun run;
  run.tick();
  CHECK(run.post("/v1/pause", R"({"domain":"nobody"})").status == 404);
  CHECK(run.post("/v1/pause", R"({"seconds":-1})").status == 400);
  CHECK(run.post("/v1/pause", R"({"seconds":"soon"})").status == 400);
  CHECK(run.post("/v1/pause", "nonsense").status == 400);
  CHECK(run.post("/v1/pause", "[1]").status == 400);
  const Response bad = run.post("/v1/policy", R"({"name":"bad"})");
  CHECK(bad.status == 400);
  CHECK(error_in(bad) == "bad.lua:1: is not a policy");
  CHECK(run.post("/v1/policy", "{}").status == 400);
  CHECK(run.post("/v1/policy", R"({"name":"band","set":{"low":120}})").status == 400);
  CHECK(run.post("/v1/dry-run", R"({"on":"yes"})").status == 400);
  CHECK(run.post("/v1/status", "").status == 404);
  CHECK(run.get("/v1/pause").status == 404);
  CHECK(run.handler({"DELETE", "/v1/status", {}, {}, {}}).status == 405);
  CHECK(run.get("/v1/events", {{"seconds", "1e400"}}).status == 400);
  CHECK(run.changes.drain().empty());
}

TEST_CASE("while every domain is paused, a single one cannot be resumed") {
  ControlledRun run;
  run.tick().state.set_paused({{true, "every domain"}});
  CHECK(run.post("/v1/resume", R"({"domain":"web"})").status == 409);
  CHECK(run.post("/v1/resume", "").status == 200);
}

TEST_CASE("a failed sample keeps the last ticks that worked, and a restoration is no tick") {
  RunState state;
  Tick tick;
  tick.number = 1;
  tick.snapshot = World().domain("web");
  state.observe(tick);
  tick.number = 2;
  state.observe(tick);
  Tick failed;
  failed.number = 3;
  failed.sample_error = Error{ErrorCode::unavailable, "test:///", "is down", {}, {}};
  state.observe(failed);
  tick.number = 4;
  tick.restoring = true;
  state.observe(tick);
  const RunState::View view = state.view();
  CHECK(view.newest->number == 3);
  CHECK(view.sampled->number == 2);
  CHECK(view.before->number == 1);
}

TEST_CASE("only root and the user of the run may name a policy file that others cannot read") {
  ControlledRun run;
  run.tick();
  files::Readable readable{};
  run.context.load_policy = [&](const std::string& name, const auto&,
                                files::Readable by) -> Result<std::unique_ptr<Policy>> {
    readable = by;
    return policy_named(name);
  };
  const auto readable_for = [&](std::optional<Peer> peer) {
    CHECK(run.handler({"POST", "/v1/policy", {}, R"({"name":"band"})", peer}).status == 200);
    static_cast<void>(run.changes.drain());
    return readable;
  };
  CHECK(readable_for(Peer{0, 1}) == files::Readable::by_memcoord);
  CHECK(readable_for(Peer{::geteuid(), 1}) == files::Readable::by_memcoord);
  CHECK(readable_for(Peer{::geteuid() + 1, 1}) == files::Readable::by_everyone);
  CHECK(readable_for(std::nullopt) == files::Readable::by_everyone);
}

TEST_CASE("changes that the loop does not make are refused when they are too many") {
  ControlledRun run;
  run.tick();
  CHECK(run.post("/v1/policy", R"({"name":"band"})").status == 200);
  CHECK(run.post("/v1/reload", "").status == 200);
  CHECK(run.post("/v1/policy", R"({"name":"band"})").status == 503);
  CHECK(run.changes.drain().size() == 2);
  std::size_t queued = 0;
  while (run.post("/v1/dry-run", R"({"on":true})").status == 200) ++queued;
  CHECK(queued == ChangeQueue::kMaxWaiting);
}

TEST_CASE("a change waits for the loop to make those before it") {
  ControlledRun run;
  run.tick();
  CHECK(run.post("/v1/reload", "").status == 200);
  CHECK(run.post("/v1/reload", "").status == 200);
  std::thread loop([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    static_cast<void>(run.changes.drain());
  });
  CHECK(run.post("/v1/reload", "").status == 200);
  loop.join();
}

TEST_CASE("the memory of events is bounded") {
  RunState state;
  Tick tick;
  tick.snapshot = World().domain("web");
  for (int i = 0; i < 10; ++i) {
    tick.notes.assign(2'000, {Note::Severity::info, std::string(2'000, 'x')});
    state.observe(tick);
  }
  const auto events = state.events(WallTime(), "");
  CHECK(events.size() == RunState::kMaxEvents);
  CHECK(events.front().text.size() <= RunState::kMaxEventText + 3);  // and "..."
}
