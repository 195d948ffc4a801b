#include "bindings/testing/check_situations.h"

#include <utility>

namespace memcoord::bindings::testing {
namespace {

using namespace memcoord::literals;

StagedDomain guest(std::string name, MemorySize actual, MemorySize unused) {
  StagedDomain d;
  d.name = std::move(name);
  d.actual = actual;
  d.maximum = 4_GiB;
  d.unused = unused;
  d.usable = unused;
  return d;
}

StagedDomain content(std::string name) {
  return guest(std::move(name), 1_GiB, 220_MiB);
}
StagedDomain starved(std::string name) {
  StagedDomain d = guest(std::move(name), 512_MiB, 40_MiB);
  d.swap_in = 2000;
  d.swap_out = 4000;
  d.major_faults = 500;
  return d;
}
StagedDomain wasteful(std::string name) {
  return guest(std::move(name), 3_GiB, 2_GiB + 512_MiB);
}

StagedWorld host_with(MemorySize free, std::vector<StagedDomain> domains) {
  StagedWorld world;
  world.host.total = 32_GiB;
  world.host.free = free;
  world.host.available = free;
  world.domains = std::move(domains);
  return world;
}

StagedWorld roomy(std::vector<StagedDomain> domains) {
  return host_with(8_GiB, std::move(domains));
}
/// At its floor: nothing can be given before something is taken.
StagedWorld full(std::vector<StagedDomain> domains) {
  return host_with(200_MiB, std::move(domains));
}

/// A hundred guests between starved and wasteful, none like another.
StagedWorld crowd() {
  std::vector<StagedDomain> domains;
  for (unsigned i = 0; i < 100; ++i) {
    const MemorySize unused = MemorySize::from_mib(10 + (i * 37) % 900);
    domains.push_back(guest("guest-" + std::to_string(100 + i), unused + 256_MiB, unused));
  }
  return host_with(1_GiB, std::move(domains));
}

StagedWorld old_guests() {
  StagedWorld world = roomy({starved("old-1"), wasteful("old-2"), content("old-3")});
  for (StagedDomain& d : world.domains) {
    d.usable.reset();
    d.disk_caches.reset();
  }
  return world;
}

StagedWorld silent_guests() {
  StagedWorld world = roomy({content("web"), starved("paused"), content("mute"), wasteful("hung")});
  world.domains[1].state = DomainState::paused;
  world.domains[2].silent = true;
  world.domains[3].state = DomainState::hung;
  return world;
}

StagedWorld stuck_guest() {
  StagedWorld world = roomy({starved("hungry"), wasteful("stuck")});
  world.domains[1].follows = false;
  return world;
}

StagedWorld with_settings() {
  StagedWorld world = full({starved("gold"), starved("lead"), wasteful("reserved")});
  world.domains[0].settings.weight = 4;
  world.domains[0].settings.priority = 10;
  world.domains[1].settings.weight = 0.5;
  world.domains[1].settings.labels["tier"] = "batch";
  world.domains[2].settings.minimum = 3_GiB;
  return world;
}

/// One guest's need, up and down again.
void rise_and_fall(StagedWorld& world, int tick) {
  StagedDomain& d = world.domains[0];
  const MemorySize used =
      MemorySize::from_mib(tick <= 6 ? 300U + 120U * static_cast<unsigned>(tick) : 300U);
  d.unused = d.actual - used;
  d.usable = d.unused;
}

void come_and_go(StagedWorld& world, int tick) {
  if (tick % 2 == 0) {
    world.domains.push_back(starved("new-" + std::to_string(tick)));
  } else {
    world.domains.erase(world.domains.begin());
  }
}

}  // namespace

std::vector<CheckSituation> check_situations() {
  return {
      {"empty host", "no domains at all", roomy({}), 2, {}},
      {"all content",
       "three domains, each with 220 MiB of headroom",
       roomy({content("db"), content("mail"), content("web")}),
       3,
       {}},
      {"one starved",
       "one of three domains is short and swaps; the host has plenty",
       roomy({content("db"), starved("hungry"), content("web")}),
       3,
       {}},
      {"one wasteful",
       "one of three domains has far more than it needs",
       roomy({content("db"), wasteful("idle"), content("web")}),
       3,
       {}},
      {"starved and wasteful",
       "what one lacks the other has",
       roomy({content("db"), starved("hungry"), wasteful("idle")}),
       3,
       {}},
      {"crunch",
       "two are short, one has plenty, and the host is at its floor",
       full({starved("hungry-1"), starved("hungry-2"), wasteful("idle")}),
       4,
       {}},
      {"all starved",
       "everyone is short, and the host is at its floor",
       full({starved("hungry-1"), starved("hungry-2"), starved("hungry-3")}),
       3,
       {}},
      {"rise and fall", "one domain's need grows tick by tick, then ends",
       roomy({guest("batch", 512_MiB, 200_MiB), content("web")}), 10, rise_and_fall},
      {"settings",
       "minimum, weight, priority and labels, on a host at its floor",
       with_settings(),
       3,
       {}},
      {"old guests", "guests that do not report what is usable", old_guests(), 3, {}},
      {"silent guests", "paused, hung, and one without statistics", silent_guests(), 3, {}},
      {"stuck guest", "a balloon that takes targets and does not move", stuck_guest(), 4, {}},
      {"come and go", "domains start and end all the time",
       roomy({content("db"), wasteful("idle"), starved("hungry")}), 6, come_and_go},
      {"a hundred domains", "a hundred domains between starved and wasteful", crowd(), 3, {}},
  };
}

}  // namespace memcoord::bindings::testing
