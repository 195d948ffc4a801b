#pragma once
// For tests that nothing leaks: the heap's size, and an output that keeps nothing.

#include <malloc.h>

#include <cstddef>
#include <streambuf>

namespace memcoord::bench {

/// The bytes that the allocator has handed out. Memory in its threads' caches counts; set
/// GLIBC_TUNABLES=glibc.malloc.tcache_count=0 to turn the caches off.
inline std::size_t heap_in_use() {
  const auto heap = ::mallinfo2();
  return heap.uordblks + heap.hblkhd;
}

/// Discards its output.
class NoOutput final : public std::streambuf {
  int overflow(int c) override { return c; }
  std::streamsize xsputn(const char*, std::streamsize n) override { return n; }
};

}  // namespace memcoord::bench
