// Any text as a configuration file: it is applied, or refused with file, line and column.

#include <algorithm>
#include <cctype>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "engine/cli/command.h"
#include "engine/cli/run_options.h"

namespace {

void require(bool holds) {
  if (!holds) std::abort();
}

/// Takes "12:" from the front.
void require_number(std::string_view& text) {
  const auto digits = static_cast<std::size_t>(
      std::find_if_not(text.begin(), text.end(), [](unsigned char c) { return std::isdigit(c); }) -
      text.begin());
  require(digits > 0 && text[0] != '0');
  text.remove_prefix(std::min(digits + 1, text.size()));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(data, data + size);
  memcoord::cli::RunOptions options;
  memcoord::cli::Command program("memcoord", "");
  memcoord::cli::add_run_options(program, options);
  const auto applied = memcoord::cli::apply_configuration_text(text, "fuzz.toml", program);
  if (applied) {
    require(!options.policy.empty());
    require(!options.ticks || *options.ticks >= 1);
    require(options.connections >= 1 && options.connections <= 64);
    require(options.limits.max_reclaim > 0 && options.limits.max_reclaim <= 1);
  } else {
    constexpr std::string_view kFile = "fuzz.toml:";
    std::string_view object = applied.error().object;
    require(object.starts_with(kFile));
    object.remove_prefix(kFile.size());
    require_number(object);
    require_number(object);
    require(!applied.error().message.empty());
    require(applied.error().text().size() < 2000);
  }
  return 0;
}
