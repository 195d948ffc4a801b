#pragma once
// Ticks for the observers' tests.

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <vector>

#include "engine/core/tick.h"

namespace memcoord::test {

/// A tick that shrinks "db", limited by a rule, and fails to grow "web"; "old" is skipped.
Tick busy_tick();

/// Guests "guest-001" and so on, each with exactly its floor of headroom, and the first `swapping`
/// of "db", "shop", "web", "mail", which read from their swap after the first tick. The host has
/// nothing to grant.
Tick crowded_tick(std::uint64_t number, std::size_t content, std::size_t swapping = 3);

/// The numbers of a journal's ticks; the test fails where it cannot be read.
std::vector<std::uint64_t> numbers_in(const std::filesystem::path& journal);

}  // namespace memcoord::test
