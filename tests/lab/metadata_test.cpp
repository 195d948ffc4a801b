// Settings that an administrator writes with virsh edit while the guest runs.

#include <doctest/doctest.h>

#include "tests/lab/coordination.h"
#include "tests/lab/guest.h"
#include "tests/text.h"

using namespace memcoord;
using namespace memcoord::lab;

namespace {

testing::Finished domain_command(const LabHost& host, std::vector<std::string> words) {
  words.insert(words.begin(), "domain");
  words.insert(words.end(), {"--connect", host.uri()});
  return testing::run_memcoord(words);
}

}  // namespace

TEST_CASE(
    "memcoord shows settings of virsh edit as waiting for the next start, domain set keeps them, "
    "and the command in the note puts them in force") {
  const LabHost host;
  GuestSpec spec = guest_of("idle", "20:60");
  spec.persistent = true;
  const Guests guests = boot(host, {spec});
  Coordination run(host, "--policy halving 1");
  REQUIRE(run.wait_for_ticks(2));
  guests[0]->edit_metadata(
      "<memcoord:domain xmlns:memcoord='https://memcoord.org/xmlns/domain/1.0' minimum='500MiB' "
      "weight='5'/>");
  REQUIRE(run.wait_for_more_ticks(4));
  CHECK(contains(run.errors(),
                 "idle: other settings are configured for its next start (minimum "
                 "500 MiB, weight 5) than those in force (none)"));
  const auto shown = domain_command(host, {"show", "idle"});
  CHECK_MESSAGE(contains(shown.output, "in force now"), shown.output, shown.errors);
  CHECK_MESSAGE(contains(shown.output, "next start"), shown.output);
  CHECK_MESSAGE(contains(shown.output, "500 MiB"), shown.output);

  REQUIRE(domain_command(host, {"set", "idle", "--priority", "3"}).exit_code == 0);
  const std::string configured = guests[0]->configuration();
  CHECK_MESSAGE(contains(configured, "minimum=\"500MiB\""), configured);
  CHECK_MESSAGE(contains(configured, "weight=\"5\""), configured);
  CHECK_MESSAGE(contains(configured, "priority=\"3\""), configured);

  // The command in the note; domain_command() adds --connect.
  REQUIRE(domain_command(host, {"set", "idle", "--clear", "all", "--minimum", "500MiB", "--weight",
                                "5", "--priority=3"})
              .exit_code == 0);
  CHECK_FALSE(contains(domain_command(host, {"show", "idle"}).output, "next start"));
  CHECK(run.wait_for_tick([](const Tick& tick) {
    const Domain* domain = find_domain(tick, "idle");
    return domain != nullptr && domain->settings().minimum == 500_MiB &&
           domain->settings().priority == 3;
  }));
  CHECK(run.end() == 0);
}
