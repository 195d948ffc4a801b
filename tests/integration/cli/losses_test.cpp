// Kinds of loss that the search over random scenarios found (tests/scenarios/losses), and what
// adaptive makes of each.

#include <doctest/doctest.h>

#include <algorithm>
#include <filesystem>
#include <set>
#include <string>
#include <vector>

#include "engine/observers/json.h"
#include "tests/integration/cli/process.h"

using memcoord::observers::Json;
using memcoord::testing::json_of;
using memcoord::testing::run_memcoord;

namespace {

struct NamedLoss {
  const char* scenario;
  const char* headroom;
  const char* interval;
  double stalled;  ///< at most
  double oom;      ///< at most
  bool served;     ///< by the bundled adaptive; otherwise the figures are only shown
};

/// What is right. All need fits in all but two: the elephant is killed whatever it gets, and the
/// start beyond the host's memory has to stop where that ends.
const std::vector<NamedLoss> kNamedLosses{
    {"elephant", "usable", "1", 0.2, 2, false},
    {"falls", "usable", "1", 0, 0, true},
    {"fast-ticks", "usable", "0.5", 0.02, 0, false},
    {"grow-under-way", "usable", "1", 0.04, 1, true},
    {"killed-at-once", "usable", "1", 0.01, 1, true},
    {"killed-in-swap", "usable", "1", 0.06, 1, true},
    {"killed-unseen", "usable", "1", 0.06, 3, true},
    {"killed-with-a-rest", "usable", "1", 0.01, 1, true},
    {"lent-start", "usable", "1", 0, 0, false},
    {"node-spanned", "usable", "1", 0, 0, true},
    {"reserve", "unused", "1", 0.02, 1, true},
    {"rise-together", "usable", "1", 0.005, 0, true},
    {"small-rest", "usable", "1", 0, 0, true},
    {"start-beside-files", "usable", "1", 0, 0, true},
    {"start-beyond-memory", "usable", "1", 0.06, 0, true},
    {"unbound-beside-bound", "usable", "1", 0, 0, true},
    {"weights", "usable", "1", 0, 0, true},
};

std::string loss_file(const std::string& name) {
  return MEMCOORD_TEST_SCENARIOS "/losses/" + name + ".lua";
}

Json figures_of(const NamedLoss& loss, const std::string& policy) {
  return json_of(
      run_memcoord({"simulate", "-p", policy, "-S", loss_file(loss.scenario), "--keep-periods",
                    "--headroom", loss.headroom, "-i", loss.interval, "--json"}));
}

}  // namespace

TEST_CASE("adaptive serves every kind of loss that the search over random scenarios found") {
  for (const NamedLoss& loss : kNamedLosses) {
    const std::string name = loss.scenario;
    CAPTURE(name);
    const Json run = figures_of(loss, "adaptive");
    const bool as_it_should = run.at("stalled").number() <= loss.stalled &&
                              run.at("oom").number() <= loss.oom && run.at("host_oom") == 0;
    CAPTURE(run.line());
    if (loss.served) {
      CHECK(as_it_should);
    } else {
      WARN(as_it_should);
    }
  }
}

TEST_CASE("every file of tests/scenarios/losses has a row with what is right") {
  std::set<std::string> named;
  for (const NamedLoss& loss : kNamedLosses) named.insert(loss.scenario);
  std::set<std::string> files;
  for (const auto& file : std::filesystem::directory_iterator(MEMCOORD_TEST_SCENARIOS "/losses")) {
    files.insert(file.path().stem().string());
  }
  CHECK(files == named);
}
