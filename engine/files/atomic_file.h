#pragma once
// Files that are written whole or not at all.

#include <filesystem>
#include <functional>
#include <string_view>

#include "engine/core/error.h"

namespace memcoord::files {

/// Writes the next piece of the file.
using WritePiece = std::function<void(std::string_view)>;

/// Writes a file from the pieces that `produce` hands over. The pieces go to a new file beside
/// `path`, which takes the name once it is complete: readers find the old file or the complete new
/// one, and a failure leaves the old file as it was. Symbolic links are followed as by
/// place_to_write(). Errors: those of `produce`; not_found (no such folder), permission_denied,
/// invalid_input (no regular file; a full disk).
Status write_atomically(const std::filesystem::path& path,
                        const std::function<Status(const WritePiece&)>& produce);

/// Checks that write_atomically() could write the file, so that a long computation fails before it
/// begins, not after. Leaves nothing behind. Errors: as there.
Status check_writable(const std::filesystem::path& path);

}  // namespace memcoord::files
