#pragma once
// Results written to files: whole or not at all.

#include <filesystem>
#include <functional>
#include <string_view>

#include "engine/core/error.h"

namespace memcoord::files {

/// Takes the next piece of what is to be written.
using WritePiece = std::function<void(std::string_view)>;

/// Writes what `produce` hands over, piece by piece: into a new file beside `path` that takes its
/// name once all of it is there, so that nobody ever reads half of it and a failure leaves an older
/// file as it was. Links are followed as place_to_write() has it. Errors: not_found (no such
/// folder), permission_denied, invalid_input (no regular file; a full disk).
Status write_whole_file(const std::filesystem::path& path,
                        const std::function<Status(const WritePiece&)>& produce);

/// Whether write_whole_file() would get that far, for work that takes long: what is wrong is said
/// before it, not after. Leaves nothing behind. Errors: as there.
Status check_writable(const std::filesystem::path& path);

}  // namespace memcoord::files
