#pragma once
// A policy's check as people read it.

#include "bindings/testing/policy_check.h"
#include "engine/core/screen_text.h"

namespace memcoord::bindings::testing {

/// The policy's summary, its parameters, what it did in each situation, and a last line that says
/// whether it is sound.
void print_check(const PolicyCheck& check, bool color, TextOut out);

}  // namespace memcoord::bindings::testing
