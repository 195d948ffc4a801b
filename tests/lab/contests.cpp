#include "tests/lab/contests.h"

#include <algorithm>

namespace memcoord::lab {

std::vector<Contest> contests() {
  return {
      {"turns",
       "two of six guests at a time need much memory; all six fit the memory",
       2900_MiB,
       420_MiB,
       {{"alpha", "60:5,520:6,520:10,60:0,60:35"},
        {"bravo", "60:6,520:5,520:10,60:0,60:35"},
        {"charlie", "60:23,520:6,520:10,60:0,60:17"},
        {"delta", "60:24,520:5,520:10,60:0,60:17"},
        {"echo", "60:40,520:6,520:10,60:0"},
        {"foxtrot", "60:41,520:5,520:10,60:0"}}},
      {"jumps",
       "two of six guests at a time need much memory at once",
       2900_MiB,
       420_MiB,
       {{"alpha", "60:5,460:0,460:10,60:0,60:41"},
        {"bravo", "60:6,460:0,460:10,60:0,60:40"},
        {"charlie", "60:23,460:0,460:10,60:0,60:23"},
        {"delta", "60:24,460:0,460:10,60:0,60:22"},
        {"echo", "60:40,460:0,460:10,60:0,60:6"},
        {"foxtrot", "60:41,460:0,460:10,60:0,60:5"}}},
      {"scarce",
       "six guests grow one after the other, to a fifth more than there is",
       2500_MiB,
       350_MiB,
       {{"alpha", "60:5,400:10,400:35,60:0,60:2"},
        {"bravo", "60:10,400:10,400:30,60:0,60:2"},
        {"charlie", "60:15,400:10,400:25,60:0,60:2"},
        {"delta", "60:20,400:10,400:20,60:0,60:2"},
        {"echo", "60:25,400:10,400:15,60:0,60:2"},
        {"foxtrot", "60:30,400:10,400:10,60:0,60:2"}}},
  };
}

std::vector<std::string> contest_names() {
  std::vector<std::string> names;
  for (const Contest& contest : contests()) names.push_back(contest.name);
  return names;
}

void add_boot_option(cli::Command& tool, std::chrono::seconds& boot) {
  cli::add_option(tool, {"--boot", "SECONDS", "until all guests have booted; default 25"},
                  cli::into(boot, [](const std::string& text) -> Result<std::chrono::seconds> {
                    const auto seconds = cli::parse_whole_number(text, {1, 600});
                    if (!seconds) return fail(seconds.error());
                    return std::chrono::seconds(*seconds);
                  }));
}

double seconds_of(const Leg& leg) {
  return std::max(leg.seconds, 0.1);
}

double planned_seconds(const std::string& load) {
  double sum = 0;
  for (const Leg& leg : read_plan(load)) sum += seconds_of(leg);
  return sum;
}

}  // namespace memcoord::lab
