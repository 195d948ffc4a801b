#pragma once
// Ticks for the observers' tests.

#include "engine/core/tick.h"

namespace memcoord::test {

/// Two domains: "db" was shrunk, with a clamp, to feed "web"; "old" is left alone.
Tick busy_tick();

}  // namespace memcoord::test
