// memcoord headroom: how much more a run's host can promise, for people and schedulers.

#include <fmt/core.h>

#include <map>
#include <memory>
#include <optional>
#include <string>

#include "engine/cli/control_request.h"
#include "engine/cli/help.h"
#include "engine/cli/terminal.h"
#include "engine/control/live.h"
#include "engine/observers/json.h"

namespace memcoord::cli {
namespace {

using observers::Json;

struct HeadroomOptions : ControlOptions {
  std::string fits;  ///< "4GiB,512MiB"; empty without --fits
  bool key_value = false;
};

/// A member that is a number which sizes and times have; none: there is no such member.
std::optional<double> number_in(const Json& object, const std::string& name) {
  constexpr double kLargest = 0x1p63;
  const auto member = object.find(name);
  if (!member || !member->is_number()) return std::nullopt;
  const double number = member->number();
  return number >= 0 && number < kLargest ? std::optional(number) : std::nullopt;
}

std::optional<std::uint64_t> kib_in(const Json& object, const std::string& name) {
  const auto bytes = number_in(object, name);
  return bytes ? std::optional(static_cast<std::uint64_t>(*bytes / 1024)) : std::nullopt;
}

/// "MEMCOORD_HEADROOM_10S=1048576", in KiB, as OpenNebula counts memory. None: these are no
/// figures of memcoord.
std::optional<std::string> key_value_lines(const Json& headroom) {
  const auto now = kib_in(headroom, "grantable");
  const auto later = kib_in(headroom, "reclaimable");
  const auto reserved = kib_in(headroom, "reserved");
  const auto times = headroom.find("within");
  if (!now || !later || !reserved || !times) return std::nullopt;
  std::string text = fmt::format("MEMCOORD_HEADROOM={}\n", *now);
  for (const Json& within : times->items()) {
    const auto seconds = number_in(within, "seconds");
    const auto size = kib_in(within, "bytes");
    if (!seconds || !size) return std::nullopt;
    text += fmt::format("MEMCOORD_HEADROOM_{:.0f}S={}\n", *seconds, *size);
  }
  return text +
         fmt::format("MEMCOORD_HEADROOM_ALL={}\nMEMCOORD_RESERVED={}\n", *now + *later, *reserved);
}

Result<ExitCode> show_headroom(const HeadroomOptions& options) {
  std::map<std::string, std::string> parameters;
  if (!options.fits.empty()) parameters["fits"] = options.fits;
  const auto headroom =
      json_response_to(options, {"GET", "/v1/headroom", std::move(parameters), {}, {}});
  if (!headroom) return fail(headroom.error());
  const auto text = headroom->find("text");
  const auto lines = key_value_lines(*headroom);
  const auto fit = headroom->find("fit");
  const bool answers = fit.has_value() || options.fits.empty();
  if (!text || !text->is_string() || !lines || !answers) return unexpected_response(options);
  if (options.json) {
    standard_output().lines(headroom->text()) << '\n';
  } else {
    standard_output().lines(options.key_value ? *lines : text->string());
  }
  return fit && fit->find("fits") == Json("no") ? ExitCode::failed : ExitCode::ok;
}

/// Keeps the text of sizes that can be read.
TakeText into_sizes(std::string& target) {
  return [&target](const std::string& text) -> Status {
    if (const auto sizes = control::parse_guest_sizes(text); !sizes) return fail(sizes.error());
    target = text;
    return {};
  };
}

}  // namespace

void add_headroom_command(Command& program) {
  const auto options = std::make_shared<HeadroomOptions>();
  Command& command = add_control_command(
      program, "headroom",
      "Show how much more memory the host of a run can promise to guests that are to start: now, "
      "within 1, 10 and 60 s, and after all that shrinks of the other guests may take.",
      options, [options] { return show_headroom(*options); });
  add_option(command,
             {"--fits", "SIZE[,SIZE...]",
              "whether guests with these maxima fit, all of them together; a guest counts with its "
              "maximum and its QEMU. The exit code is 1 where they do not fit"},
             into_sizes(options->fits));
  add_flag(command, {"--json", "print JSON"}, options->json);
  add_flag(command,
           {"--key-value", "print KEY=VALUE lines in KiB, for a monitoring probe of OpenNebula",
            "Options", "--json"},
           options->key_value);
  command.footer = examples_text(
      {{"memcoord headroom", "how much more can this host promise?"},
       {"memcoord headroom --fits 4GiB,4GiB", "do two guests of 4 GiB fit, now or soon?"}});
}

}  // namespace memcoord::cli
