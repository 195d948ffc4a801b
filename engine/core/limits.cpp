#include "engine/core/limits.h"

#include <cstdio>

namespace memcoord {

Result<Limits> Limits::checked(Limits wanted) {
  const auto laxer = [](const char* option, const std::string& value, const std::string& least) {
    return fail(ErrorCode::invalid_input, option,
                value + " is laxer than the built-in limit, which no option can weaken",
                "give " + least);
  };
  if (wanted.domain_floor < kDomainFloor) {
    return laxer("--domain-floor", wanted.domain_floor.text(), kDomainFloor.text() + " or more");
  }
  if (wanted.host_floor < kHostFloor) {
    return laxer("--host-floor", wanted.host_floor.text(), kHostFloor.text() + " or more");
  }
  if (!(wanted.max_reclaim > 0)) {
    return fail(ErrorCode::invalid_input, "--max-reclaim", "not a share over 0",
                "give a share up to 50%");
  }
  if (wanted.max_reclaim > kMaxReclaim) {
    char share[32];
    std::snprintf(share, sizeof share, "%g%%", wanted.max_reclaim * 100);
    return laxer("--max-reclaim", share, "50% or less");
  }
  if (wanted.host_memory && wanted.host_memory->is_zero()) {
    return fail(ErrorCode::invalid_input, "--host-memory", "a budget of 0",
                "give what the guests may use together, such as 16GiB");
  }
  if (!(wanted.overcommit > 0 && wanted.overcommit <= kMaxOvercommit)) {
    return fail(ErrorCode::invalid_input, "--overcommit", "not a ratio over 0 and up to 10",
                "give 1 for what the host has, or 1.5 for half as much again");
  }
  return wanted;
}

}  // namespace memcoord
