#include <fmt/core.h>

#include <algorithm>
#include <cmath>

#include "engine/control/live.h"
#include "engine/control/responses.h"
#include "engine/control/run_history.h"

namespace memcoord::control {
namespace {

using observers::Event;
using observers::Json;
using Figure = RunHistory::Figure;

/// "[1024,null,1030]". A hundred domains have tens of thousands of figures: no JSON values are made
/// of them.
template <class Items, class Number>
void append_list(std::string& out, const Items& items, Number number_of) {
  out += '[';
  for (const auto& item : items) {
    if (out.back() != '[') out += ',';
    const double number = number_of(item);
    if (std::isnan(number)) {
      out += "null";
    } else {
      out += fmt::format("{:.0f}", number);
    }
  }
  out += ']';
}

double bytes(Figure kib) {
  return static_cast<double>(kib) * 1024;
}
double mib(Figure kib) {
  return static_cast<double>(kib) / 1024;
}

void append_times(std::string& out, const RunHistory::Points& points) {
  out += "\"times\":";
  append_list(out, points.times,
              [](WallTime time) { return std::floor(seconds_of(time.time_since_epoch())); });
}

void append_host(std::string& out, const RunHistory::Points& points) {
  using Point = RunHistory::HostPoint;
  const auto append = [&](const char* name, Figure Point::*part) {
    out += fmt::format("\"{}\":", name);
    append_list(out, points.host, [part](const Point& point) { return bytes(point.*part); });
  };
  append("used", &Point::used);
  out += ',';
  append("backed", &Point::backed);
  out += ',';
  append("unbacked", &Point::unbacked);
  out += ',';
  append("grantable", &Point::grantable);
  out += ',';
  append("reserved", &Point::reserved);
  out += ',';
  append("floor", &Point::floor);
}

std::string point_seconds(const RouteContext& context) {
  return fmt::format("\"seconds_per_point\":{:g}",
                     seconds_of(std::max(RunHistory::kDistance, context.interval)));
}

Response history_of_all(const RouteContext& context, const RunState::View& view) {
  const RunHistory::Points points = context.history->points();
  std::string out = "{" + point_seconds(context) + ",";
  append_times(out, points);
  out += ",\"host\":{";
  append_host(out, points);
  out += "},\"domains\":{";
  const char* before = "";
  if (view.sampled) {
    for (const Domain& domain : view.sampled->snapshot.domains) {
      const auto curves = context.history->of(domain.uuid(), points);
      if (!curves) continue;
      out += before + ("\"" + domain.uuid().text()) + "\":{\"actual\":";
      append_list(out, curves->actual, mib);
      out += ",\"used\":";
      append_list(out, curves->used, mib);
      out += '}';
      before = ",";
    }
  }
  return json_line_response(out + "}}");
}

/// What the event of a move says besides its sizes; empty if it is not kept any more.
std::string move_text(const std::vector<Event>& events, WallTime time) {
  for (const Event& event : events) {
    const bool is_move = event.kind == Event::Kind::moved || event.kind == Event::Kind::would_move;
    if (is_move && event.time == time) return event.text;
  }
  return {};
}

Json moves_json(const RouteContext& context, const Domain& domain,
                const std::vector<RunHistory::Move>& moves) {
  Json list = Json::array();
  if (moves.empty()) return list;
  const auto events = context.state.events(moves.front().time, domain.name());
  const auto size = [](Figure kib) { return static_cast<std::uint64_t>(kib) * 1024; };
  for (const RunHistory::Move& move : moves) {
    list.push_back(Json::object({{"time", seconds_of(move.time.time_since_epoch())},
                                 {"from", size(move.from)},
                                 {"to", size(move.to)},
                                 {"dry_run", move.dry_run},
                                 {"text", move_text(events, move.time)}}));
  }
  return list;
}

Response history_of_one(const RouteContext& context, const Domain& domain) {
  const RunHistory::Points points = context.history->points();
  const auto shown =
      context.history->of(domain.uuid(), points).value_or(RunHistory::DomainCurves());
  std::string out = "{" + point_seconds(context) + ",";
  append_times(out, points);
  const auto append = [&](const char* name, const std::vector<Figure>& curve) {
    out += fmt::format(",\"{}\":", name);
    append_list(out, curve, bytes);
  };
  append("actual", shown.actual);
  append("used", shown.used);
  append("rss", shown.rss);
  append("maximum", shown.maximum);
  out += ",\"moves\":" + moves_json(context, domain, shown.moves).line();
  return json_line_response(out + "}");
}

}  // namespace

Response history_response(const RouteContext& context, const Request& request) {
  const RunState::View view = context.state.view();
  const std::string name = query_value(request, "domain");
  if (!context.history) return error_response_to(404, "this run keeps no history");
  if (name.empty()) return history_of_all(context, view);
  const Domain* domain = view.find(name);
  return domain ? history_of_one(context, *domain) : no_such_domain(view, name);
}

}  // namespace memcoord::control
