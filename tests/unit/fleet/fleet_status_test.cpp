#include "engine/fleet/fleet_status.h"

#include <doctest/doctest.h>
#include <sys/stat.h>

#include <map>
#include <string>
#include <vector>

#include "tests/integration/cli/scratch_files.h"
#include "tests/unit/fleet/fleet_metrics.h"

using namespace memcoord;
using namespace memcoord::fleet;
using control::Response;
using control::ServerRequest;
using memcoord::testing::metrics_of_a_host;
using memcoord::testing::metrics_with;
using memcoord::testing::ScratchFiles;

namespace {

/// Servers by URL, as functions of a request's path and token.
struct FakeServers {
  using Answer = std::function<Result<Response>(const ServerRequest&)>;
  std::map<std::string, Answer> servers;

  std::vector<HostStatus> ask(const std::vector<FleetHost>& hosts,
                              const FleetQuestion& question = {}) const {
    return ask_fleet(
        hosts, question,
        [this](const std::vector<ServerRequest>& requests, const control::RequestLimits&) {
          std::vector<Result<Response>> responses;
          for (const ServerRequest& one : requests) {
            responses.push_back(servers.at(one.server.url)(one));
          }
          return responses;
        },
        [] { return WallTime(std::chrono::seconds(1001)); });
  }
};

FakeServers::Answer serves(const std::string& metrics) {
  return [metrics](const ServerRequest&) -> Result<Response> { return Response{200, metrics}; };
}

/// As memcoord: metrics for everyone, the rest for those with the token.
FakeServers::Answer serves_with_token(const std::string& token) {
  return [token](const ServerRequest& one) -> Result<Response> {
    if (one.request.path == "/metrics") return Response{200, metrics_of_a_host()};
    return Response{one.server.token == token ? 200 : 401, ""};
  };
}

FleetHost host_named(const std::string& name, const std::string& token_file = {}) {
  return {name, {{}, "http://" + name, {}}, token_file, name};
}

std::string problem_in(const HostStatus& status) {
  return status.figures ? "" : status.figures.error().text();
}

/// A metrics text with this much grantable, and this much after reclaiming, in GiB.
std::string metrics_with_room(std::uint64_t grantable, std::uint64_t all) {
  std::string text = metrics_with("grantable_bytes 4294967296",
                                  "grantable_bytes " + std::to_string(grantable << 30U));
  const std::string old_all = "\"all\"} 6442450944";
  return text.replace(text.find(old_all), old_all.size(), "\"all\"} " + std::to_string(all << 30U));
}

}  // namespace

TEST_CASE("a host that gives no figures costs its own row") {
  const FakeServers fleet{
      {{"http://good", serves(metrics_of_a_host())},
       {"http://dead",
        [](const ServerRequest&) -> Result<Response> {
          return fail(ErrorCode::timed_out, "http://dead", "memcoord does not answer", "wait");
        }},
       {"http://other", serves("<html>")},
       {"http://none",
        [](const ServerRequest&) -> Result<Response> {
          return Response{404, "no such page"};
        }},
       {"http://named",
        [](const ServerRequest&) -> Result<Response> {
          return Response{421, R"({"error":"this is not kvm9","hint":"set metrics-host"})"};
        }},
       {"http://locked", [](const ServerRequest&) -> Result<Response> {
          return Response{401, ""};
        }}}};
  const auto statuses = fleet.ask({host_named("good"), host_named("dead"), host_named("other"),
                                   host_named("none"), host_named("named"), host_named("locked")});
  REQUIRE(statuses.size() == 6);
  CHECK(problem_in(statuses[0]).empty());
  CHECK(problem_in(statuses[1]) == "memcoord does not answer");
  CHECK(problem_in(statuses[2]) == "is no memcoord: the response is no metrics");
  CHECK(problem_in(statuses[3]) == "is no memcoord: /metrics has the status 404");
  CHECK(problem_in(statuses[4]) == "this is not kvm9");
  CHECK(problem_in(statuses[5]) == "asks for a token");
}

TEST_CASE("a long reason that a host gives is cut") {
  const FakeServers fleet{
      {{"http://long", [](const ServerRequest&) -> Result<Response> {
          return Response{500, R"({"error":"bad)" + std::string(5000, 'x') + "\"}"};
        }}}};
  const std::string problem = problem_in(fleet.ask({host_named("long")})[0]);
  CHECK(problem.starts_with("bad"));
  CHECK(problem.size() < 250);
}

TEST_CASE("a wrong token costs its row, although everyone may read the metrics") {
  const ScratchFiles files;
  const std::string right = files.write("right", "0123456789abcdef\n");
  const std::string wrong = files.write("wrong", "fedcba9876543210\n");
  for (const std::string& path : {right, wrong}) ::chmod(path.c_str(), 0600);
  const FakeServers fleet{{{"http://a", serves_with_token("0123456789abcdef")},
                           {"http://b", serves_with_token("0123456789abcdef")},
                           {"http://c", serves_with_token("0123456789abcdef")},
                           {"http://d", serves_with_token("0123456789abcdef")}}};
  const auto statuses = fleet.ask({host_named("a", right), host_named("b", wrong), host_named("c"),
                                   host_named("d", files.path("none"))},
                                  {.token_file = right});
  CHECK(problem_in(statuses[0]).empty());
  CHECK(problem_in(statuses[1]) == "refuses the token");
  CHECK(problem_in(statuses[2]).empty());
  CHECK(problem_in(statuses[3]) == "the token file " + files.path("none") + ": no such token file");
}

TEST_CASE("a token is for URLs alone, never for sockets") {
  const ScratchFiles files;
  const std::string token = files.write("token", "0123456789abcdef\n");
  ::chmod(token.c_str(), 0600);
  std::size_t sent = 0;
  const FleetHost host{"s", {"/run/s.sock", {}, {}}, {}, "s"};
  const auto statuses = ask_fleet(
      {host}, {.token_file = token},
      [&](const std::vector<ServerRequest>& requests, const control::RequestLimits&) {
        for (const ServerRequest& one : requests) CHECK(one.server.token.empty());
        sent = requests.size();
        return std::vector<Result<Response>>(requests.size(), Response{200, metrics_of_a_host()});
      },
      [] { return WallTime(std::chrono::seconds(1001)); });
  CHECK(sent == 1);
  CHECK(problem_in(statuses[0]).empty());
}

TEST_CASE("the hosts that can take a guest come best first") {
  const FakeServers fleet{{{"http://little", serves(metrics_with_room(1, 2))},
                           {"http://later", serves(metrics_with_room(1, 14))},
                           {"http://now", serves(metrics_with_room(5, 6))},
                           {"http://most", serves(metrics_with_room(9, 9))},
                           {"http://dead", serves("")}}};
  const auto statuses = fleet.ask({host_named("little"), host_named("later"), host_named("now"),
                                   host_named("dead"), host_named("most")});
  CHECK(hosts_that_fit(statuses, 4_GiB) == std::vector<std::size_t>{4, 2, 1});
  CHECK(hosts_that_fit(statuses, 100_GiB).empty());
}

TEST_CASE("hosts in trouble come first, others in their order") {
  std::string short_of = metrics_with("\"short\"} 0", "\"short\"} 1");
  short_of.replace(short_of.find("\"tight\"} 1"), 10, "\"tight\"} 0");
  std::string fine = metrics_with("\"fine\"} 0", "\"fine\"} 1");
  fine.replace(fine.find("\"tight\"} 1"), 10, "\"tight\"} 0");
  const FakeServers fleet{{{"http://fine", serves(fine)},
                           {"http://fine2", serves(fine)},
                           {"http://tight", serves(metrics_of_a_host())},
                           {"http://short", serves(short_of)},
                           {"http://dead", serves("")}}};
  const auto statuses = fleet.ask({host_named("fine"), host_named("tight"), host_named("fine2"),
                                   host_named("short"), host_named("dead")});
  CHECK(by_trouble(statuses) == std::vector<std::size_t>{4, 3, 1, 0, 2});
}
