// Serves the control socket of a run that a journal has recorded, as if the run stood still: the
// last tick but one until a client has asked for a tick, the last one from then on.
//
//   serve_journal JOURNAL SOCKET

#include <atomic>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <string>
#include <thread>
#include <vector>

#include "engine/control/http.h"
#include "engine/control/routes.h"
#include "engine/control/run_state.h"
#include "engine/observers/journal.h"

using namespace memcoord;

namespace {

Result<std::vector<Tick>> ticks_of(const std::string& path) {
  auto reader = observers::JournalReader::open(path);
  if (!reader) return fail(reader.error());
  std::vector<Tick> ticks;
  for (;;) {
    auto tick = reader->next();
    if (!tick) return fail(tick.error());
    if (!*tick) return ticks;
    ticks.push_back(std::move(**tick));
  }
}

Status serve(const std::string& journal, const std::filesystem::path& socket) {
  const auto ticks = ticks_of(journal);
  if (!ticks) return fail(ticks.error());
  control::RunState state;
  for (std::size_t i = 0; i + 1 < ticks->size(); ++i) state.observe(ticks->at(i));

  control::ChangeQueue changes([] {});
  control::RouteContext context{.state = state,
                                .changes = changes,
                                .version = "recorded",
                                .connection = "sim:",
                                .interval = std::chrono::seconds(1),
                                .started_at = {},
                                .local_time = true,
                                .now = [] { return WallTime(); }};
  std::atomic<bool> asked = false;
  const control::Handler handler = control::make_handler(context);
  const auto server = control::HttpServer::listen(socket, [&](const control::Request& request) {
    control::Response response = handler(request);
    if (request.path == "/v1/tick" && !asked.exchange(true)) state.observe(ticks->back());
    return response;
  });
  if (!server) return fail(server.error());
  for (;;) std::this_thread::sleep_for(std::chrono::hours(1));  // until a signal
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) return 2;
  const Status served = serve(argv[1], argv[2]);
  std::fprintf(stderr, "serve_journal: %s\n", served.error().text().c_str());
  return 1;
}
