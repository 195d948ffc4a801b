#include "engine/cli/guard_options.h"

#include <utility>

#include "engine/cli/option_values.h"
#include "engine/cli/options.h"

namespace memcoord::cli {
namespace {

// A limit that is laxer than the built-in one is refused where it stands: on the command line, or
// in a line of the configuration.
template <class Field, class Parse>
TakeText into_limit(Limits& limits, Field Limits::*field, Parse parse) {
  return [&limits, field, parse](const std::string& text) -> Status {
    const auto value = parse(text);
    if (!value) return fail(value.error());
    Limits wanted;
    wanted.*field = *value;
    if (auto checked = Limits::checked(wanted); !checked) {
      Error error = checked.error();
      error.object.clear();  // the caller knows the option's name
      return fail(std::move(error));
    }
    limits.*field = *value;
    return {};
  };
}

}  // namespace

void add_guard_options(Command& command, Limits& limits) {
  const std::string group =
      "Guard (stricter only, apart from --overcommit: a laxer value is refused)";
  add_option(command,
             {"--domain-floor", "SIZE",
              "headroom that every domain keeps; default and least "
              "100MiB",
              group},
             into_limit(limits, &Limits::domain_floor, parse_size));
  add_option(
      command,
      {"--host-floor", "SIZE", "memory that the host keeps; default and least 200MiB", group},
      into_limit(limits, &Limits::host_floor, parse_size));
  add_option(command,
             {"--max-release", "SHARE",
              "most of its headroom that a domain loses in one tick; "
              "default and most 50%",
              group},
             into_limit(limits, &Limits::max_release, parse_share));
  add_choice(command,
             {"--headroom", "",
              "what floors and policies go by: of a guest its unused memory (page cache is not "
              "counted), its usable (what it can have without swapping), or the larger, the "
              "default; of the host its free, its available, or the larger",
              group},
             {"larger", "unused", "usable"},
             [&limits](std::size_t index) { limits.headroom = static_cast<Headroom>(index); });
  add_option(command,
             {"--host-memory", "SIZE", "a budget for all guests, smaller than the machine", group},
             into_limit(limits, &Limits::host_memory, parse_size));
  add_option(command,
             {"--overcommit", "RATIO",
              "how much of its memory the host may promise to guests, its floor and itself; over 1 "
              "only where swap or free page reporting makes up for it; default 1",
              group},
             into_limit(limits, &Limits::overcommit, parse_ratio));
}

}  // namespace memcoord::cli
