// How much more the host can promise, and whether more guests fit: /v1/headroom and /v1/fit.

#include <fmt/core.h>

#include <string_view>
#include <vector>

#include "engine/control/live.h"
#include "engine/control/responses.h"
#include "engine/core/host_stack.h"
#include "engine/core/printable.h"
#include "engine/core/reserve_book.h"
#include "engine/observers/amounts.h"

namespace memcoord::control {
namespace {

using observers::Json;

constexpr const char* kSizeHint = "give the guest's maximum with its unit, as in 4GiB";

// --- sizes in a request ---

Result<MemorySize> guest_size(std::string_view text) {
  auto size = MemorySize::parse_with_unit(text);
  if (!size) {
    Error error = size.error();
    if (error.hint.empty()) error.hint = kSizeHint;
    return fail(error);
  }
  const auto refused = [](const std::string& why) {
    return fail(ErrorCode::invalid_input, "", why, kSizeHint);
  };
  if (size->is_zero()) return refused("the size must be over 0");
  if (*size > kLargestGuest) {
    return refused("'" + printable(text, 40) + "' is more than any host has");
  }
  return size;
}

Response refused_size(const Error& error) {
  return error_response_to(400, printable(error.message, 200), printable(error.hint, 200));
}

// --- texts ---

/// "nothing", "1.2 GiB".
std::string amount_text(MemorySize amount, Units units) {
  return amount.is_zero() ? "nothing" : amount.text(units);
}

std::string guests_text(const std::vector<MemorySize>& sizes, const Fit& fit, Units units) {
  if (sizes.size() == 1) {
    return "A guest of " + sizes.front().text(units) + " needs " + fit.needed.text(units) +
           " with its QEMU.";
  }
  MemorySize sum;
  for (const MemorySize size : sizes) sum += size;
  return std::to_string(sizes.size()) + " guests of " + sum.text(units) + " together need " +
         fit.needed.text(units) + " with their QEMUs.";
}

std::string fit_text(const std::vector<MemorySize>& sizes, const Fit& fit, Units units) {
  const std::string guests = guests_text(sizes, fit, units);
  const bool one = sizes.size() == 1;
  const std::string fits = one ? " It fits " : " They fit ";
  const std::string grantable = amount_text(fit.grantable, units);
  switch (fit.kind) {
    case Fit::Kind::now:
      return guests + fits + "now: the host can grant " + grantable + ".";
    case Fit::Kind::after_reclaiming:
      return guests + fits +
             (fit.within ? fmt::format("within {} s", fit.within->count())
                         : std::string("after some ticks")) +
             ": the host can grant " + grantable +
             " now, and shrinks of the other guests have to give " +
             (fit.needed - fit.grantable).text(units) + " of at most " +
             fit.reclaimable.text(units) + ".";
    case Fit::Kind::no:
      break;
  }
  const MemorySize most = fit.grantable + fit.reclaimable;
  return guests + (one ? " It does" : " They do") + " not fit: the host can grant " + grantable +
         " now, and " + (most.is_zero() ? "nothing" : "at most " + most.text(units)) +
         " after some ticks.";
}

std::string host_headroom_text(const HostHeadroom& headroom, const Tick& tick,
                               const std::vector<bool>& ready) {
  const Units units = tick.limits.units;
  std::string text;
  const auto add = [&](const std::string& label, const std::string& value) {
    text += fmt::format("{:<17}{}\n", label, value);
  };
  add("now", amount_text(headroom.grantable, units));
  for (std::size_t i = 0; i < HostHeadroom::kTimes.size(); ++i) {
    add(fmt::format("within {} s", HostHeadroom::kTimes.at(i).count()),
        amount_text(headroom.within.at(i), units));
  }
  add("after reclaiming", amount_text(headroom.in_all(), units));
  const auto& reserves = tick.snapshot.reserves;
  for (std::size_t i = 0; i < reserves.size(); ++i) {
    add(i == 0 ? "reserved" : "",
        fmt::format("{} for {}, {}, {} left", reserves[i].size.text(units),
                    printable(reserves[i].name, 200), ready[i] ? "ready" : "not released yet",
                    observers::duration_text(reserves[i].until - tick.snapshot.taken_at)));
  }
  if (tick.dry_run) add("dry run", "nothing is reclaimed until it is turned off");
  return text;
}

// --- JSON ---

Json reserves_json(const Tick& tick, const std::vector<bool>& ready) {
  Json list = Json::array();
  const auto& reserves = tick.snapshot.reserves;
  for (std::size_t i = 0; i < reserves.size(); ++i) {
    const Reserve& reserve = reserves[i];
    list.push_back(
        Json::object({{"name", reserve.name},
                      {"uuid", reserve.uuid ? Json(reserve.uuid->text()) : Json()},
                      {"since", seconds_of(reserve.since.time_since_epoch())},
                      {"bytes", reserve.size.bytes()},
                      {"ready", static_cast<bool>(ready[i])},
                      {"seconds_left", seconds_of(reserve.until - tick.snapshot.taken_at)}}));
  }
  return list;
}

Json headroom_json(const HostHeadroom& headroom, const Tick& tick, const std::vector<bool>& ready) {
  Json within = Json::array();
  for (std::size_t i = 0; i < HostHeadroom::kTimes.size(); ++i) {
    const auto seconds = static_cast<std::uint64_t>(HostHeadroom::kTimes.at(i).count());
    within.push_back(
        Json::object({{"seconds", seconds}, {"bytes", headroom.within.at(i).bytes()}}));
  }
  return Json::object({{"grantable", headroom.grantable.bytes()},
                       {"reclaimable", headroom.reclaimable.bytes()},
                       {"within", std::move(within)},
                       {"reserved", headroom.reserved.bytes()},
                       {"reserves", reserves_json(tick, ready)},
                       {"dry_run", tick.dry_run}});
}

Json fit_json(const std::vector<MemorySize>& sizes, const HostHeadroom& headroom, Units units) {
  const Fit fit = fit_of(sizes, headroom);
  MemorySize sum;
  for (const MemorySize size : sizes) sum += size;
  return Json::object(
      {{"fits", to_text(fit.kind)},
       {"within_seconds",
        fit.within ? Json(static_cast<std::uint64_t>(fit.within->count())) : Json()},
       {"text", fit_text(sizes, fit, units)},
       {"size", sum.bytes()},
       {"needed", fit.needed.bytes()},
       {"grantable", fit.grantable.bytes()},
       {"reclaimable_in_time", fit.reclaimable.bytes()}});
}

}  // namespace

Result<std::vector<MemorySize>> parse_guest_sizes(std::string_view text) {
  std::vector<MemorySize> sizes;
  for (;;) {
    const std::size_t comma = text.find(',');
    const auto size = guest_size(text.substr(0, comma));
    if (!size) return fail(size.error());
    sizes.push_back(*size);
    if (comma == std::string_view::npos) return sizes;
    text.remove_prefix(comma + 1);
  }
}

Response headroom_response(const RouteContext& context, const Request& request) {
  std::vector<MemorySize> sizes;
  if (const std::string text = query_value(request, "fits"); !text.empty()) {
    auto parsed = parse_guest_sizes(text);
    if (!parsed) return refused_size(parsed.error());
    sizes = *std::move(parsed);
  }
  const RunState::View view = context.state.view();
  if (!view.sampled) return no_sample_yet();
  const Tick& tick = *view.sampled;
  const HostHeadroom headroom = headroom_at(tick, context.interval);
  const std::vector<bool> ready = ready_reserves(tick);
  Json json = headroom_json(headroom, tick, ready);
  std::string text = host_headroom_text(headroom, tick, ready);
  if (!sizes.empty()) {
    Json fit = fit_json(sizes, headroom, tick.limits.units);
    text += "\n" + fit.at("text").string() + "\n";
    json.set("fit", std::move(fit));
  }
  if (wants_text(request)) return text_response(std::move(text));
  json.set("text", text);
  return json_response(json);
}

Response fit_response(const RouteContext& context, const Request& request) {
  const std::string text = query_value(request, "size");
  if (text.empty()) return error_response_to(400, "no size", kSizeHint);
  const auto sizes = parse_guest_sizes(text);
  if (!sizes) return refused_size(sizes.error());
  const RunState::View view = context.state.view();
  if (!view.sampled) return no_sample_yet();
  const HostHeadroom headroom = headroom_at(*view.sampled, context.interval);
  return json_response(fit_json(*sizes, headroom, view.sampled->limits.units));
}

}  // namespace memcoord::control
