// memcoord fleet status of the built program, with runs on simulated hosts.

#include <doctest/doctest.h>

#include <memory>
#include <string>
#include <vector>

#include "engine/observers/json.h"
#include "tests/integration/cli/process.h"
#include "tests/integration/cli/refusal.h"
#include "tests/integration/cli/scratch_files.h"
#include "tests/raw_client.h"
#include "tests/text.h"

using memcoord::contains;
using memcoord::observers::Json;
using memcoord::testing::Finished;
using memcoord::testing::free_port;
using memcoord::testing::json_of;
using memcoord::testing::Process;
using memcoord::testing::refusal;
using memcoord::testing::run_memcoord;
using memcoord::testing::ScratchFiles;
using memcoord::testing::start_with_port;

namespace {

/// A run with a control socket, a metrics address and a token.
struct FleetMember {
  explicit FleetMember(const std::string& scenario) {
    run = start_with_port(port, [&]() -> std::vector<std::string> {
      return {"--connect",
              "sim:" + scenario,
              "--interval",
              "100ms",
              "--json",
              "--control",
              socket,
              "--metrics",
              "127.0.0.1:" + std::to_string(port),
              "--metrics-token",
              token};
    });
  }
  [[nodiscard]] std::string url() const { return "http://127.0.0.1:" + std::to_string(port); }

  ScratchFiles files;
  std::string socket = files.path("run.sock");
  std::string token = files.write("token", "0123456789abcdef\n", 0600);
  std::string other_token = files.write("other", "fedcba9876543210\n", 0600);
  std::uint16_t port = 0;
  std::unique_ptr<Process> run;
};

}  // namespace

TEST_CASE(
    "fleet status has a row for each host, and the reason in the row of one without figures") {
  const FleetMember member("case1");
  const std::string list = member.files.write(
      "hosts.txt", "# hosts\n" + member.url() + " name=kvm1 token-file=token\n" + member.socket +
                       " name=kvm2\n" + member.url() + "/ name=locked token-file=other\n" +
                       "http://127.0.0.1:" + std::to_string(free_port()) + " name=dead\n");
  const Finished run = run_memcoord({"fleet", "status", list});
  CHECK(run.exit_code == 1);
  CHECK(run.errors.empty());
  CHECK(run.output.starts_with("HOST"));
  CHECK(contains(run.output, "refuses the token"));
  CHECK(contains(run.output, "cannot be reached: Connection refused"));
  CHECK(contains(run.output, "4 hosts, 2 without figures; 4.23 GiB, "));

  const Json json = json_of(run_memcoord({"fleet", "status", "--json", list}));
  REQUIRE(json.at("hosts").size() == 4);
  CHECK(json.at("hosts").at(0).at("name") == "locked");
  CHECK(json.at("hosts").at(0).at("problem") == "refuses the token");
  CHECK(json.at("hosts").at(2).at("name") == "kvm1");
  CHECK(json.at("hosts").at(2).at("policy") == "adaptive");
  CHECK(json.at("hosts").at(2).at("problem") == Json());
  CHECK(json.at("hosts").at(2).at("total").number() > 2e9);
  CHECK(json.at("hosts").at(3).at("address") == member.socket);
}

TEST_CASE("fleet status ends with 0 if every host has figures") {
  const FleetMember member("case1");
  CHECK(run_memcoord({"fleet", "status", member.socket, member.url()}).exit_code == 0);
}

TEST_CASE("fleet status --fits names hosts, and ends with 0 if there is one") {
  const ScratchFiles files;
  const FleetMember member(files.write("roomy.lua", R"(return { summary = "Much memory",
    host = { total = 16 * GiB }, duration = 86400,
    domains = { { name = "a", maximum = 1 * GiB, demand = { { 0, 200 * MiB } } } } })"));
  const std::string dead = member.files.path("dead.sock");
  const Finished fits = run_memcoord({"fleet", "status", "--fits", "4GiB", member.socket, dead});
  CHECK(fits.exit_code == 0);
  CHECK(contains(fits.output, member.socket + "  now "));
  CHECK(fits.errors == "memcoord: " + dead + ": no memcoord runs here\n");
  const Finished none = run_memcoord({"fleet", "status", "--fits", "9TiB", member.socket});
  CHECK(none.exit_code == 1);
  CHECK(none.output.empty());
  CHECK(none.errors == "memcoord: no host can take 9 TiB\n");
  const Json json =
      json_of(run_memcoord({"fleet", "status", "--json", "--fits", "4GiB", member.socket, dead}));
  CHECK(json.at("hosts").at(0).at("fits") == "now");
  CHECK(json.at("failed").at(0).at("name") == dead);
}

TEST_CASE("fleet status refuses what names no host") {
  const ScratchFiles files;
  CHECK(refusal({"fleet", "status", files.write("empty", "")})
            .starts_with(files.path("empty") + ": lists no host; "));
  CHECK(refusal({"fleet", "status", files.write("bad", "http://a\nkvm1 kvm2\n")})
            .starts_with(files.path("bad") + ":2: 'kvm1' is not an address; "));
  CHECK(refusal({"fleet", "status", "kvm1:9798"}) ==
        "'kvm1:9798' is not an address; write http://kvm1:9798");
  CHECK(refusal({"fleet", "status", "--fits", "16", "a.sock"}).starts_with("--fits: "));
  CHECK(contains(refusal({"fleet", "status"}), "HOST"));
  CHECK(contains(refusal({"fleet"}), "status"));
}
