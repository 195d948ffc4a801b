// Any text as a fleet file and as metrics: it is read, or refused with a place.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <set>
#include <string>

#include "engine/fleet/host_figures.h"
#include "engine/fleet/host_list.h"

namespace {

void require_in_fleet(bool holds) {
  if (!holds) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(data, data + size);
  const auto hosts = memcoord::fleet::parse_fleet(text, "fuzz.txt");
  if (hosts) {
    require_in_fleet(!hosts->empty());
    std::set<std::string> names;
    for (const auto& host : *hosts) {
      require_in_fleet(names.insert(host.name).second);
      require_in_fleet(host.server.socket.empty() != host.server.url.empty());
    }
  } else {
    require_in_fleet(hosts.error().object.starts_with("fuzz.txt"));
    require_in_fleet(hosts.error().text().size() < 2000);
  }
  const auto figures =
      memcoord::fleet::figures_in(text, memcoord::WallTime(std::chrono::seconds(1000)));
  if (figures) {
    require_in_fleet(figures->since_tick >= memcoord::Duration());
    (void)memcoord::fleet::fit_on(*figures, memcoord::MemorySize::from_gib(4));
  } else {
    require_in_fleet(!figures.error().message.empty());
  }
  return 0;
}
