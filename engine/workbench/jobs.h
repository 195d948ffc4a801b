#pragma once
// Independent pieces of work, on all cores.

#include <cstddef>
#include <functional>

namespace memcoord::workbench {

/// Calls job(0) to job(count - 1), each once, on up to `threads` threads (0: one a core); returns
/// when all are done. Jobs do not throw, and write to places of their own.
void run_jobs(std::size_t count, std::size_t threads, const std::function<void(std::size_t)>& job);

}  // namespace memcoord::workbench
