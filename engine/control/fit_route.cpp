#include "engine/control/live.h"
#include "engine/control/responses.h"
#include "engine/core/host_stack.h"
#include "engine/core/printable.h"

namespace memcoord::control {
namespace {

using observers::Json;

constexpr const char* kSizeHint = "give the guest's maximum with its unit, as in 4GiB";
/// No host has more.
constexpr MemorySize kLargestGuest = MemorySize::from_gib(std::uint64_t{1} << 20U);

std::string fit_text(const Fit& fit, MemorySize size, Units units) {
  const auto text_of = [&](MemorySize part) { return part.text(units); };
  const std::string guest =
      "A guest of " + text_of(size) + " needs " + text_of(fit.needed) + " with its QEMU. ";
  const std::string grantable = fit.grantable.is_zero() ? "nothing" : text_of(fit.grantable);
  switch (fit.kind) {
    case Fit::Kind::now:
      return guest + "It fits now: the host can grant " + grantable + ".";
    case Fit::Kind::after_reclaiming:
      return guest + "It fits after some ticks: the host can grant " + grantable +
             " now, and shrinks of the other guests have to give " +
             text_of(fit.needed - fit.grantable) + " of at most " + text_of(fit.reclaimable) + ".";
    case Fit::Kind::no:
      break;
  }
  const MemorySize most = fit.grantable + fit.reclaimable;
  return guest + "It does not fit: the host can grant " + grantable + " now, and " +
         (most.is_zero() ? "nothing" : "at most " + text_of(most)) + " after some ticks.";
}

}  // namespace

Response fit_response(const RouteContext& context, const Request& request) {
  const std::string text = query_value(request, "size");
  if (text.empty()) return error_response_to(400, "no size", kSizeHint);
  const auto size = MemorySize::parse_with_unit(text);
  if (!size) {
    const Error& error = size.error();
    return error_response_to(400, printable(error.message, 200),
                             error.hint.empty() ? kSizeHint : printable(error.hint, 200));
  }
  if (size->is_zero()) return error_response_to(400, "the size must be over 0", kSizeHint);
  if (*size > kLargestGuest) {
    return error_response_to(400, "'" + printable(text, 40) + "' is more than any host has",
                             kSizeHint);
  }
  const RunState::View view = context.state.view();
  if (!view.sampled) return no_sample_yet();
  const Fit fit = fit_of(*size, *view.sampled);
  return json_response(Json::object({{"fits", to_text(fit.kind)},
                                     {"text", fit_text(fit, *size, view.sampled->limits.units)},
                                     {"size", size->bytes()},
                                     {"needed", fit.needed.bytes()},
                                     {"grantable", fit.grantable.bytes()},
                                     {"reclaimable_in_time", fit.reclaimable.bytes()}}));
}

}  // namespace memcoord::control
