#pragma once
// Files that are written whole or not at all.

#include <sys/types.h>

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/core/error.h"
#include "engine/files/open_file.h"

namespace memcoord::files {

/// Writes the next piece of the file.
using WritePiece = std::function<void(std::string_view)>;

struct AtomicWrite {
  /// The file's mode. None: that of the file that is replaced; for a new file, what the umask
  /// leaves of 0666.
  std::optional<mode_t> mode = {};
  bool sync = true;  ///< so that the file survives a power failure
};

/// Writes a file from the pieces that `produce` hands over. The pieces go to a new file beside
/// `path`, which takes the name once it is complete: readers find the old file or the complete new
/// one, and a failure leaves the old file as it was. Symbolic links are followed as by
/// place_to_write(). Errors: those of `produce`; not_found (no such folder), permission_denied,
/// invalid_input (no regular file; a full disk).
Status write_atomically(const std::filesystem::path& path,
                        const std::function<Status(const WritePiece&)>& produce,
                        const AtomicWrite& how = {});

/// The same. Returns the new file, open: as long as it is, no other file is the same by device and
/// inode.
Result<OpenFile> replace_file(const std::filesystem::path& path,
                              const std::function<Status(const WritePiece&)>& produce,
                              const AtomicWrite& how = {});

/// Removes what write_atomically() would replace, if it still is that very file.
void remove_if_same(const std::filesystem::path& path, const OpenFile& file);

/// Checks that write_atomically() could write the file, so that a long computation fails before it
/// begins, not after. Leaves nothing behind. Errors: as there.
Status check_writable(const std::filesystem::path& path);

/// The same for the output of a command that reads `inputs`, which it must not replace. Errors: as
/// there; invalid_input for an output that is one of the inputs, or a file in one.
Status check_output(const std::filesystem::path& path, const std::vector<std::string>& inputs);

}  // namespace memcoord::files
