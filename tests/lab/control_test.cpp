// The control socket answers while a tick waits for a guest whose QEMU has stopped.

#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>
#include <string>
#include <thread>
#include <vector>

#include "engine/control/http.h"
#include "tests/lab/coordination.h"
#include "tests/lab/guest.h"
#include "tests/text.h"

using namespace memcoord;
using namespace memcoord::lab;

namespace {

using SystemTime = std::chrono::system_clock::time_point;

struct Response {
  SystemTime asked;
  SystemTime answered;
  std::string text;
};

/// `memcoord explain NAME`, without the time in which the program starts.
Response explain(const std::string& socket, const std::string& name) {
  const SystemTime asked = std::chrono::system_clock::now();
  const auto response =
      control::send_request(socket, {"GET", "/v1/domains/" + name, {{"as", "text"}}, {}, {}});
  return {asked, std::chrono::system_clock::now(), response ? response->body : std::string()};
}

/// Whether the response came while the tick waited for the host.
bool within(const Response& response, const Tick& tick) {
  const auto end = SystemTime(tick.snapshot.wall_time.time_since_epoch());
  const auto begin =
      end - std::chrono::duration_cast<std::chrono::milliseconds>(tick.timings.sample);
  return begin <= response.asked && response.answered <= end;
}

}  // namespace

TEST_CASE("a guest that stops is explained while a tick waits for it, and from then on" *
          doctest::test_suite("lab-everyday")) {
  const LabHost host;
  const Guests guests = boot(host, {guest_of("alpha", "20:600"), guest_of("bravo", "20:600")});
  const std::string socket = (host.folder() / "control.sock").string();
  Coordination run(host, "--control " + socket + " 1");
  REQUIRE(run.wait_for_tick([](const Tick& tick) { return serves(tick, "bravo"); }));

  guests.back()->stop_process();
  std::vector<Response> responses;
  const auto is_hung = [](const Response& response) {
    return contains(response.text, "does not answer");
  };
  for (int i = 0; i < 6000 && (responses.empty() || !is_hung(responses.back())); ++i) {
    responses.push_back(explain(socket, "bravo"));
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  CHECK(is_hung(responses.back()));
  CHECK(std::none_of(responses.begin(), responses.end(),
                     [](const Response& response) { return response.text.empty(); }));
  guests.back()->continue_process();
  CHECK(run.end() == 0);

  std::vector<double> waited;  // ms
  for (const Tick& tick : run.ticks()) {
    const Domain* bravo = find_domain(tick, "bravo");
    if (bravo == nullptr || bravo->state == DomainState::running) continue;
    for (const Response& response : responses) {
      if (!within(response, tick)) continue;
      waited.push_back(
          std::chrono::duration<double, std::milli>(response.answered - response.asked).count());
    }
  }
  REQUIRE_FALSE(waited.empty());
  std::sort(waited.begin(), waited.end());
  MESSAGE(waited.size() << " responses while a tick waited: median " << waited[waited.size() / 2]
                        << " ms, worst " << waited.back() << " ms");
}
