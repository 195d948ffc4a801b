#include "engine/control/routes.h"

#include <doctest/doctest.h>
#include <unistd.h>

#include <chrono>
#include <cstdint>
#include <map>
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
                       .reload_policy = [] { return policy_named("same"); },
                       .patience = {}};
  Handler handler = make_handler(context);

  ControlledRun() {
    context.load_policy = [](const std::string& name, const auto&,
                             files::Readable) -> Result<std::unique_ptr<Policy>> {
      if (name == "bad") {
        return fail(ErrorCode::invalid_input, "bad.lua:1", "is not a policy", "fix it");
      }
      return policy_named(name);
    };
    context.load_fallback = context.load_policy;
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

TEST_CASE("status lists the domains, those with problems first, and since when") {
  ControlledRun run;
  CHECK(contains(run.get("/v1/status", {{"as", "text"}}).body, "no tick has ended yet"));
  run.tick();
  const std::string text = run.get("/v1/status", {{"as", "text"}}).body;
  CHECK(contains(text, "running for 30 s (since 00:00:00)\n"));
  CHECK(contains(text, "domains   2, 0 skipped, 1 with a problem\n"));
  CHECK(
      contains(text,
               "\n\n"
               "DOMAIN  STATE    ACTUAL  HEADROOM  PROBLEM\n"
               "web     running   1 GiB    40 MiB  short by 60 MiB: the host has nothing to grant "
               "(since 2024-05-17 00:00:00)\n"
               "db      running   1 GiB"));
  const Json json = Json::parse(run.get("/v1/status").body).value();
  CHECK(json.at("domain_count").number() == 2);
  CHECK(json.at("skipped_count").number() == 0);
  CHECK(json.at("problems").at(0).at("domain").string() == "web");
  CHECK(json.at("domains").at(0).at("headroom_kib").number() == 40 * 1024);
  CHECK(json.at("domains").at(0).at("since").string() == "2024-05-17T00:00:00.000Z");
  CHECK(json.at("domains").at(1).at("problem") == Json());
}

TEST_CASE("status tells that a tick asks for an early one") {
  ControlledRun run;
  const auto text = [&] { return run.get("/v1/status", {{"as", "text"}}).body; };
  Tick tick;
  tick.snapshot = World().domain("db");
  run.state.observe(tick);
  CHECK(!contains(text(), "asks for an early one"));
  tick.again = Duration();
  run.state.observe(tick);
  CHECK(contains(text(), " ms, asks for an early one\n"));
}

TEST_CASE("status tells since when the run fails and which policy decides instead") {
  ControlledRun run;
  run.state.set_fallback("careful");
  run.context.now = [] { return WallTime(std::chrono::seconds(20)); };
  Tick tick;
  tick.policy = "adaptive";
  tick.snapshot = World().domain("db");
  run.state.observe(tick);
  const auto text = [&] { return run.get("/v1/status", {{"as", "text"}}).body; };
  CHECK(contains(text(), "policy    adaptive, fallback careful\n"));
  CHECK(contains(text(), "problems  none\n"));
  tick.policy_error = Error{ErrorCode::policy_failed, "a.lua:3", "broke", {}, {}};
  tick.fallback = "careful";
  for (int second = 10; second < 20; ++second) {
    tick.snapshot.wall_time = WallTime(std::chrono::seconds(second));
    run.state.observe(tick);
  }
  CHECK(contains(text(),
                 "policy    adaptive; it fails, and the fallback policy careful decides "
                 "(since 00:00:10)\n"));
  CHECK(contains(text(), "problems  The policy adaptive fails: a.lua:3: broke (since 00:00:10)\n"));
  const Json json = Json::parse(run.get("/v1/status").body).value();
  CHECK(json.at("fallback_decides") == Json(true));
  CHECK(json.at("problems").at(0).at("since").string() == "1970-01-01T00:00:10.000Z");
}

TEST_CASE("status tells since when a domain does not answer, not since when it was short") {
  ControlledRun run;
  Tick tick;
  const auto observe = [&](int second, DomainState state) {
    tick.snapshot = World().host(8_GiB).domain("web", actual(1_GiB), unused(40_MiB));
    tick.snapshot.domains[0].state = state;
    tick.snapshot.wall_time = WallTime(std::chrono::seconds(second));
    tick.snapshot.taken_at = MonotonicTime(std::chrono::seconds(second));
    run.state.observe(tick);
    return run.get("/v1/status", {{"as", "text"}}).body;
  };
  CHECK(contains(observe(7, DomainState::running), "nothing to grant (since 00:00:07)\n"));
  observe(12, DomainState::hung);
  CHECK(contains(observe(13, DomainState::hung), "does not answer (since 00:00:12)\n"));
  CHECK(contains(observe(14, DomainState::running), "nothing to grant (since 00:00:07)\n"));
  CHECK(contains(observe(15, DomainState::hung), "does not answer (since 00:00:15)\n"));
}

TEST_CASE("status shows no figures of a silent guest, and since when it reports nothing") {
  ControlledRun run;
  Tick tick;
  tick.snapshot = World()
                      .host(8_GiB)
                      .domain("db")
                      .domain("new", no_report())
                      .domain("paused", state(DomainState::paused), unused(317_MiB))
                      .domain("silent", unused(361_MiB), reported_ago(std::chrono::seconds(60)));
  tick.not_reporting = {id("new"), id("paused"), id("silent")};
  tick.skipped = {{id("new"), Rule::fresh_stats, "its guest reports no statistics"},
                  {id("paused"), Rule::running_only, "is paused"},
                  {id("silent"), Rule::fresh_stats, "its statistics are older than 4 s"}};
  run.state.observe(tick);
  const std::string text = run.get("/v1/status", {{"as", "text"}}).body;
  CHECK(contains(text, "domains   4, 3 skipped, 2 with a problem\n"));
  CHECK(contains(text, "\nnew     running   1 GiB         -  its guest reports no statistics\n"));
  CHECK(contains(text, "\npaused  paused    1 GiB         -\n"));
  CHECK(contains(
      text, "\nsilent  running   1 GiB         -  reports nothing (since 2024-05-16 23:59:00)\n"));
  CHECK(contains(text, "\ndb      running   1 GiB   200 MiB\n"));
  const Json json = Json::parse(run.get("/v1/status").body).value();
  const Json silent = json.at("domains").at(1);
  CHECK(silent.at("name").string() == "silent");
  CHECK(silent.at("headroom_kib") == Json());
  CHECK(silent.at("since").string() == "2024-05-16T23:59:00.000Z");
  CHECK(json.at("problems").at(1).at("text").string() == "reports nothing");
}

TEST_CASE("status counts the domains in trouble that the page counts") {
  ControlledRun run;
  Tick tick;
  tick.snapshot =
      World().host(8_GiB).domain("moving").domain("served", actual(1_GiB), unused(40_MiB));
  tick.grantable = 2_GiB;
  tick.decisions = {{id("served"), 1_GiB, 2_GiB, 2_GiB, "fed by db", {}}};
  tick.skipped = {{id("moving"), Rule::fresh_stats, "no report since its last balloon move"}};
  run.state.observe(tick);
  CHECK(contains(run.get("/v1/status", {{"as", "text"}}).body, ", 1 with a problem\n"));
  const Json status = Json::parse(run.get("/v1/status").body).value();
  CHECK(status.at("domains").at(0).at("problem").string() ==
        "short by 60 MiB: grows by 1 GiB, fed by db");
  const Json live = Json::parse(run.get("/v1/live").body).value();
  CHECK(live.at("domains").at(0).at("trouble").string().empty());
  CHECK(live.at("domains").at(1).at("trouble").string() == "short");
}

TEST_CASE("a journal that loses ticks is a problem of the run until it is written again") {
  ControlledRun run;
  run.tick().state.set_journal_loss(observers::JournalLoss{"/j: the journal cannot be written", 105,
                                                           WallTime(std::chrono::seconds(10))});
  const auto problems = [&](const char* path) {
    return Json::parse(run.get(path).body).value().at("problems");
  };
  const std::string text = "The journal loses ticks: /j: the journal cannot be written; 105 lost";
  CHECK(problems("/v1/live") == Json::array({text + " (since 00:00:10)"}));
  CHECK(problems("/v1/status").at(0).at("text").string() == text);
  CHECK(contains(run.get("/v1/status", {{"as", "text"}}).body,
                 "problems  " + text + " (since 00:00:10)\n"));
  run.state.set_journal_loss({});
  CHECK(problems("/v1/live").size() == 0);
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

TEST_CASE("the active domains are listed by name, none before the first tick") {
  ControlledRun run;
  CHECK(run.get("/v1/domains").body == "[]\n");
  CHECK(Json::parse(run.tick().get("/v1/domains").body).value() == Json::array({"db", "web"}));
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
  const auto events = [&](std::map<std::string, std::string> query) {
    return Json::parse(run.get("/v1/events", std::move(query)).body).value().at("events");
  };
  CHECK(events({}).size() == 1);
  CHECK(events({{"domain", "db"}}).size() == 0);
  CHECK(events({{"domain", id("web").text()}}).size() == 1);
  CHECK(run.get("/v1/events", {{"as", "text"}, {"domain", "db"}}).body == "(no events of db)\n");
  CHECK(error_in(run.get("/v1/events", {{"domain", "nobody"}})) == "no active domain nobody");
  // It happened ten seconds ago.
  const Snapshot start = World();
  run.context.now = [then = start.wall_time] { return then + std::chrono::seconds(10); };
  CHECK(events({{"seconds", "20"}, {"until", "5"}}).size() == 1);
  CHECK(events({{"seconds", "20"}, {"until", "15"}}).size() == 0);
}

TEST_CASE("events from before the run kept any are said to be missing") {
  ControlledRun run;
  run.context.started_at = WallTime(std::chrono::seconds(20));
  run.tick();
  const auto begin = [&](const char* seconds) {
    const std::string text = run.get("/v1/events", {{"as", "text"}, {"seconds", seconds}}).body;
    return text.substr(0, text.find(';'));
  };
  CHECK(begin("60") == "(this run has no events from before 1970-01-01 00:00:20");
  CHECK(begin("5").starts_with("2024-05-17 00:00:00  web "));
  const Json json = Json::parse(run.get("/v1/events", {{"seconds", "60"}}).body).value();
  CHECK(json.at("complete") == Json(false));
  CHECK(json.at("since").string() == "1970-01-01T00:00:20.000Z");
}

TEST_CASE("a fallback policy is loaded like a policy, and none ends its use") {
  ControlledRun run;
  run.tick();
  CHECK(run.post("/v1/policy", R"({"name":"careful","fallback":true})").status == 200);
  CHECK(run.post("/v1/policy", R"({"name":"none","fallback":true})").status == 200);
  CHECK(run.post("/v1/policy", R"({"name":"bad","fallback":true})").status == 400);
  const auto changes = run.changes.drain();
  REQUIRE(changes.size() == 2);
  CHECK(changes[0].kind == Change::Kind::fallback);
  CHECK(changes[0].policy->name() == "careful");
  CHECK(changes[1].policy == nullptr);
}

TEST_CASE("a reload answers with its result") {
  ControlledRun run;
  run.tick();
  run.context.patience = std::chrono::seconds(60);
  const auto reload = [&] {
    std::thread loop([&] {
      for (;;) {
        auto changes = run.changes.drain();
        if (changes.empty()) {
          std::this_thread::sleep_for(std::chrono::milliseconds(1));
          continue;
        }
        changes.front().result->set_value(changes.front().policy ? "all new" : "the old stays");
        return;
      }
    });
    Response response = run.post("/v1/reload", "");
    loop.join();
    return response;
  };
  CHECK(Json::parse(reload().body).value().at("done").string() == "all new");
  run.context.reload_policy = []() -> Result<std::unique_ptr<Policy>> {
    return fail(ErrorCode::invalid_input, "a.lua:1", "is not a policy");
  };
  const Response bad = reload();
  CHECK(bad.status == 400);
  CHECK(error_in(bad) == "a.lua:1: is not a policy; the old stays");
}

TEST_CASE("a reload does not wait for a loop that is in a long tick") {
  ControlledRun run;
  run.tick();
  CHECK(contains(run.post("/v1/reload", "").body, "after the tick that it is in"));
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
  CHECK(run.get("/v1/events", {{"until", "-1"}}).status == 400);
  CHECK(run.changes.drain().empty());
}

TEST_CASE("while every domain is paused, a single one cannot be resumed") {
  ControlledRun run;
  run.tick().state.set_paused({{true, "every domain"}});
  CHECK(run.post("/v1/resume", R"({"domain":"web"})").status == 409);
  CHECK(run.post("/v1/resume", "").status == 200);
}

TEST_CASE("a resumption says whether the domain was paused, and is balanced now") {
  ControlledRun run;
  run.tick();
  const auto resume = [&] {
    const Response response = run.post("/v1/resume", R"({"domain":"web"})");
    static_cast<void>(run.changes.drain());
    return Json::parse(response.body).value().at("done").string();
  };
  CHECK(resume() == "web was not paused");
  const std::vector<RunState::Paused> web{{false, "web, by root", id("web")}};
  run.state.set_paused(web);
  CHECK(resume() == "web is balanced again");
  SUBCASE("a pause that waits for the next tick counts, and so does a resumption") {
    run.state.set_paused({});
    CHECK(run.post("/v1/pause", R"({"domain":"web"})").status == 200);
    CHECK(run.post("/v1/pause", R"({"domain":"db"})").status == 200);
    CHECK(resume() == "web is balanced again");
    run.state.set_paused(web);
    CHECK(run.post("/v1/resume", "").status == 200);
    CHECK(resume() == "web was not paused");
  }
  SUBCASE("a domain that is skipped for another reason stays so") {
    Tick tick;
    tick.snapshot = World().domain("web");
    tick.skipped = {{id("web"), {}, "paused by root"}};
    run.state.observe(tick);
    CHECK(resume() == "web is balanced again");
    tick.skipped = {{id("web"), {}, "excluded by --exclude"}};
    run.state.observe(tick);
    CHECK(resume() == "web is not paused any more; it stays skipped: excluded by --exclude");
    tick.snapshot = World().domain("web", excluded());
    run.state.observe(tick);
    CHECK(resume() == "web is not paused any more; it stays excluded by its settings");
  }
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

TEST_CASE("a change names its user, or says that the service's user namespace hides who it was") {
  ControlledRun run;
  run.tick();
  const auto requested_by = [&](uid_t user) {
    CHECK(run.handler({"POST", "/v1/pause", {}, "{}", Peer{user, 4711}}).status == 200);
    return run.changes.drain().at(0).who;
  };
  CHECK(requested_by(0) == "root (process 4711)");
  CHECK(requested_by(54321) == "user 54321 (process 4711)");
  CHECK(requested_by(65534) == "an unknown user (process 4711)");
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

TEST_CASE("an Accept header chooses the format of the metrics") {
  CHECK(!prefers_openmetrics(""));
  CHECK(!prefers_openmetrics("*/*"));
  CHECK(!prefers_openmetrics("text/html,application/xhtml+xml,*/*;q=0.8"));
  CHECK(prefers_openmetrics("application/openmetrics-text"));
  CHECK(prefers_openmetrics("Application/OpenMetrics-Text; Version=1.0.0"));
  // Prometheus 2.42
  CHECK(
      prefers_openmetrics("application/openmetrics-text;version=1.0.0,"
                          "application/openmetrics-text;version=0.0.1;q=0.75,"
                          "text/plain;version=0.0.4;q=0.5,*/*;q=0.1"));
  CHECK(!prefers_openmetrics("application/openmetrics-text;q=0.5, text/plain;q=0.9"));
  CHECK(!prefers_openmetrics("application/openmetrics-text;q=0"));
  CHECK(!prefers_openmetrics("application/openmetrics-text;q=nan, */*"));
  CHECK(!prefers_openmetrics("application/openmetrics-text;version=9.0"));
  CHECK(!prefers_openmetrics(",;=, ;q=,application/openmetrics-text;q=x;"));
}

TEST_CASE("the metrics are there in the format and with the families that were asked for") {
  ControlledRun run;
  CHECK(run.get("/metrics").status == 404);
  run.context.metrics = [](bool openmetrics, bool domains) {
    return std::string(openmetrics ? "openmetrics" : "prometheus") + (domains ? " all" : " few");
  };
  const Response text = run.get("/metrics");
  CHECK(text.body == "prometheus all");
  CHECK(text.type == "text/plain; version=0.0.4; charset=utf-8");
  Request request{"GET", "/metrics", {{"domains", "off"}}, {}};
  request.headers["accept"] = "application/openmetrics-text";
  const Response openmetrics = run.handler(request);
  CHECK(openmetrics.body == "openmetrics few");
  CHECK(openmetrics.type == "application/openmetrics-text; version=1.0.0; charset=utf-8");
  CHECK(run.post("/metrics", "").status == 404);
  request.query["domains"] = "no\x1b";
  const Response refused = run.handler(request);
  CHECK(refused.status == 400);
  CHECK(contains(refused.body, "domains: 'no?' is neither on nor off"));
  request.query["domains"] = "on";
  CHECK(run.handler(request).body == "openmetrics all");
}

TEST_CASE("the text of the metrics is made and compressed once for all requests of a tick") {
  ControlledRun run;
  std::uint64_t revision = 0;
  int made = 0;
  run.context.metrics = [&](bool, bool) {
    ++made;
    return std::string(5000, 'x') + std::to_string(revision);
  };
  run.context.metrics_revision = [&] { return revision; };
  const auto get = [&](std::map<std::string, std::string> query, const char* accepted) {
    return run.handler(
        {"GET", "/metrics", std::move(query), {}, {}, {{"accept-encoding", accepted}}});
  };
  for (int i = 0; i < 3; ++i) {
    CHECK(get({}, "").body == std::string(5000, 'x') + "0");
    const Response packed = get({}, "gzip");
    CHECK(packed.headers.at("Content-Encoding") == "gzip");
    CHECK(packed.headers.at("Vary") == "Accept-Encoding");
    CHECK(packed.body.size() < 200);
    static_cast<void>(get({{"domains", "off"}}, ""));
  }
  CHECK(made == 3);
  revision = 1;
  CHECK(get({}, "").body == std::string(5000, 'x') + "1");
  CHECK(made == 4);
}

TEST_CASE("a page in a browser may read a run but not change it") {
  ControlledRun run;
  run.tick();
  Request request{"POST", "/v1/dry-run", {}, R"({"on": true})", {}};
  request.headers = {{"origin", "http://elsewhere.example"}};
  const Response refused = run.handler(request);
  CHECK(refused.status == 403);
  CHECK(error_in(refused) == "a browser may not change a run");
  CHECK(run.changes.drain().empty());
  request.method = "GET";
  request.path = "/v1/status";
  CHECK(run.handler(request).status == 200);
}

TEST_CASE("the routes serve the files of the live page to GET only") {
  ControlledRun run;
  CHECK(run.get("/").status == 404);
  run.context.page = [](std::string_view path) -> std::optional<Response> {
    if (path != "/" && path != "/v1/status") return std::nullopt;
    return Response{.status = 200, .body = "a page", .type = "text/html"};
  };
  CHECK(run.get("/").body == "a page");
  CHECK(run.get("/").type == "text/html");
  CHECK(run.get("/other.js").status == 404);
  CHECK(run.post("/", "{}").status == 404);
  CHECK(run.get("/v1/status").body != "a page");
}
