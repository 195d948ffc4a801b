// Real guests to measure on.
//
//   lab_guests [--guests N] [--maximum SIZE] [--load PLAN]
//
// Starts a libvirt daemon, boots guests named guest01, guest02 .. (PLAN: see guest/plan.cpp),
// prints one line, "URI FOLDER", and keeps them until its standard input ends. The process number
// of a guest is in FOLDER/libvirt/qemu/run/NAME.pid.

#include <fmt/format.h>

#include <cstdio>
#include <exception>
#include <string>
#include <vector>

#include "tests/lab/guest.h"
#include "tests/tool_command_line.h"

namespace {

using namespace memcoord;

struct Arguments {
  int guests = 4;
  MemorySize maximum = 768_MiB;
  std::string load = "20:86400";
};

int keep_guests(const Arguments& arguments) {
  const lab::LabHost host;
  std::vector<lab::GuestSpec> specs;
  for (int i = 1; i <= arguments.guests; ++i) {
    lab::GuestSpec spec =
        lab::guest_of(fmt::format("guest{:02}", i), arguments.load, arguments.maximum);
    spec.maximum = arguments.maximum;
    specs.push_back(spec);
  }
  const lab::Guests guests = lab::boot(host, specs);
  fmt::print("{} {}\n", host.uri(), host.folder().string());
  (void)std::fflush(stdout);
  while (std::getchar() != EOF) {
  }
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  Arguments arguments;
  cli::Command tool("lab_guests", "Real guests to measure on, until standard input ends");
  cli::add_option(tool, {"--guests", "N", "how many"},
                  cli::into(arguments.guests, testing::parse_count));
  cli::add_option(tool, {"--maximum", "SIZE", "memory of each"},
                  cli::into(arguments.maximum, cli::parse_size));
  cli::add_option(tool, {"--load", "PLAN", "MiB:seconds,..."}, cli::into_text(arguments.load));
  if (const auto code = testing::ends_with(tool, argc, argv)) return *code;
  try {
    return keep_guests(arguments);
  } catch (const std::exception& error) {
    fmt::print(stderr, "lab_guests: {}\n", error.what());
    return 1;
  }
}
