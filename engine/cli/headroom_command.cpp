// memcoord headroom: how much more a run's host can promise, for people and schedulers.

#include <fmt/core.h>

#include <map>
#include <memory>
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

std::uint64_t kib_in(const Json& bytes) {
  return static_cast<std::uint64_t>(bytes.number() / 1024);
}

/// "MEMCOORD_HEADROOM_10S=1048576", in KiB, as OpenNebula counts memory.
std::string key_value_lines(const Json& headroom) {
  const std::uint64_t now = kib_in(headroom.at("grantable"));
  std::string text = fmt::format("MEMCOORD_HEADROOM={}\n", now);
  for (const Json& within : headroom.at("within").items()) {
    text += fmt::format("MEMCOORD_HEADROOM_{:.0f}S={}\n", within.at("seconds").number(),
                        kib_in(within.at("bytes")));
  }
  const std::uint64_t all = now + kib_in(headroom.at("reclaimable"));
  return text + fmt::format("MEMCOORD_HEADROOM_ALL={}\nMEMCOORD_RESERVED={}\n", all,
                            kib_in(headroom.at("reserved")));
}

Result<ExitCode> show_headroom(const HeadroomOptions& options) {
  std::map<std::string, std::string> parameters;
  if (!options.fits.empty()) parameters["fits"] = options.fits;
  const auto body = response_to(options, {"GET", "/v1/headroom", std::move(parameters), {}, {}});
  if (!body) return fail(body.error());
  auto headroom = Json::parse(*body);
  if (!headroom) return fail(headroom.error());
  if (options.key_value) {
    standard_output().lines(key_value_lines(*headroom));
  } else if (options.json) {
    standard_output().lines(*body);
  } else {
    standard_output().lines(headroom->at("text").string());
  }
  const auto fit = headroom->find("fit");
  return fit && fit->at("fits") == Json("no") ? ExitCode::failed : ExitCode::ok;
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
