// A guest whose cgroup kills it if it exceeds a limit (<memtune><hard_limit>).

#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <string>

#include "tests/lab/coordination.h"
#include "tests/lab/guest.h"
#include "tests/text.h"

using namespace memcoord;
using namespace memcoord::lab;

namespace {

constexpr MemorySize kHardLimit = MemorySize::from_mib(700);
/// The least overhead that memcoord counts for the QEMU of a guest of this size.
constexpr MemorySize kQemu = MemorySize::from_mib(62);

/// A session daemon has no cgroups and refuses to define such a domain. A restarted daemon reads
/// running domains from their status files and reports the limit that stands there.
void limit(LabHost& host, const std::string& domain) {
  host.kill_daemon();
  const std::filesystem::path state = host.folder() / "libvirt/qemu/run" / (domain + ".xml");
  std::string text = testing::read_text(state);
  const std::size_t at = text.find("<memory unit=");
  REQUIRE(at != std::string::npos);
  text.insert(at, "<memtune><hard_limit unit='KiB'>" + std::to_string(kHardLimit.kib()) +
                      "</hard_limit></memtune>");
  std::ofstream(state, std::ios::binary | std::ios::trunc) << text;
  host.start_daemon();
}

}  // namespace

TEST_CASE("a guest with a hard limit grows until its QEMU reaches that limit, and no further") {
  LabHost host;
  const Guests guests = boot(host, {guest_of("limited", "20:15,440:20,440:5,20:0")});
  limit(host, "limited");
  Coordination run(host, "--policy halving 1");
  CHECK(guests[0]->wait_for("lab: plan done"));
  CHECK(run.end() == 0);
  CHECK_FALSE(guests[0]->was_oom_killed());

  const std::vector<Tick> ticks = answered(run.ticks());
  CHECK(moves_of(ticks, "limited").grows > 0);
  bool limits = false;
  for (const Tick& tick : ticks) {
    CAPTURE(tick.number);
    const Domain* domain = find_domain(tick, "limited");
    REQUIRE(domain != nullptr);
    CHECK(domain->identity->hard_limit == kHardLimit);
    CHECK(domain->rss.value_or(MemorySize()) <= kHardLimit);
    for (const Decision& decision : tick.decisions) {
      CHECK(decision.target <= kHardLimit - kQemu);
      for (const RuleHit& hit : decision.rules) limits = limits || hit.rule == Rule::maximum;
    }
  }
  CHECK(limits);
}
