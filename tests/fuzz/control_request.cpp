// Any request to the control socket: it is answered, and an error says what is wrong. A request is
// a line each for the method, the path and one parameter, and then the body.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>

#include "engine/control/routes.h"
#include "tests/world/fakes.h"
#include "tests/world/world.h"

namespace {

using namespace memcoord;
using namespace memcoord::control;

void require(bool holds) {
  if (!holds) std::abort();
}

/// Takes a line from the front.
std::string next_line(std::string_view& text) {
  const std::size_t end = std::min(text.find('\n'), text.size());
  std::string line(text.substr(0, end));
  text.remove_prefix(std::min(end + 1, text.size()));
  return line;
}

Tick tick_of_two_domains() {
  Tick tick;
  tick.number = 1;
  tick.snapshot = test::World().domain("db").domain("web", test::unused(MemorySize::from_mib(40)));
  return tick;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view text(reinterpret_cast<const char*>(data), size);
  RunState state;
  RunHistory history;
  state.observe(tick_of_two_domains());
  history.observe(tick_of_two_domains());
  ChangeQueue changes([] {});
  RouteContext context{
      .state = state,
      .changes = changes,
      .version = "0.1",
      .connection = "test:///",
      .interval = std::chrono::seconds(1),
      .started_at = WallTime(),
      .local_time = false,
      .now = [] { return WallTime(std::chrono::seconds(30)); },
      .load_policy = [](const std::string& name, const auto&,
                        files::Readable) { return test::asks({}, name); },
      .reload_policy = [] { return test::asks({}); },
      .patience = {},
      .history = &history,
      .policies = {"band"},
      .load_bundled = [](const std::string& name) { return test::asks({}, name); }};
  context.load_fallback = context.load_policy;
  Request request;
  request.method = next_line(text);
  request.path = next_line(text);
  const std::string parameter = next_line(text);
  const std::size_t equals = std::min(parameter.find('='), parameter.size());
  request.query[parameter.substr(0, equals)] =
      parameter.substr(std::min(equals + 1, parameter.size()));
  request.body = text;

  const Response response = make_handler(context)(request);
  const std::size_t queued = changes.drain().size();
  require(response.status == 200 || queued == 0);
  require(queued <= 1);
  if (response.status == 200) return 0;
  const auto error = observers::Json::parse(response.body);
  require(error && !error->at("error").string().empty());
  return 0;
}
