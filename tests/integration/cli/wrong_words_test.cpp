// Wrong command lines as new administrators write them: the message names the wrong word, and the
// word that was meant.

#include <string>

#include "tests/integration/cli/refusal.h"
#include "tests/integration/cli/scratch_files.h"

using memcoord::testing::refusal;
using memcoord::testing::ScratchFiles;

TEST_CASE("a misspelt command is named with the nearest one") {
  CHECK(refusal({"polcies"}) ==
        "polcies: is neither a command nor an interval; did you mean policies?");
  CHECK(refusal({"web"}) == "web: is neither a command nor an interval; see 'memcoord --help'");
  CHECK(refusal({"version"}) ==
        "version: is neither a command nor an interval; did you mean --version?");
  CHECK(refusal({"help", "domian"}) == "domian: no such command; did you mean domain?");
  CHECK(refusal({"help", "domain", "shwo"}) ==
        "shwo: no such command of 'memcoord domain'; did you mean show?");
  CHECK(refusal({"domain", "shwo"}) == "shwo: no such command; did you mean show?");
  CHECK(refusal({"domain"}) ==
        "memcoord domain: needs a command; expected 'memcoord domain show' or 'memcoord domain "
        "set'");
}

TEST_CASE("a misspelt command is named before the words behind it") {
  const std::string neither = ": is neither a command nor an interval; did you mean ";
  CHECK(refusal({"explian", "build"}) == "explian" + neither + "explain?");
  CHECK(refusal({"puase", "web", "--for", "10m"}) == "puase" + neither + "pause?");
  CHECK(refusal({"--for", "10m", "puase", "web"}) == "puase" + neither + "pause?");
  CHECK(refusal({"evnts", "--since", "8h"}) == "evnts" + neither + "events?");
  CHECK(refusal({"polcy", "band"}) == "polcy" + neither + "policy?");
  CHECK(refusal({"dryrun", "on"}) == "dryrun" + neither + "dry-run?");
  CHECK(refusal({"dry-run=on"}) == "dry-run=on" + neither + "dry-run on?");
  CHECK(refusal({"domian", "set", "web", "--minimum"}) == "domian" + neither + "domain?");
  CHECK(refusal({"explian", "status"}) == "explian" + neither + "explain?");
  CHECK(refusal({"explian", "--help"}) == "explian" + neither + "explain?");
  CHECK(refusal({"--polcy", "halving"}) == "--polcy: no such option; did you mean --policy?");
}

TEST_CASE("an option of another command is named with that command only if the two are related") {
  CHECK(refusal({"pause", "--all"}) == "--all: no such option; see 'memcoord pause --help'");
  CHECK(refusal({"explain", "web", "--since", "1h"}) ==
        "--since: no such option; it is an option of 'memcoord events'");
  const std::string not_for_status =
      "--connect: is not for 'memcoord status'; see 'memcoord status --help'";
  CHECK(refusal({"status", "-c", "sim:scarce"}) == not_for_status);
  CHECK(refusal({"status", "--connect=sim:scarce"}) == not_for_status);
  CHECK(refusal({"-c", "sim:scarce", "status"}) == not_for_status);
}

TEST_CASE("help says that a command has no commands") {
  CHECK(refusal({"help", "status", "extra"}) ==
        "'memcoord status' has no commands; see 'memcoord help status'");
  CHECK(refusal({"help", "policies", "x"}) ==
        "'memcoord policies' has no commands; see 'memcoord help policies'");
  CHECK(refusal({"help", "domain", "set", "x"}) ==
        "'memcoord domain set' has no commands; see 'memcoord help domain set'");
}

TEST_CASE("a bad --since is refused with the units that it has") {
  const std::string negative = " is not more than zero; expected a time such as 90, 30m, 8h or 7d";
  CHECK(refusal({"events", "--since=-8h"}) == "--since: '-8h'" + negative);
  CHECK(refusal({"events", "--since", "-1h"}) == "--since: '-1h'" + negative);
}

TEST_CASE("a bundled name or a file without its option is named with the option") {
  CHECK(refusal({"halving"}) ==
        "halving: is neither a command nor an interval; did you mean --policy halving?");
  CHECK(refusal({"./mine.lua"}) ==
        "./mine.lua: is neither a command nor an interval; did you mean --policy ./mine.lua?");
  CHECK(refusal({"simulate", "policies/halving.lua"}) ==
        "policies/halving.lua: one argument too many; did you mean --policy policies/halving.lua?");
  CHECK(refusal({"simulate", "case1"}) ==
        "case1: one argument too many; did you mean --scenario case1?");
  CHECK(refusal({"compare", "halving"}) ==
        "halving: one argument too many; did you mean --policies halving?");
  CHECK(refusal({"density", "day.csv"}) ==
        "day.csv: one argument too many; did you mean --traces day.csv?");
  CHECK(refusal({"pause", "web", "10m"}) == "10m: one argument too many; did you mean --for 10m?");
  CHECK(refusal({"policy", "band", "low=1MiB"}) ==
        "low=1MiB: one argument too many; did you mean --set low=1MiB?");
  CHECK(refusal({"--connect", "case1"}) ==
        "case1: not a connection URI; did you mean the simulated host sim:case1?");
  CHECK(refusal({"--dry-run", "yes"}) ==
        "yes: is neither a command nor an interval; an option without a value stands alone; "
        "--OPTION=false turns it off");
}

TEST_CASE("the word that is wrong is named before what is missing") {
  CHECK(refusal({"density", "--max-staled", "1%"}) ==
        "--max-staled: no such option; did you mean --max-stalled?");
  CHECK(refusal({"-p", "band", "check"}) ==
        "--policy: is not for 'memcoord check'; see 'memcoord check --help'");
  CHECK(refusal({"1", "status"}) ==
        "1: one argument too many before 'memcoord status'; see 'memcoord status --help'");
  CHECK(refusal({"domain", "set", "web", "--minimum"}) ==
        "--minimum: needs a value; see 'memcoord domain set --help'");
  CHECK(refusal({"domain", "set", "web", "--minimum", "-c", "test:///default"}) ==
        "--minimum: needs a value before -c; see 'memcoord domain set --help'");
  CHECK(refusal({"domain", "set", "test", "--clear", "minmum"}) ==
        "--clear: 'minmum' is not a setting; did you mean minimum?");
  CHECK(refusal({"dry-run"}) ==
        "STATE: is missing; expected on|off, see 'memcoord dry-run --help'");
  CHECK(refusal({"--policy", "--dry-run"}) ==
        "--policy: needs a value before --dry-run; see 'memcoord --help'");
  CHECK(refusal({"-policy", "band"}) == "-policy: no such option; did you mean --policy?");
  CHECK(refusal({""}) == "INTERVAL: the value is empty");
}

TEST_CASE("a file of another kind is named for what it is not") {
  const ScratchFiles files;
  const std::string page = files.write("README.md", "# Title\n\nSome text.\n");
  const std::string policy = std::string(MEMCOORD_POLICIES) + "/halving.lua";
  const std::string empty = files.write("empty.jsonl", "");
  const std::string folder = MEMCOORD_POLICIES;
  const std::string no_journal =
      ": is not a journal: its first line is not a tick; name a file that memcoord wrote with "
      "--journal";
  CHECK(refusal({"replay", page}) == page + no_journal);
  CHECK(refusal({"replay", policy}) == policy + no_journal);
  CHECK(refusal({"events", "--journal", page}) == page + no_journal);
  const std::string no_ticks =
      ": has no ticks; name a journal: 'memcoord record' and a run with --journal write them";
  for (const char* command : {"replay", "ticks", "report", "traces", "density"}) {
    CAPTURE(command);
    std::vector<std::string> words{command};
    if (words.front() == "density") words.emplace_back("--traces");
    for (const std::string& journal : {empty, folder}) {
      words.push_back(journal);
      CHECK(refusal(words) == journal + no_ticks);
      words.pop_back();
    }
  }
  CHECK(refusal({"events", "--journal", empty}) == empty + no_ticks);
  CHECK(refusal({"traces", page}) ==
        page + ":3: is not a trace: no column 't_s'; a trace's header is t_s,<vm>,<vm>,...");
  CHECK(refusal({"test", page}) ==
        page + ": is not a Lua file; give the path of a policy, of a test file or of a folder");
  CHECK(refusal({"simulate", "--scenario", policy}) ==
        policy +
            ": a function where plain data is expected; a scenario is a Lua file that returns a "
            "table of plain data; a policy goes behind --policy");
  CHECK(refusal({"check", folder}) == folder + ": is a directory; give the path of a policy file");
  CHECK(refusal({"check", page}) == page + ":1: unexpected symbol near '#'; it must be a Lua file");
  const std::string nothing = files.write("empty.lua", "");
  CHECK(refusal({"check", nothing}) == nothing + ": an empty file; a policy is a Lua script");
  CHECK(refusal({"check", "halvign.lua"}) ==
        "halvign.lua: no such file; did you mean the bundled policy halving?");
  CHECK(refusal({"compare", "--policies", "halving,band"}) ==
        "halving,band: is several names in one word; separate them with blanks: halving band");
}
