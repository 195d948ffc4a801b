// memcoord report on journals.

#include <doctest/doctest.h>

#include <string>

#include "engine/observers/json.h"
#include "tests/integration/cli/process.h"
#include "tests/integration/cli/refusal.h"
#include "tests/integration/cli/scratch_files.h"
#include "tests/text.h"

using memcoord::contains;
using memcoord::observers::Json;
using memcoord::testing::Finished;
using memcoord::testing::json_of;
using memcoord::testing::refusal;
using memcoord::testing::run_memcoord;
using memcoord::testing::ScratchFiles;

namespace {

/// The journal of a simulated run. It begins on 2024-01-01 at midnight, UTC.
std::string recorded_run(const ScratchFiles& scratch) {
  const std::string journal = scratch.path("ticks.jsonl");
  REQUIRE(
      run_memcoord({"simulate", "-p", "halving", "-S", "case3", "--journal", journal}).exit_code ==
      0);
  return journal;
}

}  // namespace

TEST_CASE("report says what happened, as text, JSON and a page") {
  const ScratchFiles scratch;
  const std::string journal = recorded_run(scratch);
  const std::string page = scratch.path("page.html");
  const Finished text = run_memcoord({"report", journal, "-o", page});
  CHECK(text.exit_code == 0);
  CHECK(text.errors.empty());
  CHECK(contains(text.output, "bravo"));
  CHECK(contains(text.output, "short for"));
  CHECK(contains(text.output, "page: " + page));
  CHECK(contains(scratch.read("page.html"), "signs of kills"));
  const Json json = json_of(run_memcoord({"report", journal, "--json"}));
  CHECK(json.at("since") == Json("2024-01-01T00:00:00.000Z"));
  CHECK(json.at("policy") == Json("halving"));
  CHECK(json.at("domains").size() == 4);
  CHECK(json.at("ticks").number() > 0);
  CHECK(json.at("events").size() > 0);
}

TEST_CASE("report keeps to a span of time and to chosen domains") {
  const ScratchFiles scratch;
  const std::string journal = recorded_run(scratch);
  const Json json =
      json_of(run_memcoord({"report", journal, "--since", "2024-01-01T00:00:10Z", "--until",
                            "2024-01-01T00:00:20Z", "--domain", "br*", "--json"}));
  CHECK(json.at("since") == Json("2024-01-01T00:00:10.000Z"));
  CHECK(json.at("until") == Json("2024-01-01T00:00:20.000Z"));
  REQUIRE(json.at("domains").size() == 1);
  CHECK(json.at("domains").at(0).at("name") == Json("bravo"));
  const Json last = json_of(run_memcoord({"report", journal, "--since", "5s", "--json"}));
  CHECK(last.at("recorded_s").number() == doctest::Approx(5));
}

TEST_CASE("report refuses what it cannot report on with one line") {
  const ScratchFiles scratch;
  const std::string journal = recorded_run(scratch);
  const std::string other = scratch.write("other.txt", "hello\n");
  const std::string none = scratch.write("none.jsonl", "");
  CHECK(contains(refusal({"report", journal, "--since", "2020-01-01", "--until", "2020-01-02"}),
                 "has no tick between 2020-01-01 00:00:00 and 2020-01-02 00:00:00; its ticks are "
                 "from "));
  CHECK(contains(refusal({"report", journal, "--since", "2020-01-02", "--until", "2020-01-01"}),
                 "--since: is after --until"));
  CHECK(contains(refusal({"report", journal, "--domain", "nobody"}),
                 "no domain of this time matches 'nobody'; there are alpha, bravo"));
  CHECK(contains(refusal({"report", journal, "--since", "soon"}), "'soon' is not a time"));
  CHECK(contains(refusal({"report", other}), "is not a journal"));
  CHECK(contains(refusal({"report", none}), "has no ticks"));
  CHECK(contains(refusal({"report", scratch.path("missing")}), "no such journal"));
  CHECK(contains(refusal({"report", journal, "-o", "/nonexistent/page.html"}), "/nonexistent"));
  CHECK(contains(refusal({"report"}), "JOURNAL"));
}

TEST_CASE("report reads a journal that was cut off up to its last whole line") {
  const ScratchFiles scratch;
  const std::string journal = recorded_run(scratch);
  const std::string whole = scratch.read("ticks.jsonl");
  const std::string cut = scratch.write("cut.jsonl", whole.substr(0, whole.size() - 10));
  const Finished run = run_memcoord({"report", cut});
  CHECK(run.exit_code == 0);
  CHECK(contains(run.output, "ticks, policy halving"));
  CHECK(contains(run.errors, "is cut off; read up to line"));
}

TEST_CASE("events takes the same moments as report") {
  const ScratchFiles scratch;
  const std::string journal = recorded_run(scratch);
  const std::string all = run_memcoord({"events", "--journal", journal}).output;
  const std::string late =
      run_memcoord({"events", "--journal", journal, "--since", "2024-01-01T00:00:30Z"}).output;
  CHECK(late.size() < all.size());
  CHECK(all.ends_with(late));
  const std::string early =
      run_memcoord({"events", "--journal", journal, "--until", "2024-01-01T00:00:20Z"}).output;
  CHECK(!early.empty());
  CHECK(all.starts_with(early));
  CHECK(early.size() + late.size() <= all.size());
  CHECK(contains(
      refusal({"events", "--journal", journal, "--since", "2024-01-02", "--until", "2024-01-01"}),
      "--since: is after --until"));
}
