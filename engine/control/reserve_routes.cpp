#include "engine/control/reserve_routes.h"

#include <fmt/core.h>

#include <cmath>
#include <optional>
#include <string>

#include "engine/control/live.h"
#include "engine/control/peer.h"
#include "engine/control/responses.h"
#include "engine/core/printable.h"
#include "engine/observers/amounts.h"

namespace memcoord::control {
namespace {

using observers::Json;

constexpr const char* kReserveHint = R"(send {"name": "web", "bytes": 1073741824, "seconds": 60})";
constexpr std::size_t kLongestDomainName = 1000;

/// The domain's name in a request; none: there is no usable one.
std::optional<std::string> name_in(const Json& body) {
  const auto name = body.find("name");
  if (!name || !name->is_string()) return std::nullopt;
  std::string text = name->string();
  if (text.empty() || text.size() > kLongestDomainName) return std::nullopt;
  return text;
}

/// Whole KiB; none: it is no size that a guest can have.
std::optional<MemorySize> size_in(const Json& body) {
  const auto bytes = body.find("bytes");
  if (!bytes || !bytes->is_number()) return std::nullopt;
  const double kib = std::ceil(bytes->number() / 1024);
  if (!(kib >= 1) || kib > static_cast<double>(kLargestGuest.kib())) return std::nullopt;
  return MemorySize::from_kib(static_cast<std::uint64_t>(kib));
}

/// Over zero and at most kLongestReserve; none: another time.
std::optional<Duration> time_in(const Json& body) {
  const auto seconds = body.find("seconds");
  if (!seconds) return kReserveTime;
  if (!seconds->is_number()) return std::nullopt;
  const double number = seconds->number();
  if (!(number > 0) || number > seconds_of(kLongestReserve)) return std::nullopt;
  return std::chrono::duration_cast<Duration>(std::chrono::duration<double>(number));
}

}  // namespace

Response reserve_response(const RouteContext& context, const Request& request, const Json& body) {
  const auto name = name_in(body);
  if (!name) return error_response_to(400, "no domain named", kReserveHint);
  const auto size = size_in(body);
  if (!size) return error_response_to(400, "bytes is no size of a guest", kReserveHint);
  const auto time = time_in(body);
  if (!time) return error_response_to(400, "seconds must be over 0 and at most 3600", kReserveHint);
  const WallTime since = context.now();
  Change change{.kind = Change::Kind::reserve,
                .domain_name = *name,
                .time = *time,
                .size = *size,
                .since = since,
                .who = name_of(request.peer)};
  if (const auto uuid = body.find("uuid"); uuid && *uuid != Json()) {
    if (!uuid->is_string()) return error_response_to(400, "uuid is no text", kReserveHint);
    const auto parsed = Uuid::parse(uuid->string());
    if (!parsed) return error_response_to(400, printable(parsed.error().text(), 200), kReserveHint);
    change.domain = *parsed;
  }
  context.changes.push(std::move(change));
  const RunState::View view = context.state.view();
  return json_response(
      Json::object({{"done", fmt::format("{} are reserved for {}, for {}", size->text(),
                                         printable(*name, 200), observers::set_time_text(*time))},
                    {"since", seconds_of(since.time_since_epoch())},
                    {"dry_run", view.newest && view.newest->dry_run}}));
}

Response release_response(const RouteContext& context, const Request& request, const Json& body) {
  const auto name = name_in(body);
  if (!name) return error_response_to(400, "no domain named", R"(send {"name": "web"})");
  context.changes.push(
      {.kind = Change::Kind::release, .domain_name = *name, .who = name_of(request.peer)});
  return json_response(
      Json::object({{"done", "any reserve for " + printable(*name, 200) + " is released"}}));
}

}  // namespace memcoord::control
