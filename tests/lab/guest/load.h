#pragma once
// Reads a lab guest's plan: "30:5,330:40" goes to 30 MiB within 5 s, then to 330 MiB within 40 s.
// The guest uses it, and so do the tools that evaluate the guest's run.

#include <cstdlib>
#include <sstream>
#include <string>
#include <vector>

namespace memcoord::lab {

struct Leg {
  double mib = 0;
  double seconds = 0;
};

/// Skips text that is no leg.
inline std::vector<Leg> read_plan(const std::string& text) {
  std::vector<Leg> legs;
  std::istringstream stream(text);
  std::string leg;
  while (std::getline(stream, leg, ',')) {
    const std::size_t colon = leg.find(':');
    if (colon == std::string::npos) continue;
    legs.push_back({std::atof(leg.c_str()), std::atof(leg.c_str() + colon + 1)});
  }
  return legs;
}

}  // namespace memcoord::lab
