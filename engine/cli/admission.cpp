#include "engine/cli/admission.h"

#include <fmt/core.h>

#include <algorithm>
#include <functional>

#include "engine/core/balloon_tracker.h"
#include "engine/observers/amounts.h"

namespace memcoord::cli {
namespace {

constexpr Duration kBetweenQuestions = std::chrono::milliseconds(100);

Admission goes_on(const std::string& why) {
  return {true, "it starts without room made for it: " + why};
}

/// Without its hint, which is for people at a terminal.
Admission goes_on(const Error& error) {
  return goes_on(error.object.empty() ? error.message : error.object + ": " + error.message);
}

bool is_busy(const Result<bool>& answer) {
  return !answer && answer.error().code == ErrorCode::timed_out;
}

}  // namespace

HookCall hook_call(std::string_view operation, std::string_view suboperation) {
  if (operation == "prepare" && suboperation == "begin") return HookCall::reserve;
  if (operation == "release" && suboperation == "end") return HookCall::release;
  return HookCall::other;
}

MemorySize memory_to_start(const libvirt::DomainDescription& guest) {
  const MemoryBacking& backing = guest.backing;
  const MemorySize memory =
      backing.hugepages ? backing.beside_hugepages : guest.maximum - backing.unplugged;
  return memory + ProcessOverhead::usual(guest.maximum);
}

std::optional<bool> is_ready_in(const observers::Json& headroom, const std::string& name,
                                double since) {
  using observers::Json;
  const auto reserves = headroom.find("reserves");
  if (!reserves || !reserves->is_array()) return std::nullopt;
  for (const Json& reserve : reserves->items()) {
    const auto asked = reserve.find("since");
    if (!asked || !asked->is_number()) return std::nullopt;
    if (reserve.find("name") != Json(name)) continue;
    // A request for a UUID may have the same name.
    if (asked->number() < since) continue;
    return reserve.find("ready") == Json(true);
  }
  return false;
}

Admission admit(const std::string& name, MemorySize size, const AdmissionOptions& options,
                ReserveClient& client, Clock& clock) {
  const MonotonicTime end = clock.now() + options.wait;
  // Asks until there is an answer that ends the wait: a busy run answers later, and what is not
  // there yet may come.
  const auto answer_to = [&](const std::function<Result<bool>()>& ask, bool may_come) {
    for (;;) {
      Result<bool> answer = ask();
      const Duration left = end - clock.now();
      const bool again = is_busy(answer) || (may_come && answer == false);
      if (!again || left <= Duration()) return answer;
      clock.sleep_for(std::min(left, kBetweenQuestions));
    }
  };
  const std::string missing = fmt::format("the {} that it may take are not free after {}",
                                          size.text(), observers::set_time_text(options.wait));
  // Other guests give nothing for a guest that does not fit. Room may come while one waits that is
  // refused without it.
  const auto fits = answer_to([&] { return client.can_fit(size); }, options.refuse);
  if (!fits) return goes_on(fits.error());
  if (!*fits && options.refuse) return {false, "it does not start: " + missing};
  if (!*fits) return goes_on("the " + size.text() + " that it may take do not fit on this host");
  const auto reserved = answer_to([&] { return client.reserve(name, size, options.hold); }, false);
  if (!reserved) return goes_on(reserved.error());
  if (!*reserved) return goes_on("memcoord is in a dry run");
  const auto ready = answer_to([&] { return client.is_ready(name); }, true);
  if (!ready) return goes_on(ready.error());
  if (*ready) return {true, size.text() + " are reserved for it"};
  if (!options.refuse) return goes_on(missing);
  // Without an answer the reserve ends by its time.
  (void)client.release(name);
  return {false, "it does not start: " + missing};
}

}  // namespace memcoord::cli
