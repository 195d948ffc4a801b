// Measures what guests that start at once do to a tight host, with the hook and without it.
//
//   starts [--rounds N] [--guests N] [--binary PATH]

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <exception>
#include <string>

#include "tests/lab/start_storm.h"
#include "tests/tool_command_line.h"

namespace {

using namespace memcoord;

struct Arguments {
  int rounds = 5;
  int guests = 10;
  std::string binary;
};

void measure(const Arguments& arguments, bool with_hook) {
  int breached = 0;
  int refused = 0;
  for (int round = 1; round <= arguments.rounds; ++round) {
    lab::TightHost host(arguments.binary);
    const lab::StormResult storm = host.start(arguments.guests, with_hook);
    (void)host.end();
    breached += storm.breaches > 0 ? 1 : 0;
    refused += storm.refused;
    fmt::print("{:<13} {:>5} {:>11} of {:<9} {:>8} of {:<7} {:>7} {:>9.1f} s\n",
               with_hook ? "with the hook" : "without it", round, storm.most.text(),
               (lab::TightHost::kBudget - lab::TightHost::kFloor).text(), storm.breaches,
               storm.samples, storm.refused, storm.seconds);
    (void)std::fflush(stdout);
  }
  fmt::print("{} {} starts: {} of {} rounds under the floor, {} starts refused\n",
             with_hook ? "with the hook," : "without it,", arguments.rounds * arguments.guests,
             breached, arguments.rounds, refused);
}

}  // namespace

int main(int argc, char** argv) {
  Arguments arguments;
  cli::Command tool("starts", "Measures what guests that start at once do to a tight host");
  cli::add_option(tool, {"--rounds", "N", "of starts; default 5"},
                  cli::into(arguments.rounds, testing::parse_count));
  cli::add_option(tool, {"--guests", "N", "that start at once; default 10"},
                  cli::into(arguments.guests, testing::parse_count));
  cli::add_option(tool, {"--binary", "PATH", "the memcoord to measure; default this build's"},
                  cli::into_text(arguments.binary));
  if (const auto code = testing::ends_with(tool, argc, argv)) return *code;
  try {
    fmt::print("{:<13} {:>5} {:>24} {:>19} {:>7} {:>11}\n", "", "ROUND", "MOST HELD", "BREACHES",
               "REFUSED", "ALL RUN");
    measure(arguments, true);
    measure(arguments, false);
    return 0;
  } catch (const std::exception& error) {
    fmt::print(stderr, "starts: {}\n", error.what());
    return 1;
  }
}
