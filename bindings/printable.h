#pragma once
// Texts from scripts, made fit for logs, terminals and JSON.

#include <cstddef>
#include <string>
#include <string_view>

namespace memcoord::bindings {

/// One line of well-formed UTF-8 of at most `most` bytes (then cut at a character and "..." put
/// behind). Line ends and tabs become spaces; control characters, those that turn the direction of
/// writing, and bytes that are no UTF-8 become "?".
std::string printable(std::string_view text, std::size_t most = 200);

}  // namespace memcoord::bindings
