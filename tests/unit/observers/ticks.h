#pragma once
// A tick for the observers' tests.

#include "engine/core/tick.h"

namespace memcoord::test {

/// A tick that shrinks "db", limited by a rule, and fails to grow "web"; "old" is skipped.
Tick busy_tick();

}  // namespace memcoord::test
