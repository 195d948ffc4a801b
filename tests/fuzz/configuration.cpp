// Any text as a configuration file: it is applied, or refused with one that names file and line.

#include "engine/cli/configuration.h"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "engine/cli/run_options.h"

namespace {

void require(bool holds) {
  if (!holds) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(data, data + size);
  memcoord::cli::RunOptions options;
  memcoord::cli::Command program("memcoord", "");
  memcoord::cli::add_run_options(program, options);
  const memcoord::Status applied =
      memcoord::cli::apply_configuration_text(text, "fuzz.toml", program);
  if (applied) {
    require(!options.policy.empty());
    require(!options.ticks || *options.ticks >= 1);
    require(options.lanes >= 1 && options.lanes <= 64);
    require(options.limits.max_release > 0 && options.limits.max_release <= 1);
  } else {
    require(applied.error().object.starts_with("fuzz.toml:"));
    require(!applied.error().message.empty());
  }
  return 0;
}
